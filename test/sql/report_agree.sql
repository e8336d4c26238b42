-- Reports agree with each other: what accepts a submission, and what text is blank.
SET timezone = 'UTC';
SET client_min_messages = warning;
SET jit = off;
CREATE SCHEMA report_agree;
SET search_path = report_agree;
\set agreement 'stage a, b held by marketing; stage c, d held by sales; lost gone; won w; success path a -> b -> c -> d -> w; path any -> gone; path b -> d; handoff h: b from marketing to sales, accept c, reject gone, within 4 hours, warn 1 hour before;'
SELECT align.agree('agree', :'agreement');
CREATE TABLE leads (id int PRIMARY KEY, status text, team text, owner text, reason text, note text);
SELECT align.attach('leads', 'agree', mode => 'observe', stage => 'status', team => 'team', assignee => 'owner', reason => 'reason', note => 'note');
CREATE SCHEMA agree_reports;
SELECT align.create_reports('leads', 'agree_reports', time_zone => 'UTC') > 0 AS created;

-- Submitted under version 1, and entered under version 2, which accepts by d:
-- 1 and 2 with a change of owner between, 3 and 4 without one, 1 and 3 into c.
-- 5 and 6 are submitted under version 2.  7 waits; 8 is accepted after a rejection.
INSERT INTO leads (id, status, owner) SELECT i, 'a', 'ann' FROM generate_series(1, 8) AS i;
UPDATE leads SET status = 'b' WHERE id IN (1, 2, 3, 4, 7, 8);
UPDATE leads SET status = 'gone', reason = 'budget' WHERE id = 8;
SELECT align.agree('agree', replace(:'agreement', 'accept c', 'accept d'));
UPDATE leads SET owner = 'bob' WHERE id IN (1, 2, 7);
UPDATE leads SET status = 'b' WHERE id IN (5, 6, 8);
UPDATE leads SET owner = 'cat' WHERE id IN (5, 8);
UPDATE leads SET status = CASE WHEN id IN (1, 3, 5) THEN 'c' ELSE 'd' END WHERE id <> 7;
SELECT f.id, f.stage, h.outcomes, f.accepted_at IS NOT NULL AS is_accepted,
	f.accepted_at IS DISTINCT FROM h.accepted_at AS differs
FROM agree_reports.lead_facts AS f
	JOIN (SELECT h.id, string_agg(h.outcome, ', ' ORDER BY h.submitted_at) AS outcomes,
	          min(h.decided_at) FILTER (WHERE h.outcome = 'accepted') AS accepted_at
	      FROM agree_reports.handoff_facts AS h
	      GROUP BY h.id) AS h USING (id)
ORDER BY f.id;
-- of a table that is now under another agreement
SELECT align.agree('other', 'stage a, b held by marketing; stage c, d held by sales; lost gone; won w; success path a -> b -> c -> d -> w; path any -> gone;');
SELECT align.attach('leads', 'other', replace => true, mode => 'observe', stage => 'status', team => 'team', assignee => 'owner', reason => 'reason', note => 'note');
DROP SCHEMA agree_reports CASCADE;
CREATE SCHEMA agree_reports;
SELECT align.create_reports('leads', 'agree_reports', time_zone => 'UTC') > 0 AS created;
UPDATE leads SET status = 'd' WHERE id = 7;
SELECT count(*) FILTER (WHERE f.accepted_at IS DISTINCT FROM h.accepted_at) AS differ, count(f.accepted_at) AS accepted
FROM agree_reports.lead_facts AS f
	LEFT JOIN (SELECT h.id, min(h.decided_at) FILTER (WHERE h.outcome = 'accepted') AS accepted_at
	           FROM agree_reports.handoff_facts AS h
	           GROUP BY h.id) AS h USING (id);
DROP SCHEMA agree_reports CASCADE;
DROP TABLE leads CASCADE;

-- One sort, by lead and place, is all that the rows of the history need.
CREATE TABLE deals (id int PRIMARY KEY, status text, team text, owner text, reason text, note text, at timestamptz);
SELECT align.attach('deals', 'agree', mode => 'observe', stage => 'status', team => 'team', assignee => 'owner', reason => 'reason', note => 'note', changed_at => 'at');
CREATE SCHEMA agree_reports;
SELECT align.create_reports('deals', 'agree_reports', time_zone => 'UTC') > 0 AS created;
CREATE FUNCTION plan_nodes(query text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	line text;
	nodes text := '';
BEGIN
	FOR line IN EXECUTE 'EXPLAIN (COSTS off) ' || query LOOP
		IF line ~ '->' AND line !~ '(Subquery Scan|Result)' THEN
			nodes := nodes || regexp_replace(line, '^.*->  ', '') || ', ';
		END IF;
	END LOOP;
	RETURN nodes;
END $$;
SET enable_hashagg = off;
SELECT plan_nodes('SELECT * FROM agree_reports.lead_facts') ~ 'GroupAggregate, WindowAgg, WindowAgg, Sort, ' AS one_sort,
	pg_get_viewdef('agree_reports.lead_facts') ~ 'ORDER BY c\.id, c\.place' AS is_ordered;
RESET enable_hashagg;

-- Blank text is no text, and other text is as written, in every report.
INSERT INTO deals SELECT v.*, now() - interval '6 hours'
FROM (VALUES (1, 'a', ' ', '  ', NULL, '  '), (2, 'a', 'sales', ' ann ', NULL, ' hello '), (3, 'a', 'sales', ' ', NULL, NULL), (4, 'a', 'sales', ' ann ', NULL, NULL)) AS v;
UPDATE deals SET status = 'b', at = now() - interval '5 hours';
UPDATE deals SET status = 'gone', at = now(), reason = ' budget ' WHERE id = 2;
UPDATE deals SET status = 'gone', at = now(), reason = '  ' WHERE id = 3;
SELECT id, team, assignee, lost_reason, status FROM agree_reports.lead_facts ORDER BY id;
SELECT id, stage, team, assignee, reason FROM agree_reports.stage_facts WHERE stage <> 'a' ORDER BY id, entered_at;
SELECT id, outcome, reason, assignee, decided_by <> '' AS by FROM agree_reports.handoff_facts ORDER BY id;
SELECT id, assignee, last_note FROM agree_reports.handover ORDER BY id;
SELECT id, assignee, assignee_at_due FROM agree_reports.sla_now ORDER BY id;
SELECT id, assignee_at_start, assignee_at_due, assignee_at_stop FROM agree_reports.sla_facts ORDER BY id;
SELECT DISTINCT assignee, team FROM agree_reports.workload ORDER BY 1, 2;
SELECT DISTINCT team FROM agree_reports.conformance ORDER BY 1;
SELECT moment, result, reason FROM agree_reports.feedback ORDER BY 1, 2, 3;
SELECT id, assignee FROM agree_reports.unassigned JOIN agree_reports.lead_facts USING (id) ORDER BY id;
-- likewise as of an instant before now
SELECT id, assignee_at_due, assignee_at_stop FROM agree_reports.sla_facts(clock_timestamp() - interval '1 microsecond') ORDER BY id;
DROP SCHEMA agree_reports, report_agree CASCADE;
