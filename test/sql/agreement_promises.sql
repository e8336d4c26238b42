-- Promises in working hours on a calendar that never opens again: refused when they are
-- agreed, as far as that can be known then, else when a clock would start.
SET timezone = 'UTC';
\set SHOW_CONTEXT never
SET client_min_messages = warning;
CREATE SCHEMA agreement_promises;
SET search_path = agreement_promises;
CREATE ROLE regress_align_mover;
CREATE FUNCTION agree(hours text, promise text, valid_from timestamptz DEFAULT '2099-01-01') RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    hint text;
    detail text;
BEGIN
    PERFORM align.agree('agreement_promises', format('%s stage a, p, b held by m; stage c held by n; won w; lost l; entry a; success path a -> b -> c -> w; path a -> p -> a, b; path any -> l; %s', hours, promise), valid_from);
    RAISE SQLSTATE 'UE000';
EXCEPTION
    WHEN SQLSTATE 'UE000' THEN
        RETURN 'agreed';
    WHEN OTHERS THEN
        GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
        RETURN concat_ws(E'\n', SQLSTATE || ' ' || SQLERRM, nullif(detail, ''), nullif(hint, ''));
END $$;

-- a calendar that never opens, one that did once, one with too little time left
SELECT agree(hours, promise) FROM unnest(ARRAY['hours ''off'';', 'hours ''2020-01-01-2020-12-31 09:00-17:00'';', 'hours ''2099-03-02 09:00-12:00; 2099-03-04 09:00-10:00'';']) AS hours,
    unnest(ARRAY['sla s by m: from a to b within 5 working hours;', 'sla s by m: from a to b within 4 working hours, warn after 1 working hour;', 'sla s by m: from a to b by end of next working day;', 'sla s by m: from a to b by end of 2nd working day;',
        'handoff h: b from m to n, accept c, within 5 working hours;', 'sla s by m: from a to b within 5 days;']) AS promise;
-- of the team that promises, which is the one that receives a handoff
SELECT agree('hours ''Mo-Fr 09:00-17:00''; hours of m ''off'';', 'sla s by m: from a to b by end of same working day;');
SELECT agree('hours ''Mo-Fr 09:00-17:00''; hours of m ''off'';', 'sla s by n: from a to b by end of same working day; handoff h: b from m to n, accept c, within 4 working hours;');
SELECT agree('hours ''off''; hours of n ''Mo-Fr 09:00-17:00'';', 'handoff h: b from m to n, accept c, within 4 working hours;');
SELECT agree('hours ''Mo-Fr 09:00-17:00''; hours of n ''off'';', 'sla s by m: from a to b within 2 working hours; handoff h: b from m to n, accept c, within 4 working hours;');
-- an hour once a year suffices; what counts is when the version takes force
SELECT agree('hours ''Jan 01 09:00-10:00'';', 'sla s by m: from a to b within 300 working hours;');
SELECT agree('hours ''2099-03-02-2099-03-06 09:00-17:00'';', 'sla s by m: from a to b within 40 working hours;', valid_from)
FROM unnest('{2099-03-02 09:00+00,2099-03-02 09:00:00.000001+00,2099-03-06 17:00+00}'::timestamptz[]) AS valid_from;
SELECT agree('hours ''2099-03-02-2099-03-06 09:00-17:00'';', 'sla s by m: from a to b by end of 4th working day;', valid_from)
FROM unnest('{2099-03-02 09:00+00,2099-03-02 17:00+00,2099-03-03 00:00+00}'::timestamptz[]) AS valid_from;
SELECT agree('hours ''24/7'';', 'sla s by m: from a to b within 100 working hours;', '294276-12-30');
SELECT agree('', 'sla s by m: from a to b within 10 days;', '294276-12-30');
-- by default it is in force at once
SELECT split_part(agree(hours, 'sla s by m: from a to b by end of same working day;', now()), E'\n', 1) FROM unnest('{hours ''2020-01-01-2020-12-31 09:00-17:00'';,hours ''2099-03-02 09:00-12:00'';}'::text[]) AS hours;
-- nothing was agreed, and the type takes what agree() refuses
SELECT count(*) FROM align.agreements WHERE name = 'agreement_promises';
SELECT sla, due FROM align.service_levels('hours ''off''; stage a held by m; won w; success path a -> w; sla s by m: from a to w within 4 working hours;');

-- The calendar ends later: the change that would start the clock is refused, or resume it.
CREATE FUNCTION document(hours text) RETURNS text LANGUAGE sql AS $$
    SELECT format('hours %L;
        stage a, p, b held by m;
        stage c held by n;
        won w;
        lost l;
        entry a;
        success path a -> b -> c -> w;
        path a -> p -> a, b;
        path b -> a;
        path any -> l;
        sla reply by m: from a to b, l within 4 working hours, warn after 3 working hours, pause p;
        sla close by m: from b to c by end of next working day;', hours)
$$;
-- agreed when it was still open, and the leads are of then
INSERT INTO align.agreement (name, version, valid_from, funnel, document, owner, agreed_by)
SELECT 'agreement_promises', 1, '2020-01-01 00:00Z', d::align.funnel, d, current_user, current_user FROM document('2020-03-02-2020-03-06 09:00-17:00') AS d;
SELECT align.admit('agreement_promises', current_user::regrole);
CREATE TABLE leads (id int PRIMARY KEY, stage text, owner text, at timestamptz);
SELECT align.attach('leads', 'agreement_promises', assignee => 'owner', changed_at => 'at');
INSERT INTO leads SELECT i, 'a', 'ann', '2020-03-03 10:00Z' FROM generate_series(1, 3) AS i;
UPDATE leads SET stage = 'p', at = '2020-03-03 11:00Z' WHERE id = 2;
CREATE VIEW everything AS
    SELECT 'row' AS what, id, stage, owner, NULL::int AS no, at FROM leads
    UNION ALL SELECT 'history', id, stage, assignee, entry_no, effective_at FROM leads_history
    UNION ALL SELECT 'clock ' || sla, id, outcome, assignee_at_due, cycle, coalesce(stopped_at, due_at) FROM leads_sla;
CREATE TABLE before AS TABLE everything;
INSERT INTO leads VALUES (4, 'a', 'ann', '2020-03-06 17:00Z');
INSERT INTO leads VALUES (4, 'a', 'ann', '2020-03-06 13:00:00.000001Z');
INSERT INTO leads SELECT i, 'a', 'ann', timestamptz '2020-03-03 10:00Z' + (i - 10) * interval '1 minute' FROM generate_series(11, 10010) AS i;
UPDATE leads SET stage = 'b', owner = 'bob', at = '2020-03-06 10:00Z' WHERE id IN (1, 3);
UPDATE leads SET stage = 'a', at = '2020-03-09 10:00Z' WHERE id = 2;
UPDATE leads SET id = 20, stage = 'a', at = '2020-03-09 10:00Z' WHERE id = 2;
-- also in the modes that let violations pass
SELECT align.attach('leads', 'agreement_promises', assignee => 'owner', changed_at => 'at', mode => 'observe');
UPDATE leads SET stage = 'b', at = '2020-03-06 10:00Z' WHERE id = 1;
SELECT align.attach('leads', 'agreement_promises', assignee => 'owner', changed_at => 'at');
TABLE everything EXCEPT TABLE before;
TABLE before EXCEPT TABLE everything;

-- the key is shown to those who may read it
GRANT USAGE ON SCHEMA agreement_promises TO regress_align_mover;
GRANT UPDATE (stage, at), SELECT (stage, at) ON leads TO regress_align_mover;
SET ROLE regress_align_mover;
UPDATE leads SET stage = 'b', at = '2020-03-06 10:00Z' WHERE stage = 'a';
RESET ROLE;
GRANT SELECT (id) ON leads TO regress_align_mover;
SET ROLE regress_align_mover;
UPDATE leads SET stage = 'b', at = '2020-03-06 10:00Z' WHERE id = 3;
RESET ROLE;
ALTER TABLE leads ENABLE ROW LEVEL SECURITY;
CREATE POLICY few ON leads USING (id > 2);
SET ROLE regress_align_mover;
UPDATE leads SET stage = 'b', at = '2020-03-06 10:00Z' WHERE id = 3;
RESET ROLE;
ALTER TABLE leads DISABLE ROW LEVEL SECURITY;

-- a change that is dated back has all clocks of the lead computed
UPDATE leads SET stage = 'b', at = '2020-03-05 10:00Z' WHERE id = 1;
UPDATE leads SET stage = 'c', at = '2020-03-05 09:00Z' WHERE id = 1;
SELECT sla, cycle, started_at, due_at, stopped_at, outcome FROM leads_sla WHERE id = 1 ORDER BY 1;
INSERT INTO leads VALUES (5, 'a', 'ann', '2020-03-03 09:00Z');
UPDATE leads SET stage = 'p', at = '2020-03-03 12:30Z' WHERE id = 5;
UPDATE leads SET stage = 'a', at = '2020-03-06 16:00Z' WHERE id = 5;
TRUNCATE before;
INSERT INTO before TABLE everything;
UPDATE leads SET stage = 'b', at = '2020-03-03 11:00Z' WHERE id = 5;
UPDATE leads SET stage = 'b', at = '2020-03-03 11:00Z' WHERE id IN (3, 5);
TABLE everything EXCEPT TABLE before;
TABLE before EXCEPT TABLE everything;
SELECT * FROM align.check('leads');

-- the clocks of all leads, computed by its owner
SELECT align.rebuild_clocks('leads');
TABLE everything EXCEPT TABLE before;
TABLE before EXCEPT TABLE everything;
SELECT align.merge_leads('leads', 1, 5);

-- leads that are there when a table is attached
CREATE TABLE deals (id int PRIMARY KEY, stage text, at timestamptz);
INSERT INTO deals VALUES (1, 'a', '2020-03-03 10:00Z'), (2, 'b', '2020-03-06 10:00Z');
SELECT align.attach('deals', 'agreement_promises', changed_at => 'at');
SELECT to_regclass('deals_history'), count(*) FROM pg_trigger WHERE tgrelid = 'deals'::regclass AND NOT tgisinternal;

-- with a version whose calendar goes on, new clocks start
SELECT align.agree('agreement_promises', document('Mo-Fr 09:00-17:00'));
UPDATE leads SET stage = 'b', at = '2020-03-06 10:00Z' WHERE id = 3;
SELECT align.attach('deals', 'agreement_promises', changed_at => 'at');
SELECT 'leads' AS t, id, sla, cycle, started_at, due_at, version FROM leads_sla WHERE outcome IS NULL
UNION ALL SELECT 'deals', id, sla, cycle, started_at, due_at, version FROM deals_sla ORDER BY 1, 2, 3;
SELECT * FROM align.check('leads') UNION ALL SELECT * FROM align.check('deals');

-- functions on values have messages of their own
SELECT * FROM align.sla_clocks('{2020-03-06T14:00:00Z a}', document('2020-03-02-2020-03-06 09:00-17:00')::align.funnel, '2020-03-07');

-- an owner is set also where the calendar has ended since the version was agreed
COPY align.agreement (name, version, valid_from, funnel, document, owner, agreed_by) FROM stdin;
agreement_promises_ended	1	2020-01-01 00:00:00+00	hours '2020-01-01-2020-12-31 09:00-17:00'; stage a held by m; won w; success path a -> w; sla s by m: from a to w within 1 working hour;	as it was	pg_database_owner	somebody
\.
SELECT align.set_agreement_owner('agreement_promises_ended', 'regress_align_mover');
CREATE TABLE ended (id int PRIMARY KEY, stage text);
SELECT align.admit('agreement_promises_ended', current_user::regrole);
SELECT align.attach('ended', 'agreement_promises_ended');
\set VERBOSITY terse
DO $$
BEGIN
    INSERT INTO ended VALUES (1, 'a');
EXCEPTION WHEN invalid_parameter_value THEN
    RAISE WARNING '%', regexp_replace(SQLERRM, ' at \S+Z:', ' at now:');
END $$;
\set VERBOSITY default
SELECT align.detach('ended');

DROP SCHEMA agreement_promises CASCADE;
DROP ROLE regress_align_mover;
