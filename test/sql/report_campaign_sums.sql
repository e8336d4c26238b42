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

-- NULL is not 0: what was won without an amount stays unknown beside campaigns
-- that won nothing, and is left out beside one that won a known amount, be it 0.
INSERT INTO sums.lead VALUES
	(11, 'inquiry', 'utm_source=ann&utm_medium=email', NULL, NULL), (12, 'inquiry', 'utm_source=bob&utm_medium=email', NULL, NULL), -- Email
	(21, 'inquiry', 'utm_source=eve&utm_medium=sms', NULL, NULL), (22, 'inquiry', 'utm_source=joe&utm_medium=sms', 0, NULL),
	(31, 'inquiry', 'utm_source=sue&utm_medium=affiliate', NULL, NULL), (32, 'inquiry', 'utm_source=tom&utm_medium=affiliate', 50, NULL);
UPDATE sums.lead SET stage = 'customer' WHERE id IN (11, 21, 22, 31, 32);
SELECT channel, campaign_source, won, amount_missing, revenue_linear, revenue_known FROM sums.campaign_results ORDER BY channel COLLATE "C", campaign_source COLLATE "C";
SELECT channel, won, amount_missing, revenue_first, revenue_last, revenue_linear, revenue_full_path, revenue_known FROM sums.channel_results ORDER BY channel COLLATE "C";
-- and on the page, where a campaign is summed over months
INSERT INTO sums.lead VALUES (13, 'inquiry', 'utm_source=ann&utm_medium=email', NULL, NULL);
SET session_replication_role = replica;
UPDATE sums.lead_history SET effective_at = effective_at - interval '40 days', recorded_at = recorded_at - interval '40 days' WHERE id = 11;
RESET session_replication_role;
SELECT count(*) AS months, count(revenue_linear) AS known FROM sums.campaign_results WHERE campaign_source = 'ann';
SELECT x.cell[7] AS revenue
FROM align.weekly_report('sums.lead', timezone('UTC', now())::date) AS p (page),
	LATERAL unnest(xpath('//section/div/table/tbody/tr', xmlparse(document replace(page, '<!DOCTYPE html>', '')))) AS r (r),
	LATERAL (SELECT array_agg(coalesce((xpath('string(.)', c))[1]::text, '')) AS cell FROM unnest(xpath('/tr/td', r)) AS c (c)) AS x
WHERE x.cell[1] = 'ann email';

-- Bounds of rates: not while leads are open in the step before.
SELECT step, still_open, step_rate_lower IS NOT NULL AS bounds FROM sums.funnel ORDER BY step;
UPDATE sums.lead SET stage = 'disqualified' WHERE stage <> 'customer';
SELECT step, still_open, step_rate_lower IS NOT NULL AND step_rate_upper IS NOT NULL AS bounds FROM sums.funnel ORDER BY step;

SET client_min_messages = warning;
DROP SCHEMA sums CASCADE;
