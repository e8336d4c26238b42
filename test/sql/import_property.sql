-- import_history() on random histories: check() finds nothing, and journeys, violations and
-- clocks are those of the pure functions over the audit table.  In two parts, the later one
-- first, it gives the same as at once.
SET timezone = 'UTC';
SET datestyle = ISO;
SET client_min_messages = warning;
CREATE SCHEMA import_property;
SET search_path = import_property;
SELECT align.agree('import_property', $$
    hours 'Europe/Berlin Mo-Fr 09:00-17:30';
    stage a, b held by m;
    stage c, d held by s;
    won w;
    lost l;
    entry a, b;
    success path a -> b -> c -> w;
    path c -> d -> c;
    path d -> a;
    path b -> a;
    path any -> l;
    c known as 'C!';
    handoff h: b from m to s, accept c, reject a, l with reason (x, y), within 6 working hours, warn after 1 working hour;
    sla s1 by m: from a to b, l within 3 days;
    sla s2 by s: from c to w, l by end of 2nd working day, pause d;
$$);
SELECT setseed(0.404);
-- seven stages in an audit table, one unknown, one by its other name; some of the times are equal
CREATE TABLE audit AS
SELECT id, row_number() OVER () AS ordinal, timestamptz '2025-03-03 08:00+00' + floor(random() * 400) * interval '1 hour' AS at,
    (ARRAY['a', 'b', 'c', 'C!', 'd', 'w', 'l', 'gone', 'b', 'c'])[1 + floor(random() * 10)::int] AS stage, (ARRAY['x', 'y', 'z', NULL])[1 + floor(random() * 4)::int] AS reason,
    (ARRAY['ann', 'bob', NULL])[1 + floor(random() * 3)::int] AS assignee
FROM generate_series(1, 600) AS id, generate_series(1, 1 + id % 9);
INSERT INTO audit SELECT * FROM audit WHERE random() < 0.2;
-- what the application has now: the last stage of the audit table, or another one
CREATE TABLE lead (id int PRIMARY KEY, stage text, who text, reason text);
INSERT INTO lead SELECT id, CASE WHEN id % 5 > 0 THEN stage ELSE 'a' END, CASE WHEN id % 7 > 0 THEN assignee ELSE 'eve' END, reason
FROM (SELECT DISTINCT ON (id) * FROM audit ORDER BY id, at DESC, ordinal DESC) AS t;
CREATE TABLE parts (LIKE lead INCLUDING ALL) PARTITION BY HASH (id);
CREATE TABLE parts_0 PARTITION OF parts FOR VALUES WITH (MODULUS 2, REMAINDER 0);
CREATE TABLE parts_1 PARTITION OF parts FOR VALUES WITH (MODULUS 2, REMAINDER 1);
INSERT INTO parts TABLE lead;
SELECT align.attach('lead', 'import_property', assignee => 'who', reason => 'reason', mode => 'observe'), align.attach('parts', 'import_property', assignee => 'who', reason => 'reason', mode => 'observe');
-- the application goes on
CREATE PROCEDURE go_on(part int) LANGUAGE plpgsql AS $$
DECLARE t text;
BEGIN
    FOREACH t IN ARRAY '{lead,parts}'::text[] LOOP
        EXECUTE format('UPDATE %I SET stage = CASE stage WHEN ''a'' THEN ''b'' WHEN ''b'' THEN ''c'' ELSE ''l'' END, reason = ''x'' WHERE id %% 4 = %s', t, part);
        EXECUTE format('DELETE FROM %I WHERE id %% 40 = %s', t, part);
        EXECUTE format('UPDATE %I SET stage = NULL WHERE id %% 41 = %s', t, part);
        EXECUTE format('UPDATE %I SET who = ''fay'' WHERE id %% 6 = %s', t, part);
        EXECUTE format('INSERT INTO %I SELECT id, ''a'', ''gus'' FROM generate_series(%s, 600, 80) AS id ON CONFLICT DO NOTHING', t, part);
    END LOOP;
END $$;
CALL go_on(1);
SELECT align.import_history('lead', 'SELECT * FROM audit') AS imported \gset
SELECT align.import_history('parts', 'SELECT * FROM audit WHERE at >= ''2025-03-10+00''') AS later \gset
CALL go_on(2);
SELECT align.import_history('parts', 'SELECT * FROM audit WHERE at < ''2025-03-10+00''') AS earlier \gset
CALL go_on(3);
SELECT :imported > 2000 AS many, :later > 1000 AS later, :earlier > 500 AS earlier;
SELECT * FROM align.check('lead');
SELECT * FROM align.check('parts');

-- Nothing twice.
SELECT align.import_history('lead', 'SELECT * FROM audit'), align.import_history('parts', 'SELECT * FROM audit');
SELECT * FROM align.check('parts');

-- The imported past by plain SQL: rows without those that name the stage of the row before.
CREATE VIEW moves AS
SELECT id, at, ordinal, stage, row_number() OVER (PARTITION BY id ORDER BY at, ordinal) AS no
FROM (SELECT *, lag(stage) OVER (PARTITION BY id ORDER BY at, ordinal) AS before FROM (SELECT DISTINCT id, at, ordinal, CASE stage WHEN 'C!' THEN 'c' ELSE stage END AS stage FROM audit) AS a) AS b
WHERE stage IS DISTINCT FROM before;
CREATE VIEW written AS
SELECT 'lead' AS relation, id, entry_no, event, effective_at, stage, source, violation, recorded_at FROM lead_history
UNION ALL SELECT 'parts', id, entry_no, event, effective_at, stage, source, violation, recorded_at FROM parts_history;
SELECT relation, count(*) > 2000 AS many FROM written WHERE effective_at < '2026-01-01' AND event <> 'owner' GROUP BY 1 ORDER BY 1;
SELECT relation, count(*) FROM (SELECT relation, id, effective_at, stage FROM written WHERE effective_at < '2026-01-01' AND event <> 'owner'
    EXCEPT ALL SELECT relation, id, at, stage FROM moves, (VALUES ('lead'), ('parts')) AS r (relation)) AS t GROUP BY 1;
SELECT relation, count(*) FROM (SELECT relation, id, at, stage FROM moves, (VALUES ('lead'), ('parts')) AS r (relation)
    EXCEPT ALL SELECT relation, id, effective_at, stage FROM written WHERE effective_at < '2026-01-01' AND event <> 'owner') AS t GROUP BY 1;
-- both tables have the same entries
SELECT count(*) FROM ((SELECT id, entry_no, event, stage, violation, source, CASE WHEN effective_at < '2026-01-01' THEN effective_at END FROM written WHERE relation = 'lead'
    EXCEPT ALL SELECT id, entry_no, event, stage, violation, source, CASE WHEN effective_at < '2026-01-01' THEN effective_at END FROM written WHERE relation = 'parts')
    UNION ALL (SELECT id, entry_no, event, stage, violation, source, CASE WHEN effective_at < '2026-01-01' THEN effective_at END FROM written WHERE relation = 'parts'
    EXCEPT ALL SELECT id, entry_no, event, stage, violation, source, CASE WHEN effective_at < '2026-01-01' THEN effective_at END FROM written WHERE relation = 'lead')) AS t;
SELECT count(*) FROM (SELECT recorded_at <= lag(recorded_at) OVER (PARTITION BY relation, id ORDER BY entry_no) AS wrong FROM written) AS t WHERE wrong;

-- Journeys of leads that have lived once and never left, judged by the pure functions.
CREATE TABLE pure AS
SELECT r.relation, (j.key->>'id')::int AS id, j.lead FROM (VALUES ('lead'), ('parts')) AS r (relation), LATERAL align.journeys(r.relation::regclass) AS j
WHERE NOT EXISTS (SELECT FROM written AS w WHERE w.relation = r.relation AND w.id = (j.key->>'id')::int AND w.stage IS NULL);
SELECT count(*) > 1000 AS many FROM pure;
SELECT count(*) AS violations FROM written JOIN pure USING (relation, id) WHERE violation IS NOT NULL \gset
SELECT :violations > 1000 AS many;
SELECT count(*) FROM (SELECT relation, id, v.at, string_agg(v.rule, ', ') AS rules FROM pure, align.violations(lead, align.agreed('import_property')) AS v GROUP BY relation, id, v.entry, v.at
    EXCEPT ALL SELECT relation, id, effective_at, violation FROM written) AS t;
SELECT :violations - count(*) AS difference FROM (SELECT FROM pure, align.violations(lead, align.agreed('import_property')) AS v GROUP BY relation, id, v.entry) AS t;
CREATE VIEW clocks AS
SELECT 'lead' AS relation, id, sla, cycle, started_at, stopped_at, CASE WHEN outcome IS NOT NULL THEN due_at END AS due_at, outcome FROM lead_sla
UNION ALL SELECT 'parts', id, sla, cycle, started_at, stopped_at, CASE WHEN outcome IS NOT NULL THEN due_at END, outcome FROM parts_sla;
SELECT count(*) > 1000 AS many, count(*) FILTER (WHERE outcome IS NULL) > 100 AS open FROM clocks;
-- since when a lead is where align found it is not known if the imported past ends elsewhere: that starts no clock
CREATE TABLE undated AS SELECT relation, id, effective_at FROM written WHERE source = 'undated' AND event = 'move';
SELECT count(*) > 100 AS many FROM undated;
CREATE TABLE expected AS
SELECT relation, id, c.sla, (row_number() OVER (PARTITION BY relation, id, c.sla ORDER BY c.cycle))::int AS cycle, c.started_at, c.stopped_at, CASE WHEN c.stopped_at IS NOT NULL THEN c.due_at END AS due_at, CASE WHEN c.stopped_at IS NOT NULL THEN c.state END AS outcome
FROM pure, align.sla_clocks(lead, align.agreed('import_property'), now()) AS c
WHERE (relation, id, c.started_at) NOT IN (SELECT relation, id, effective_at FROM undated);
SELECT count(*) FROM ((SELECT c.* FROM clocks AS c JOIN pure USING (relation, id) EXCEPT ALL TABLE expected)
    UNION ALL (TABLE expected EXCEPT ALL SELECT c.* FROM clocks AS c JOIN pure USING (relation, id))) AS t;
-- nothing is announced of what came due before the tables were attached
SELECT count(*) > 100 AS many FROM lead_sla WHERE outcome IS NULL AND due_at < '2026-01-01';
SELECT count(*) FROM lead_sla WHERE outcome IS NULL AND due_at < '2026-01-01' AND due_notified_at IS NULL AND NOT upper_inf(paused);
SELECT align.notify_due('lead'), align.notify_due('parts');

RESET search_path;
DROP SCHEMA import_property CASCADE;
