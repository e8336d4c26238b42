-- The server's clock set back before the first version of an agreement: attached tables
-- stay writable, under the first version; what asks for the version in force gets an
-- error with a hint.  A test cannot set the clock, so the versions move instead.
SET timezone = 'UTC';
SET datestyle = ISO;
\set SHOW_CONTEXT never
SET client_min_messages = warning;
CREATE ROLE regress_align_crm;
CREATE SCHEMA agreement_set_back;
GRANT ALL ON SCHEMA agreement_set_back TO regress_align_crm;
SET search_path = agreement_set_back;
\set first 'stage a, b held by m; stage c held by n; won w; lost l; entry a; success path a -> b -> c -> w; path any -> l; sla s by m: from b to c within 10 days;'
SELECT align.agree('set_back', :'first');
CREATE PROCEDURE move_versions(years int) LANGUAGE plpgsql AS $$
BEGIN
    ALTER TABLE align.agreement DISABLE TRIGGER agreement_append_only;
    UPDATE align.agreement SET valid_from = valid_from + years * interval '1 year' WHERE name = 'set_back' AND version <= 2;
    ALTER TABLE align.agreement ENABLE ALWAYS TRIGGER agreement_append_only;
END $$;
-- a result or an error, without the times in it
CREATE FUNCTION said(command text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    result text;
    detail text;
    hint text;
BEGIN
    EXECUTE command INTO result;
    RETURN coalesce(result, 'null');
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
    RETURN regexp_replace(concat_ws(E'\n', SQLSTATE || ' ' || SQLERRM, nullif(detail, ''), nullif(hint, '')), '(at|before) \d{4}-\S+Z', '\1 T', 'g');
END $$;

CREATE TABLE leads (id int PRIMARY KEY, stage text, reason text, phone text);
CREATE TABLE parted (id int, region text, stage text, PRIMARY KEY (id, region)) PARTITION BY LIST (region);
CREATE TABLE parted_eu PARTITION OF parted FOR VALUES IN ('eu');
CREATE TABLE parted_us PARTITION OF parted FOR VALUES IN ('us');
CREATE TABLE dismissed (id int PRIMARY KEY, stage text, phone text);
ALTER TABLE dismissed OWNER TO regress_align_crm;
INSERT INTO leads SELECT i, 'a' FROM generate_series(1, 9) AS i;
SELECT align.attach('leads', 'set_back', reason => 'reason'), align.attach('parted', 'set_back', key => '{id}');
SELECT align.admit('set_back', 'regress_align_crm');
SELECT align.attach('dismissed', 'set_back');
-- version 2 has one more stage, and a need
SELECT align.agree('set_back', 'stage a, b, b2 held by m; stage c held by n; won w; lost l; entry a; success path a -> b -> c -> w; path b -> b2 -> c; path any -> l; c needs phone; sla s by m: from b to c within 5 days;');
ALTER TABLE parted ADD phone text;
SELECT align.agree('set_back', 'stage a, b, b2 held by m; stage c held by n; won w; lost l; entry a; success path a -> b -> c -> w; path b -> b2 -> c; path any -> l; c needs phone; sla s by m: from b to c within 5 days;');
SELECT align.dismiss('set_back', 'regress_align_crm');
UPDATE leads SET stage = 'b' WHERE id IN (1, 2);
UPDATE leads SET stage = 'b2' WHERE id = 2;
INSERT INTO dismissed VALUES (1, 'a');
CALL move_versions(50);

-- attached tables go on, whatever writes
UPDATE leads SET stage = 'c' WHERE id = 1;
UPDATE leads SET stage = 'b' WHERE id = 3;
UPDATE leads SET stage = 'b2' WHERE id = 3;
UPDATE leads SET stage = 'c' WHERE id = 4;
-- from a stage that version 1 does not know
UPDATE leads SET stage = 'c' WHERE id = 2;
UPDATE leads SET stage = 'l' WHERE id = 2;
INSERT INTO leads VALUES (10, 'a'), (11, 'a'), (15, 'a');
INSERT INTO leads VALUES (12, 'c');
COPY leads (id, stage) FROM stdin;
13	a
\.
INSERT INTO leads VALUES (13, 'b') ON CONFLICT (id) DO UPDATE SET stage = excluded.stage;
MERGE INTO leads USING (VALUES (13, 'l'), (14, 'a')) AS v (id, stage) ON leads.id = v.id
WHEN MATCHED THEN UPDATE SET stage = v.stage WHEN NOT MATCHED THEN INSERT (id, stage) VALUES (v.id, v.stage);
UPDATE leads SET id = 20 WHERE id = 10;
DELETE FROM leads WHERE id = 11;
UPDATE leads SET stage = NULL WHERE id = 15;
INSERT INTO parted VALUES (1, 'eu', 'a');
UPDATE parted SET stage = 'b', region = 'us';
INSERT INTO parted_us VALUES (2, 'us', 'a');
UPDATE parted_us SET stage = 'c' WHERE id = 2;
INSERT INTO dismissed VALUES (2, 'a');
UPDATE dismissed SET stage = 'b';
SELECT id, entry_no, event, stage, version, violation FROM leads_history WHERE version IS NOT NULL AND NOT (id BETWEEN 4 AND 9) ORDER BY 1, 2;
SELECT id, entry_no, event, stage, version FROM parted_history ORDER BY 1, 2;
SELECT id, entry_no, event, stage, version FROM dismissed_history ORDER BY 1, 2;
SELECT 'leads' AS t, id, sla, cycle, outcome, due_at - started_at AS promise, version FROM leads_sla UNION ALL
SELECT 'parted', id, sla, cycle, outcome, due_at - started_at, version FROM parted_sla UNION ALL
SELECT 'dismissed', id, sla, cycle, outcome, due_at - started_at, version FROM dismissed_sla ORDER BY 1, 2, 4;
SELECT t, c.* FROM unnest('{leads,parted,dismissed}'::regclass[]) AS t, align.check(t) AS c;

-- so do the functions on them
SELECT * FROM align.explain_move('leads', 5, 'b');
SELECT * FROM align.explain_move('leads', 5, 'b2');
SELECT key, sla, state, version FROM align.clocks('leads') ORDER BY key;
SELECT key, align.path(j.lead) FROM align.journeys('leads', 3) AS j;
SELECT align.rebuild_clocks('leads');
SELECT align.merge_leads('leads', 6, 3), align.erase('leads', 11);
SELECT * FROM align.check('leads');

-- elsewhere there is no version in force; a hint is given where the time is now
SELECT said(format('SELECT %s', call)) AS said FROM unnest(ARRAY[
    $$align.agreed('set_back')$$,
    $$align.agreed('set_back', '2010-01-01')$$,
    $$align.agreed('set_back', now() + interval '1 hour')$$,
    $$align.agreed('set_back', clock_timestamp())$$,
    $$align.current_stage('{2026-01-01T00:00:00Z a}'), align.agreed('set_back')$$,
    $$count(*) FROM align.backtest('leads', align.agreed('set_back'))$$]) AS call;
CREATE TABLE fresh (id int PRIMARY KEY, stage text, phone text);
INSERT INTO fresh VALUES (1, 'a');
SELECT said($$SELECT align.attach('fresh', 'set_back')$$);
SELECT said($$SELECT align.attach('leads', 'set_back', reason => 'reason', mode => 'warn')$$);
INSERT INTO fresh VALUES (2, 'a');
UPDATE fresh SET stage = 'b';
SELECT to_regclass('fresh_history') AS history, count(*) AS triggers FROM pg_trigger WHERE tgrelid = 'fresh'::regclass;
SELECT version, valid_to IS NULL AS last, in_force FROM align.agreements WHERE name = 'set_back' ORDER BY 1;
SELECT said($$SELECT align.assign_team('set_back', 'm', 'regress_align_crm')$$), said($$SELECT align.assign_team('set_back', 'x', 'regress_align_crm')$$);
SELECT align.assign_team('set_back', 'm', NULL);

-- the clock is right again
CALL move_versions(-50);
UPDATE leads SET stage = 'b2' WHERE id = 3;
UPDATE leads SET stage = 'c' WHERE id = 3;
SELECT id, entry_no, stage, version FROM leads_history WHERE id = 3 ORDER BY entry_no;
SELECT rule, detail FROM align.explain_move('leads', 5, 'b2');
SELECT * FROM align.check('leads');

-- or a version is agreed, which takes effect at once
CALL move_versions(50);
SELECT align.agree('set_back', 'stage a, b, b2 held by m; stage c held by n; won w; lost l; entry a, b, b2; success path a -> b -> c -> w; path b -> b2 -> c; path any -> l; sla s by m: from b to c within 7 days;');
SELECT version, in_force FROM align.agreements WHERE name = 'set_back' ORDER BY 1;
UPDATE leads SET stage = 'b' WHERE id = 7;
INSERT INTO leads VALUES (30, 'b2');
SELECT id, entry_no, stage, version FROM leads_history WHERE id IN (7, 30) ORDER BY 1, 2;
UPDATE fresh SET stage = 'b';
SELECT align.attach('fresh', 'set_back', mode => 'observe');
SELECT t, c.* FROM unnest('{leads,parted,dismissed,fresh}'::regclass[]) AS t, align.check(t) AS c;

RESET search_path;
DROP SCHEMA agreement_set_back CASCADE;
DROP ROLE regress_align_crm;
