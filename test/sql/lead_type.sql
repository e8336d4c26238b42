-- Type lead: text form, operators, casts.
SET search_path = public, align;	-- operators are looked up by the search path
SET client_encoding = 'UTF8';
SET TimeZone = 'Asia/Kathmandu';	-- must not matter
SET DateStyle = 'SQL, DMY';
SET IntervalStyle = 'iso_8601';

-- What a statement fails with: code, message, detail, hint.
CREATE FUNCTION pg_temp.failure(statement text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	m text; d text; h text;
BEGIN
	EXECUTE statement;
	RETURN 'no error';
EXCEPTION WHEN OTHERS THEN
	GET STACKED DIAGNOSTICS m = MESSAGE_TEXT, d = PG_EXCEPTION_DETAIL, h = PG_EXCEPTION_HINT;
	RETURN concat_ws(E'\n', SQLSTATE || ' ' || m, nullif(d, ''), nullif(h, ''));
END $$;

CREATE FUNCTION pg_temp.bad(input text) RETURNS text LANGUAGE sql AS
	$$SELECT pg_temp.failure(format('SELECT %L::align.lead', input))$$;

-- In and out.
\pset format unaligned
\pset tuples_only on
SELECT '{2026-03-01T09:00:00Z inquiry}'::align.lead;
SELECT '{2026-03-01T09:00:00Z inquiry ~ "utm_source=google", 2026-03-02T10:00:00Z mql by marketing}'::align.lead;
-- everything an entry can have
SELECT '{2026-03-01T09:00:00.123456Z mql by sales because bad_timing ~ spring worth 1200.50 #7 @3}'::align.lead;
-- white space is free, keywords are case-insensitive, offsets and blanks in times are read, entries come in any order
SELECT E'\n {2026-03-02 12:30:00+02:30 sal BY sales ,\n\t2026-03-01T09:00Z~x WORTH +01.0,2026-03-01T09:00:00-00:30 mql Because y\n} '::align.lead;
-- a stage named like a keyword is quoted; other names need not be
SELECT '{2026-03-01T09:00:00Z "by" by by because because ~ worth, 2026-03-02T09:00:00Z "Because", 2026-03-03T09:00:00Z "worth" worth 1}'::align.lead;
-- names that are no plain words, and an empty one
SELECT '{2026-03-01T09:00:00Z "Closed Won" by "équipe d''Ève" because "say ""no""" ~ "a,b}", 2026-03-02T09:00:00Z "", 2026-03-03T09:00:00Z "商談", 2026-03-04T09:00:00Z a-b, 2026-03-05T09:00:00Z "a->b", 2026-03-06T09:00:00Z "1st"}'::align.lead;
-- order: time, recorded ordinal (unknown first), content by bytes with absent first; duplicates stand
SELECT '{2026-03-01T00:00:00Z b #2, 2026-03-01T00:00:00Z z #1, 2026-03-01T00:00:00Z c, 2026-03-01T00:00:00Z B, 2026-03-01T00:00:00Z ~ x, 2026-03-01T00:00:00Z bb, 2026-03-01T00:00:00Z b by t, 2026-03-01T00:00:00Z b, 2026-03-01T00:00:00Z b @1, 2026-03-01T00:00:00Z b worth 10, 2026-03-01T00:00:00Z b worth 9, 2026-03-01T00:00:00Z b}'::align.lead;
-- amounts are canonical decimals
SELECT '{2026-03-01T00:00:00Z a worth 000, 2026-03-01T00:00:00Z b worth -0.00, 2026-03-01T00:00:00Z c worth -12.340, 2026-03-01T00:00:00Z d worth +0.10, 2026-03-01T00:00:00Z e worth 123456789012345678901234567890.000000000000000000001}'::align.lead;
-- the units of time: days, minutes, seconds, milliseconds, microseconds
SELECT lead, length(align.lead_send(lead)) FROM unnest(ARRAY[
	'{2026-03-01T00:00:00Z mql, 2026-03-02T00:00:00Z sal}',
	'{2026-03-01T00:00:00Z mql, 2026-03-02T00:01:00Z sal}',
	'{2026-03-01T00:00:00Z mql, 2026-03-02T00:01:01Z sal}',
	'{2026-03-01T00:00:00Z mql, 2026-03-02T00:01:01.001Z sal}',
	'{2026-03-01T00:00:00Z mql, 2026-03-02T00:01:01.001001Z sal}',
	'{1999-12-31T23:59:59.999999Z mql, 2000-01-01T00:00:00Z sal}']::align.lead[]) AS lead;
-- the ends of time
SELECT '{294276-12-31T23:59:59.999999Z last, -4713-11-24T00:00:00Z first, 0000-02-29T12:00:00Z "1 BC"}'::align.lead;
SELECT '{2026-03-01T09:00:00Z x #9223372036854775807 @2147483647}'::align.lead;

-- Errors, and where they are.
SELECT pg_temp.bad(input) FROM unnest(ARRAY[
	'', ' ', '{', '{}', '{ }', 'mql', '[2026-03-01T09:00:00Z mql]',
	'{2026-03-01T09:00:00Z}', '{2026-03-01T09:00:00Z by sales}', '{2026-03-01T09:00:00Z worth 3}',
	'{2026-03-01T09:00:00Z mql', '{2026-03-01T09:00:00Z mql,}', '{2026-03-01T09:00:00Z mql} x',
	'{2026-03-01T09:00:00Z mql sal}', '{2026-03-01T09:00:00Z mql; 2026-03-02T09:00:00Z sal}',
	'{yesterday mql}', '{2026-03-01 mql}', '{2026-03-01T09:00:00 mql}', '{2026-3-1T09:00:00Z mql}',
	'{2026-02-30T09:00:00Z mql}', '{2026-03-01T24:30:00Z mql}', '{infinity mql}', '{294277-01-01T00:00:00Z mql}', '{-4713-11-23T23:59:59Z mql}',
	'{2026-03-01T09:00:00Z étape}', '{2026-03-01T09:00:00Z 1st}', '{2026-03-01T09:00:00Z ''mql''}', '{2026-03-01T09:00:00Z "étape", 2026-03-01T09:00:00Z "été" by é}', '{2026-03-01T09:00:00Z "mql}',
	'{2026-03-01T09:00:00Z mql by}', '{2026-03-01T09:00:00Z mql by because x}', '{2026-03-01T09:00:00Z mql because}', '{2026-03-01T09:00:00Z ~}',
	'{2026-03-01T09:00:00Z mql because x by sales}',
	'{2026-03-01T09:00:00Z mql worth}', '{2026-03-01T09:00:00Z mql worth much}', '{2026-03-01T09:00:00Z mql worth NaN}',
	'{2026-03-01T09:00:00Z mql worth Infinity}', '{2026-03-01T09:00:00Z mql worth 1e5}', '{2026-03-01T09:00:00Z mql worth 1.}',
	'{2026-03-01T09:00:00Z mql worth .5}', '{2026-03-01T09:00:00Z mql worth 1-2}',
	'{2026-03-01T09:00:00Z mql #}', '{2026-03-01T09:00:00Z mql #0}', '{2026-03-01T09:00:00Z mql #9223372036854775808}', '{2026-03-01T09:00:00Z mql #-1}',
	'{2026-03-01T09:00:00Z mql @0}', '{2026-03-01T09:00:00Z mql @2147483648}', '{2026-03-01T09:00:00Z mql @1 #1}',
	E'{2026-03-01T09:00:00Z mql,\n 2026-03-01T09:00:00Z sal,\n\n  2026-03-41T09:00:00Z sql}']) AS input;
SELECT pg_temp.failure($$SELECT ('{2026-03-01T09:00:00Z mql worth ' || repeat('9', 131073) || '}')::align.lead$$);
SELECT pg_temp.failure($$SELECT ('{2026-03-01T09:00:00Z mql worth 0.' || repeat('9', 16384) || '}')::align.lead$$);
SELECT length(('{2026-03-01T09:00:00Z mql worth ' || repeat('9', 131072) || '}')::align.lead::text);
SELECT length(('{2026-03-01T09:00:00Z mql worth 0.' || repeat('9', 16383) || '}')::align.lead::text);
SELECT pg_temp.failure($$SELECT ('{2026-03-01T09:00:00Z ' || repeat('m', 1024 * 1024 + 1) || '}')::align.lead$$);

-- Output reads back as the same value, whatever it is.
SELECT count(*) AS leads, bool_and(lead::text::align.lead = lead) AND bool_and(lead::jsonb::align.lead = lead) AS same
FROM unnest(ARRAY[
	'{2026-03-01T09:00:00.1Z "by" by "BY" because "a""b" ~ "}" worth -0.001 #1 @1, 2026-03-01T09:00:00.1Z "by"}',
	'{-4713-11-24T00:00:00Z "\", 294276-12-31T23:59:59.999999Z "''"}',
	E'{2026-03-01T09:00:00Z "a\nb\tc"}', '{2026-03-01T09:00:00Z "--x"}', '{2026-03-01T09:00:00Z ~ ""}',
	'{0001-01-01T00:00:00Z "ß", 9999-12-31T00:00:00Z "😀", 10000-01-01T00:00:00Z x}']::align.lead[]) AS lead;

-- Operators, order and hashing agree.
CREATE TEMP TABLE leads (id int, lead align.lead);
INSERT INTO leads
SELECT i, format('{2026-03-0%sT09:00:00Z %s, 2026-04-0%sT09:00:00Z sal}', i % 3 + 1, (ARRAY['mql', 'inquiry'])[i % 2 + 1], i % 2 + 1)::align.lead
FROM generate_series(1, 60) AS i;
ANALYZE leads;
SELECT count(*) AS wrong FROM leads a, leads b
WHERE (a.lead = b.lead) <> (a.lead::text = b.lead::text)
	OR (a.lead = b.lead) = (a.lead <> b.lead)
	OR (a.lead < b.lead) <> (b.lead > a.lead)
	OR (a.lead <= b.lead) <> (a.lead < b.lead OR a.lead = b.lead)
	OR (a.lead >= b.lead) = (a.lead < b.lead)
	OR align.lead_cmp(a.lead, b.lead) <> -align.lead_cmp(b.lead, a.lead)
	OR (a.lead = b.lead AND align.lead_hash(a.lead) <> align.lead_hash(b.lead))
	OR (a.lead = b.lead AND align.lead_hash_extended(a.lead, 42) <> align.lead_hash_extended(b.lead, 42));
SELECT count(*), count(DISTINCT lead) FROM leads;
CREATE FUNCTION pg_temp.pairs() RETURNS bigint LANGUAGE sql AS 'SELECT count(*) FROM leads a JOIN leads b USING (lead)';
SET enable_hashjoin = on; SET enable_mergejoin = off; SET enable_nestloop = off; SELECT pg_temp.pairs();
SET enable_hashjoin = off; SET enable_mergejoin = on; SELECT pg_temp.pairs();
SET enable_mergejoin = off; SET enable_nestloop = on; SELECT pg_temp.pairs();
RESET enable_hashjoin; RESET enable_mergejoin; RESET enable_nestloop;
CREATE INDEX ON leads (lead);
SET enable_seqscan = off; SET enable_bitmapscan = off;
SELECT count(*) FROM leads WHERE lead = (SELECT lead FROM leads WHERE id = 1);
SELECT count(*) FROM leads WHERE lead > (SELECT lead FROM leads WHERE id = 1);
SET enable_seqscan = on; SET enable_indexscan = off; SET enable_indexonlyscan = off;
SELECT count(*) FROM leads WHERE lead = (SELECT lead FROM leads WHERE id = 1);
SELECT count(*) FROM leads WHERE lead > (SELECT lead FROM leads WHERE id = 1);
RESET enable_seqscan; RESET enable_bitmapscan; RESET enable_indexscan; RESET enable_indexonlyscan;
CREATE TEMP TABLE by_lead (lead align.lead) PARTITION BY HASH (lead);
CREATE TEMP TABLE by_lead_0 PARTITION OF by_lead FOR VALUES WITH (MODULUS 2, REMAINDER 0);
CREATE TEMP TABLE by_lead_1 PARTITION OF by_lead FOR VALUES WITH (MODULUS 2, REMAINDER 1);
INSERT INTO by_lead SELECT lead FROM leads;
SELECT count(*) FROM by_lead JOIN leads USING (lead) WHERE leads.id = 1;

-- To and from jsonb.
SELECT '{2026-03-01T09:00:00.123Z mql by sales because bad_timing ~ spring worth 1200.50 #7 @3, 2026-03-01T08:00:00Z ~ "Ünïcode"}'::align.lead::jsonb;
SELECT '[{"at": "2026-03-02 10:00:00+01:00", "stage": "sal", "team": null}, {"at": "2026-03-01T09:00Z", "campaign": "x", "amount": 1.50e3}]'::jsonb::align.lead;
SELECT pg_temp.failure(format('SELECT %L::jsonb::align.lead', input)) FROM unnest(ARRAY[
	'null', '1', '"x"', '{}', '[]', '[1]', '[[]]', '[null]', '[{}]',
	'[{"at": "2026-03-01T09:00:00Z"}]', '[{"stage": "mql"}]', '[{"at": null, "stage": "mql"}]',
	'[{"at": 5, "stage": "mql"}]', '[{"at": "soon", "stage": "mql"}]', '[{"at": "2026-03-01T09:00:00Z x", "stage": "mql"}]',
	'[{"at": "2026-02-30T09:00:00Z", "stage": "mql"}]',
	'[{"at": "2026-03-01T09:00:00Z", "stage": "mql"}, {"at": "2026-03-01T09:00:00Z", "stage": 7}]',
	'[{"at": "2026-03-01T09:00:00Z", "stage": {"a": 1}}]', '[{"at": "2026-03-01T09:00:00Z", "stage": ["mql"]}]',
	'[{"at": "2026-03-01T09:00:00Z", "stage": "mql", "amount": "7"}]', '[{"at": "2026-03-01T09:00:00Z", "stage": "mql", "amount": true}]',
	'[{"at": "2026-03-01T09:00:00Z", "stage": "mql", "ordinal": 0}]', '[{"at": "2026-03-01T09:00:00Z", "stage": "mql", "ordinal": 1.5}]',
	'[{"at": "2026-03-01T09:00:00Z", "stage": "mql", "version": 2147483648}]', '[{"at": "2026-03-01T09:00:00Z", "stage": "mql", "version": -1}]',
	'[{"at": "2026-03-01T09:00:00Z", "stage": "mql", "owner": null}]']) AS input;
