-- journeys() and clocks() of one lead give what the functions without a key give of it, for
-- every key, whatever its form, and refuse what is no key.
SET timezone = 'UTC';
SET datestyle = ISO;
SET intervalstyle = postgres;
\set SHOW_CONTEXT never
SET client_min_messages = warning;
CREATE ROLE regress_align_ann;
CREATE ROLE regress_align_bob;
CREATE SCHEMA journeys_key;
GRANT USAGE ON SCHEMA journeys_key TO PUBLIC;
SET search_path = journeys_key;
SELECT align.agree('journeys_key', $$
    hours 'UTC Mo-Fr 09:00-17:00';
    stage inquiry, mql held by marketing;
    stage sal, nurture held by sales;
    won customer;
    lost disqualified;
    success path inquiry -> mql -> sal -> customer;
    path sal -> nurture -> sal;
    path sal -> mql;
    path any -> disqualified;
    handoff speed: mql from marketing to sales, accept sal, reject disqualified, within 4 working hours, warn after 2 working hours;
    sla follow_up by sales: from sal to customer, disqualified within 10 days, pause nurture;
    sla any_reply by marketing: from inquiry to mql, disqualified by end of next working day;
$$);
-- In what the two forms of each function differ, over all keys, which are given as jsonb.
CREATE FUNCTION differences(relation regclass, as_of timestamptz DEFAULT '2025-03-12 12:00+00') RETURNS TABLE (what text, n bigint, different bigint) LANGUAGE plpgsql AS $$
BEGIN
    CREATE TEMPORARY TABLE keys AS SELECT key FROM align.journeys(relation) UNION SELECT key FROM align.clocks(relation, as_of);
    CREATE TEMPORARY TABLE journeys AS SELECT * FROM align.journeys(relation);
    CREATE TEMPORARY TABLE journeys_by_key AS SELECT j.* FROM keys AS k, align.journeys(relation, k.key) AS j;
    CREATE TEMPORARY TABLE clocks AS SELECT * FROM align.clocks(relation, as_of);
    CREATE TEMPORARY TABLE clocks_by_key AS SELECT c.* FROM keys AS k, align.clocks(relation, as_of, k.key) AS c;
    RETURN QUERY SELECT 'journeys', (SELECT count(*) FROM journeys), (SELECT count(*) FROM ((TABLE journeys EXCEPT ALL TABLE journeys_by_key) UNION ALL (TABLE journeys_by_key EXCEPT ALL TABLE journeys)) AS d)
        UNION ALL SELECT 'clocks', (SELECT count(*) FROM clocks), (SELECT count(*) FROM ((TABLE clocks EXCEPT ALL TABLE clocks_by_key) UNION ALL (TABLE clocks_by_key EXCEPT ALL TABLE clocks)) AS d);
    DROP TABLE keys, journeys, journeys_by_key, clocks, clocks_by_key;
END $$;
GRANT EXECUTE ON FUNCTION differences(regclass, timestamptz) TO PUBLIC;

-- One column.
CREATE TABLE leads (id int PRIMARY KEY, stage text, owner text, changed_at timestamptz, gone boolean, campaign text);
INSERT INTO leads SELECT i, 'mql', 'ann', '2025-03-03 10:00+00' FROM generate_series(1, 20) AS i;
SELECT align.attach('leads', 'journeys_key', assignee => 'owner', changed_at => 'changed_at', live => 'gone IS NOT TRUE', campaign => 'campaign');
INSERT INTO leads SELECT i, 'inquiry', 'ann', '2025-03-03 10:00+00' FROM generate_series(21, 100) AS i;
UPDATE leads SET stage = 'mql', changed_at = '2025-03-04 10:00+00' WHERE id % 4 > 0 AND id > 20;
UPDATE leads SET stage = 'sal', owner = 'bob', changed_at = '2025-03-05 10:00+00' WHERE id % 4 > 1;
UPDATE leads SET stage = 'nurture', changed_at = '2025-03-06 10:00+00' WHERE id % 8 = 3;
UPDATE leads SET stage = 'mql', changed_at = '2025-03-07 10:00+00' WHERE id % 8 = 2;
UPDATE leads SET stage = 'sal', changed_at = '2025-03-10 10:00+00' WHERE id % 16 = 2;
UPDATE leads SET stage = 'mql', changed_at = '2025-03-11 10:00+00' WHERE id % 32 = 2;
UPDATE leads SET stage = 'disqualified', changed_at = '2025-03-11 10:00+00' WHERE id % 32 = 6;
UPDATE leads SET campaign = 'spring' WHERE id % 5 = 0;
UPDATE leads SET owner = 'cyd', changed_at = '2025-03-04 12:00+00' WHERE id % 7 = 0;
UPDATE leads SET gone = true WHERE id % 11 = 0;
DELETE FROM leads WHERE id % 13 = 0;
INSERT INTO leads VALUES (13, 'inquiry', 'eve', '2025-03-11 10:00+00');
UPDATE leads SET id = 1000 + id WHERE id % 17 = 0;
SELECT align.merge_leads('leads', 3, 4) > 0 AS merged;
SELECT * FROM differences('leads');
SELECT * FROM differences('leads', now());
SELECT * FROM differences('leads', '2000-01-01');
SELECT align.path(lead), align.current_stage(lead) FROM align.journeys('leads', 2);
SELECT * FROM align.clocks('leads', '2025-03-12 12:00+00', 2) ORDER BY sla;
SELECT * FROM align.clocks('leads', '2025-03-12 12:00+00', 11) ORDER BY sla;
-- among the leads of a query
SELECT id, align.path(j.lead), c.sla, c.state FROM leads LEFT JOIN LATERAL align.journeys('leads', id) AS j ON true LEFT JOIN LATERAL align.clocks('leads', '2025-03-12 12:00+00', id) AS c ON true WHERE id < 8 ORDER BY id, sla;
SELECT id, (SELECT cardinality(align.path(lead)) FROM align.journeys('leads', l.id)) AS entries FROM leads AS l WHERE id IN (2, 18, 34) ORDER BY id;
-- no such lead, one that moved to another key, one that was merged, one that is gone
SELECT id, (SELECT count(*) FROM align.journeys('leads', id)) AS journeys, (SELECT count(*) FROM align.clocks('leads', now(), id)) AS clocks FROM unnest('{0,-1,2147483647,17,1017,3,4,26}'::int[]) AS id;

-- Forms of a key of one column.
SELECT 'int' AS form, key FROM align.journeys('leads', 2) UNION ALL SELECT 'bigint', key FROM align.journeys('leads', 2::bigint) UNION ALL SELECT 'unknown', key FROM align.journeys('leads', '2')
UNION ALL SELECT 'text', key FROM align.journeys('leads', ' 2 '::text) UNION ALL SELECT 'numeric', key FROM align.journeys('leads', 2::numeric) UNION ALL SELECT 'jsonb', key FROM align.journeys('leads', '{"id": 2}'::jsonb)
UNION ALL SELECT 'json', key FROM align.journeys('leads', '{"id": "2"}'::json) UNION ALL SELECT 'row', key FROM align.journeys('leads', ROW(2))
UNION ALL SELECT 'array', key FROM align.journeys('leads', ARRAY[2]);
SELECT 'int' AS form, key, sla FROM align.clocks('leads', now(), 2) WHERE sla = 'speed' UNION ALL SELECT 'unknown', key, sla FROM align.clocks('leads', now(), '2') WHERE sla = 'speed' UNION ALL
SELECT 'jsonb', key, sla FROM align.clocks('leads', now(), '{"id": 2}'::jsonb) WHERE sla = 'speed' UNION ALL SELECT 'row', key, sla FROM align.clocks('leads', now(), ROW('2')) WHERE sla = 'speed';
-- What is no key.
CREATE FUNCTION result_of(key text) RETURNS TABLE (call text, result text) LANGUAGE plpgsql AS $$
BEGIN
    FOREACH call IN ARRAY ARRAY[format('align.journeys(%L, %s)', current_setting('journeys_key.relation'), key), format('align.clocks(%L, now(), %s)', current_setting('journeys_key.relation'), key)] LOOP
        BEGIN
            EXECUTE 'SELECT count(*) FROM ' || call INTO result;
        EXCEPTION WHEN OTHERS THEN
            result := SQLSTATE || ' ' || SQLERRM;
        END;
        RETURN NEXT;
    END LOOP;
END $$;
SET journeys_key.relation = 'leads';
SELECT r.* FROM unnest(ARRAY['NULL', 'NULL::int', 'NULL::jsonb', '''''', '''two''', '2.5', '99999999999', '''2 3''', 'ROW()', 'ROW(1, 2)', 'ROW(NULL)', 'ROW(NULL::int)', '''{}''::int[]', 'ARRAY[NULL]::int[]', 'ARRAY[1, 2]', 
    '''{}''::jsonb', '''[2]''::jsonb', '''2''::jsonb', '''null''::jsonb', '''{"id": null}''::jsonb', '''{"ID": 2}''::jsonb', '''{"id": 2, "more": 3}''::jsonb', '''{"id": {"id": 2}}''::jsonb', '''{"id"''', '''(2)''', '''{"id": 2}''', 'date ''2025-01-01''', 'true', '''leads''::regclass']) AS key, result_of(key) AS r;
SELECT * FROM align.journeys(NULL, 2);
SELECT * FROM align.clocks(NULL, now(), 2);
SELECT * FROM align.clocks('leads', NULL, 2);
SELECT * FROM align.clocks('leads', 'infinity', 2);
SELECT * FROM align.clocks('leads', '-infinity', 2);
SELECT * FROM align.clocks('leads_sla', now(), 2);
SELECT * FROM align.journeys('pg_catalog.pg_class', 2);

-- Several columns, of a partitioned table; the history is partitioned, too.
CREATE TABLE deals (no numeric(8,2), region text COLLATE "C", on_day date, stage text, owner text, changed_at timestamptz, "Tag, ""x""" char(3), PRIMARY KEY (region, no, "Tag, ""x""", on_day)) PARTITION BY LIST (region);
CREATE TABLE deals_eu PARTITION OF deals FOR VALUES IN ('eu', 'E,"U"');
CREATE TABLE deals_rest PARTITION OF deals DEFAULT;
SELECT align.attach('deals', 'journeys_key', assignee => 'owner', changed_at => 'changed_at', mode => 'observe');
INSERT INTO deals SELECT n / 4.0, r, date '2025-01-01' + n, 'mql', 'ann', '2025-03-03 10:00+00', t FROM generate_series(0, 8) AS n, unnest(ARRAY['eu', 'E,"U"', 'us', '', '{"a": 1}', ' ', '\']) AS r, unnest(ARRAY['a', 'ab ', '']) AS t;
SELECT align.detach('deals');
ALTER TABLE deals_history RENAME TO deals_history_old;
CREATE TABLE deals_history (LIKE deals_history_old) PARTITION BY RANGE (recorded_at);
SELECT clock_timestamp() AS now \gset
ALTER TABLE deals_history ATTACH PARTITION deals_history_old FOR VALUES FROM (MINVALUE) TO (:'now');
CREATE TABLE deals_history_new PARTITION OF deals_history FOR VALUES FROM (:'now') TO (MAXVALUE);
SELECT align.attach('deals', 'journeys_key', assignee => 'owner', changed_at => 'changed_at', mode => 'observe');
UPDATE deals SET stage = 'sal', owner = 'bob', changed_at = '2025-03-04 10:00+00' WHERE no < 1;
UPDATE deals SET stage = 'nurture', changed_at = '2025-03-05 10:00+00' WHERE no < 0.5;
UPDATE deals SET region = 'fr' WHERE region = 'eu' AND no = 2;
DELETE FROM deals WHERE no = 0.25 AND region <> 'us';
SELECT count(*), count(*) FILTER (WHERE tableoid = 'deals_history_old'::regclass) AS old FROM deals_history;
SELECT * FROM differences('deals');
SELECT * FROM differences('deals_eu');
SET journeys_key.relation = 'deals_rest';
SELECT r.* FROM unnest(ARRAY[$$ROW('us', 0.75, 'ab', date '2025-01-04')$$, $$('us', 0.75, 'ab ', '2025-01-04')$$, $$ARRAY['us', '0.75', 'ab', '20250104']$$, $${"no": 0.750, "region": "us", "on_day": "2025-01-04", "Tag, \"x\"": "ab"}$$, $$'(us,0.75,ab,2025-01-04)'$$,
    $$ROW('eu', 0.5, 'a', date '2025-01-03')$$, $$ROW('E,"U"', 0.5, '', date '2025-01-03')$$, $$ROW('', 0.5, '', date '2025-01-03')$$, $$ROW('\', 0.5, '   ', date '2025-01-03')$$, $$ROW('us', 0.5, 'a', date '2026-01-03')$$,
    -- text becomes the type of its column, which rounds it; a number is compared as it is
    $$ROW('us', '0.754'::text, 'ab', date '2025-01-04')$$, $$ROW('us', 0.754, 'ab', date '2025-01-04')$$,
    $$'us'$$, $$ROW('us', 0.75)$$, $$ROW('us', 0.75, 'ab', date '2025-01-04', 1)$$, $$ROW('us', 0.75, 'ab', NULL)$$, $$ROW('us', 'x', 'ab', date '2025-01-04')$$, $$ROW('us', 0.75, 'abcd', date '2025-01-04')$$, $$ROW('us', 0.75, 'ab', 'never')$$,
    $$'{"no": 0.75, "region": "us"}'::jsonb$$, $$NULL::deals$$, $$NULL$$]) AS key, result_of(CASE WHEN key LIKE '{%' THEN quote_literal(key) || '::jsonb' ELSE key END) AS r;
-- by a row of the history, or of the table's key columns
SELECT count(*) FROM deals AS d, align.journeys('deals', ROW(d.region, d.no, d."Tag, ""x""", d.on_day)) AS j;
SELECT count(*), (SELECT count(*) FROM align.clocks('deals')) AS all FROM (SELECT DISTINCT region, no, "Tag, ""x""", on_day FROM deals_history) AS h, align.clocks('deals', now(), h) AS c;

-- Other types of keys.
CREATE TYPE mood AS ENUM ('sad', 'glad');
CREATE DOMAIN code AS text CHECK (value <> 'none');
CREATE TABLE moods (m mood, c code, f float8, u uuid, b boolean, i interval, stage text, PRIMARY KEY (m, c, f, u, b, i));
SELECT align.attach('moods', 'journeys_key', mode => 'observe');
INSERT INTO moods SELECT m, c, f, u, b, i, 'mql' FROM unnest('{sad,glad}'::mood[]) AS m, unnest(ARRAY['a', 'B']) AS c, unnest('{0.1,-0,NaN,Infinity,1e-300}'::float8[]) AS f,
    unnest('{00000000-0000-0000-0000-00000000000a}'::uuid[]) AS u, unnest('{t,f}'::boolean[]) AS b, unnest('{1 day,24:00:01,-1 mon}'::interval[]) AS i;
SET extra_float_digits = 0;
SELECT * FROM differences('moods', now());
SET intervalstyle = iso_8601;
SELECT * FROM differences('moods', now());
SET intervalstyle = postgres;
RESET extra_float_digits;
SET journeys_key.relation = 'moods';
SELECT r.* FROM unnest(ARRAY[$$ROW('sad', 'a', 0, '0000000000000000000000000000000A', true, interval '24 hours')$$, $$ROW('sad'::mood, 'a'::code, 'NaN'::float8, '{00000000-0000-0000-0000-00000000000a}', 'f', interval '-30 days')$$,
    $$ROW('bad', 'a', 0, '0000000000000000000000000000000A', true, interval '24 hours')$$, $$ROW('sad', 'none', 0, '0000000000000000000000000000000A', true, interval '24 hours')$$]) AS key, result_of(key) AS r;

-- Under row-level security, one role after the other in the same session.
CREATE TABLE seen (id int PRIMARY KEY, stage text, owner name, changed_at timestamptz);
ALTER TABLE seen ENABLE ROW LEVEL SECURITY;
CREATE POLICY own ON seen USING (owner = current_user);
GRANT SELECT ON seen TO regress_align_ann, regress_align_bob;
SELECT align.attach('seen', 'journeys_key', assignee => 'owner', changed_at => 'changed_at');
INSERT INTO seen SELECT i, 'inquiry', CASE WHEN i % 3 = 0 THEN 'regress_align_ann' ELSE 'regress_align_bob' END, '2025-03-03 10:00+00' FROM generate_series(1, 10) AS i;
UPDATE seen SET stage = 'mql', changed_at = '2025-03-04 10:00+00' WHERE id > 5;
DELETE FROM seen WHERE id = 9;
CREATE FUNCTION visible() RETURNS TABLE (role text, journeys text, clocks text, without_key text) LANGUAGE sql AS $$
    SELECT replace(current_user, session_user, 'superuser'), (SELECT string_agg(j.key->>'id', ' ' ORDER BY i) FROM generate_series(0, 11) AS i, align.journeys('seen', i) AS j),
        (SELECT string_agg(c.key->>'id', ' ' ORDER BY i) FROM generate_series(0, 11) AS i, align.clocks('seen', now(), i) AS c),
        (SELECT string_agg(j.key->>'id', ' ' ORDER BY (j.key->>'id')::int) FROM align.journeys('seen') AS j)
$$;
SELECT * FROM visible();
SET ROLE regress_align_ann;
SELECT * FROM visible();
RESET ROLE;
GRANT SELECT ON seen_history, seen_sla TO regress_align_ann, regress_align_bob;
SET ROLE regress_align_ann;
SELECT * FROM visible();
SELECT * FROM differences('seen', now());
SET ROLE regress_align_bob;
SELECT * FROM visible();
SELECT * FROM differences('seen', now());
RESET ROLE;
SELECT * FROM visible();
UPDATE seen SET owner = 'regress_align_ann' WHERE id = 10;
SET ROLE regress_align_ann;
SELECT * FROM visible();
SET row_security = off;
SELECT * FROM align.journeys('seen', 1);
SELECT * FROM align.clocks('seen', now(), 1);
RESET row_security;
SELECT * FROM align.journeys('seen', 1);
-- without the privilege for the whole
RESET ROLE;
REVOKE SELECT ON seen_history, seen_sla FROM regress_align_ann;
GRANT SELECT (id, stage, entry_no) ON seen_history TO regress_align_ann;
SET ROLE regress_align_ann;
SELECT * FROM align.journeys('seen', 3);
SELECT * FROM align.clocks('seen', now(), 3);
RESET ROLE;

-- Changes that are not written yet count; a plan that is kept follows history and key.
BEGIN;
UPDATE leads SET stage = 'sal', changed_at = '2025-03-12 10:00+00' WHERE id = 2;
SELECT align.path(lead), (SELECT count(*) FROM align.clocks('leads', now(), 2)) AS clocks FROM align.journeys('leads', 2);
ROLLBACK;
SELECT align.path(lead), (SELECT count(*) FROM align.clocks('leads', now(), 2)) AS clocks FROM align.journeys('leads', 2);
ALTER TABLE leads RENAME id TO number;
ALTER TABLE leads_history RENAME TO leads_past;
SELECT key, align.path(lead), (SELECT count(*) FROM align.clocks('leads', now(), 2)) AS clocks FROM align.journeys('leads', '{"number": 2}'::jsonb);
SELECT align.detach('leads');
SELECT * FROM align.journeys('leads', 2);
SELECT align.attach('leads', 'journeys_key', assignee => 'owner', changed_at => 'changed_at', mode => 'observe', history => 'leads_new');
SELECT key, align.path(lead), (SELECT count(*) FROM align.clocks('leads', now(), 2)) AS clocks FROM align.journeys('leads', 2);
SELECT * FROM differences('leads');

RESET search_path;
DROP SCHEMA journeys_key CASCADE;
DROP ROLE regress_align_ann, regress_align_bob;
