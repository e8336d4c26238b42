-- erase() removes a key wherever it is mentioned, whatever settings were in force when
-- it was written and are when it is erased; and nothing else.
\set SHOW_CONTEXT never
SET client_min_messages = warning;
CREATE SCHEMA erase_settings;
SET search_path = erase_settings;
SELECT align.agree('erase_settings', $$
	stage inquiry, mql held by marketing;
	stage sal held by sales;
	won customer;
	success path inquiry -> mql -> sal -> customer;
	entry inquiry, mql, sal;
	handoff speed_to_lead: mql from marketing to sales, accept sal, within 4 hours;
$$);
CREATE TYPE mood AS ENUM ('so (so)', 'fine, thanks', ')=(');
CREATE DOMAIN instant AS timestamptz;
-- Whether anything is left of a key after it is erased under other settings than it
-- was written under; the key of the duplicate is the first of three.
CREATE FUNCTION settings(n int) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
	PERFORM set_config(name, value, false) FROM (VALUES
		(1, 'DateStyle', 'ISO, YMD'), (1, 'TimeZone', 'UTC'), (1, 'extra_float_digits', '1'), (1, 'IntervalStyle', 'postgres'), (1, 'bytea_output', 'hex'), (1, 'lc_monetary', 'C'),
		(2, 'DateStyle', 'SQL, DMY'), (2, 'TimeZone', 'Europe/Berlin'), (2, 'extra_float_digits', '-15'), (2, 'IntervalStyle', 'iso_8601'), (2, 'bytea_output', 'escape'),
		(3, 'DateStyle', 'German'), (3, 'TimeZone', 'Asia/Kolkata'), (3, 'extra_float_digits', '0'), (3, 'IntervalStyle', 'sql_standard'), (3, 'bytea_output', 'escape'),
		(4, 'DateStyle', 'Postgres, MDY'), (4, 'TimeZone', 'America/New_York'), (4, 'extra_float_digits', '3'), (4, 'IntervalStyle', 'postgres_verbose'), (4, 'bytea_output', 'hex')) AS s (n, name, value)
	WHERE s.n = settings.n;
END $$;
CREATE PROCEDURE attempt(type text, keys text[], written int, erased int) LANGUAGE plpgsql AS $$
DECLARE
	left_over bigint;
	mentions bigint;
	problems bigint;
BEGIN
	PERFORM settings(1);
	EXECUTE format('CREATE TABLE leads (k %s PRIMARY KEY, stage text)', type);
	EXECUTE format('INSERT INTO leads SELECT k::%s, ''mql'' FROM unnest($1) AS k', type) USING keys;
	PERFORM align.attach('leads', 'erase_settings', opened_at => 'now');
	COMMIT;
	PERFORM settings(written);
	EXECUTE format('SELECT align.merge_leads(''leads'', $1::%1$s, $2::%1$s), align.merge_leads(''leads'', $2::%1$s, $3::%1$s)', type)
		USING (SELECT k::text FROM (SELECT keys[1] AS k) AS x), keys[2], keys[3];
	COMMIT;
	PERFORM settings(1);
	EXECUTE format('DELETE FROM leads WHERE k::text = $1::%s::text', type) USING keys[1];
	COMMIT;
	PERFORM settings(erased);
	EXECUTE format('SELECT align.erase(''leads'', $1::%s)', type) USING keys[1];
	COMMIT;
	PERFORM settings(1);
	EXECUTE format('SELECT count(*) FROM leads_history WHERE k::text = $1::%s::text', type) INTO left_over USING keys[1];
	-- of the second there are mentions, of the first there are none
	SELECT count(*) FILTER (WHERE note LIKE 'merged from%' OR note LIKE 'merged into%' OR source LIKE 'merged (%') INTO mentions FROM leads_history;
	SELECT count(*) INTO problems FROM align.check('leads');
	RAISE INFO '% from % to %: % left, % mentions, % problems, %', type, written, erased, left_over, mentions, problems,
		(SELECT string_agg(DISTINCT coalesce(note, source), '; ' ORDER BY coalesce(note, source)) FROM leads_history WHERE note IS NOT NULL OR source IS NOT NULL);
	DROP TABLE leads, leads_history, leads_sla;
	COMMIT;
END $$;
CALL attempt('timestamptz', '{2026-03-29 02:30:00.123456+01,2026-03-29 12:00+00,2026-10-25 02:30:00+00}', 1, 2);
CALL attempt('timestamptz', '{2026-03-29 02:30:00.123456+01,2026-03-29 12:00+00,2026-10-25 02:30:00+00}', 2, 3);
CALL attempt('timestamptz', '{infinity,2026-03-29 12:00+00,-infinity}', 3, 4);
CALL attempt('timestamp', '{2026-02-01 02:30:00.1,2026-03-29 12:00,0044-03-15 00:00:00 BC}', 2, 1);
CALL attempt('date', '{2026-02-01,2026-01-02,0044-03-15 BC}', 4, 2);
CALL attempt('timetz', '{02:30:00.1+01,02:30:00.1+02,12:00+00}', 2, 4);
CALL attempt('interval', '{1 year 2 mons 3 days 04:05:06.7,-1 days,12:00}', 3, 2);
CALL attempt('float8', '{0.1,0.30000000000000004,1e300}', 2, 4);
CALL attempt('float8', '{NaN,Infinity,-0.3333333333333333}', 3, 1);
CALL attempt('float4', '{0.1,16777216,3.3333333}', 4, 3);
CALL attempt('bytea', '{\\x2829,\\xff00,\\x616263}', 2, 1);
CALL attempt('tstzrange', '{"[2026-01-01 00:00+00,2026-02-01 00:00+00)","(,2026-01-01 00:00+00]",empty}', 2, 3);
CALL attempt('instant', '{2026-03-29 02:30+01,2026-03-29 12:00+00,2026-10-25 02:30:00+00}', 3, 2);
CALL attempt('timestamptz[]', '{"{2026-03-29 02:30+01,NULL}","{2026-03-29 12:00+00}","{}"}', 2, 4);
CALL attempt('mood', '{"so (so)","fine, thanks",")=("}', 1, 1);
CALL attempt('text', '{"a, b)=(c","merged from (k)=(x)",plain}', 1, 2);
CALL attempt('inet', '{10.0.0.1/8,10.0.0.1,::1}', 2, 3);
CALL attempt('uuid', '{00000000-0000-0000-0000-000000000001,00000000-0000-0000-0000-000000000002,00000000-0000-0000-0000-000000000003}', 2, 3);
CALL attempt('numeric', '{1.50,2,NaN}', 2, 3);
CALL attempt('jsonb', '{"{\"a\": [1, 2]}","\"x\"",7}', 2, 3);

-- As release 0.2.0 wrote them, under the settings of the session: found by a session
-- of the same settings.
SELECT settings(2);
CREATE TABLE leads (k timestamptz PRIMARY KEY, stage text);
INSERT INTO leads VALUES ('2026-03-29 02:30+01', 'mql'), ('2026-03-29 12:00+00', 'mql');
SELECT align.attach('leads', 'erase_settings', opened_at => 'now');
SELECT align.merge_leads('leads', timestamptz '2026-03-29 02:30+01', timestamptz '2026-03-29 12:00+00');
ALTER TABLE leads_history DISABLE TRIGGER align_append_only;
UPDATE leads_history SET note = 'merged from (k)=(29/03/2026 03:30:00 CEST)' WHERE note LIKE 'merged from%';
UPDATE leads_history SET source = 'merged (k)=(29/03/2026 03:30:00 CEST)' WHERE source LIKE 'merged%';
ALTER TABLE leads_history ENABLE TRIGGER align_append_only;
DELETE FROM leads WHERE k = '2026-03-29 02:30+01';
SELECT align.erase('leads', timestamptz '2026-03-29 02:30+01');
SELECT entry_no, event, source, note FROM leads_history ORDER BY entry_no;
DROP TABLE leads, leads_history, leads_sla;

-- Keys of several columns, also renamed ones; of leads that share parts of the key.
SELECT settings(1);
CREATE TABLE leads (region text, id int, at timestamptz, stage text, PRIMARY KEY (id, at, region));
INSERT INTO leads SELECT r, i, '2026-01-01 00:00+00'::timestamptz + i * interval '1 hour', 'mql' FROM unnest('{emea,"a, pac",(us)}'::text[]) AS r, generate_series(1, 4) AS i;
SELECT align.attach('leads', 'erase_settings', opened_at => 'now');
SELECT align.merge_leads('leads', ROW(1, '2026-01-01 01:00+00'::timestamptz, 'emea'::text), ROW(1, '2026-01-01 01:00+00'::timestamptz, '(us)'::text)),
	align.merge_leads('leads', ROW(1, '2026-01-01 01:00+00'::timestamptz, 'a, pac'::text), ROW(1, '2026-01-01 01:00+00'::timestamptz, '(us)'::text));
UPDATE leads SET id = 22, region = 'emea, was' WHERE id = 2 AND region = 'emea';
ALTER TABLE leads RENAME region TO "the (region)";
ALTER TABLE leads RENAME id TO "No";
ALTER TABLE leads_history RENAME id TO key_id;
UPDATE leads SET "No" = 33 WHERE "No" = 3 AND "the (region)" = 'emea';
SELECT settings(3);
DELETE FROM leads WHERE "No" = 1 AND "the (region)" <> '(us)';
SELECT align.erase('leads', ROW(1, '2026-01-01 01:00+00'::timestamptz, 'emea'::text));
SELECT settings(1);
SELECT key_id, region, entry_no, event, source, note FROM leads_history WHERE note IS NOT NULL OR source IS NOT NULL ORDER BY key_id, region, entry_no;
-- a former key that a lead was moved away from is nobody's
SELECT align.erase('leads', ROW(2, '2026-01-01 02:00+00'::timestamptz, 'emea'::text)), align.erase('leads', ROW(3, '2026-01-01 03:00+00'::timestamptz, 'emea'::text));
SELECT key_id, region, entry_no, event, source, note FROM leads_history WHERE event = 'rekey' ORDER BY key_id, region, entry_no;
SELECT * FROM align.check('leads');
DROP TABLE leads, leads_history, leads_sla;

RESET search_path;
DROP SCHEMA erase_settings CASCADE;
