-- Alerts from the outbox

CREATE FUNCTION align.notify_handoffs(relation regclass) RETURNS bigint
    AS 'MODULE_PATHNAME', 'align_notify_handoffs'
    LANGUAGE C VOLATILE PARALLEL UNSAFE COST 10000;

COMMENT ON FUNCTION align.notify_handoffs(regclass) IS
'sends one NOTIFY align_handoff for every handoff of an attached table that has not been announced yet, in the order in which they were recorded, marks them as announced, and returns how many there were; the payload is a JSON object with relation, key, entry_no, handoff, from and to; for the owner of the table; null is refused';

CREATE FUNCTION align.notify_due(relation regclass) RETURNS bigint
    AS 'MODULE_PATHNAME', 'align_notify_due'
    LANGUAGE C VOLATILE PARALLEL UNSAFE COST 10000;

COMMENT ON FUNCTION align.notify_due(regclass) IS
'sends one NOTIFY align_sla for every open clock of an attached table that has become at risk or overdue since it was last announced, marks them as announced, and returns how many there were; the payload is a JSON object with relation, key, sla, cycle, state (at_risk or overdue) and due_at; for the owner of the table; null is refused';
