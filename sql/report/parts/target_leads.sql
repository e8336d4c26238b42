-- What targets look at in leads.
SELECT {key:l}, l.status, l.stage, l.amount
FROM {lead_facts} AS l
