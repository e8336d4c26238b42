-- Sums over campaigns, where several recorded texts are one campaign, and where
-- amounts are not known.
CREATE SCHEMA sums;
SELECT align.agree('report sums', $$
	stage inquiry, mql held by marketing;
	stage sal held by sales;
	won customer;
	lost disqualified;
	success path inquiry -> mql -> sal -> customer;
	path any -> disqualified;
	path mql -> inquiry;
	handoff pass: mql from marketing to sales, accept sal, reject inquiry with reason (early), within 2 days;
$$) > 0 AS agreed;
CREATE TABLE sums.lead (id int PRIMARY KEY, stage text, campaign text, amount numeric, reason text);
SELECT align.attach('sums.lead', 'report sums', mode => 'observe', campaign => 'campaign', amount => 'amount', reason => 'reason');
SELECT align.create_campaign_tables('sums', 'EUR');

-- campaign_key is source, medium and name in every view; term, content and id
-- stand beside it.
INSERT INTO sums.lead VALUES (1, 'inquiry', 'utm_source=google&utm_medium=cpc&utm_campaign=spring&utm_term=shoes&utm_id=7', NULL, NULL);
UPDATE sums.lead SET stage = 'mql' WHERE id = 1;
UPDATE sums.lead SET stage = 'inquiry', reason = 'early', campaign = 'utm_source=google&utm_medium=cpc&utm_campaign=spring&utm_term=boots&utm_content=b&utm_id=8' WHERE id = 1;
UPDATE sums.lead SET stage = 'mql', reason = NULL WHERE id = 1;
UPDATE sums.lead SET stage = 'inquiry', reason = 'early' WHERE id = 1;
SELECT align.create_reports('sums.lead', 'sums', time_zone => 'UTC', complete_since => '2020-01-01') > 0 AS created;
SELECT touch_no, campaign_key, campaign_term, campaign_content, campaign_id FROM sums.touch_facts ORDER BY touch_no;
SELECT count(DISTINCT campaign_key) AS campaigns
FROM (SELECT campaign_key FROM sums.touch_facts UNION ALL SELECT campaign_key FROM sums.campaign_results UNION ALL SELECT campaign_key FROM sums.feedback) AS k;
SELECT campaign_id, touches, leads, rejected FROM sums.campaign_results;
-- cost by either id
INSERT INTO sums.campaign_cost (day, campaign_source, campaign_id, amount) VALUES (timezone('UTC', now())::date, 'google', '7', 10), (timezone('UTC', now())::date, 'google', '8', 5);
SELECT campaign_id, cost_match, cost FROM sums.campaign_results;

-- A lead that was rejected twice after touches of one campaign is one lead.
SELECT campaign_key, result, reason, n, leads, first_n, share FROM sums.feedback;
