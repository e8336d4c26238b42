-- Type funnel: the functions on the value, casts, operators, binary form.
SET search_path = public, align;	-- operators are looked up by the search path
SET client_encoding = 'UTF8';
SET TimeZone = 'Asia/Kathmandu';	-- must not matter
SET IntervalStyle = 'postgres';

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

CREATE TABLE funnel_b2b AS SELECT $$
    hours 'Europe/London Mo-Fr 09:00-17:30; Dec 25 off';
    hours of sales 'America/New_York Mo-Fr 08:00-18:00';
    stage inquiry, mql held by marketing;
    stage sal, sql, opportunity held by sales;
    stage nurture held by marketing;
    won  customer;
    lost disqualified;
    entry inquiry, mql;
    success path inquiry -> mql -> sal -> sql -> opportunity -> customer;
    path mql, sal, sql, opportunity -> nurture -> mql;
    path inquiry -> customer;
    path any -> disqualified;
    handoff speed_to_lead: mql from marketing to sales,
        accept sal,
        reject nurture, disqualified with reason (no_budget, no_interest, poor_fit, bad_timing, unreachable, content_unclear),
        within 4 working hours, warn after 3 working hours;
    mql needs email, company;
    sql needs budget, need, timeline, 'budget >= 10000';
    opportunity -> disqualified needs reason (price, competitor, no_decision);
    sal known as 'Sales Accepted', 'S-ACC';
    sla qualify by sales: from sal to sql, disqualified within 40 working hours, pause nurture;
    sla first_touch by marketing: from inquiry to mql, customer, disqualified within 2 days;
    sla call_back by sales: from sql to opportunity, disqualified by end of next working day;
    target marketing: 400 mql per month;
    target sales: 90% of speed_to_lead;
    target sales: 25% from mql to customer within 90 days;
$$::align.funnel AS f;

-- Tables
SELECT s.* FROM funnel_b2b, align.stages(f) AS s;
SELECT s.* FROM funnel_b2b, align.moves(f) AS s;
SELECT s.* FROM funnel_b2b, align.handoffs(f) AS s;
SELECT s.* FROM funnel_b2b, align.service_levels(f) AS s;
SELECT s.* FROM funnel_b2b, align.targets(f) AS s;
-- an agreement with nothing of the kind
SELECT count(*) FROM align.handoffs('stage a; won w; success path a -> w;');
SELECT count(*) FROM align.service_levels('stage a; won w; success path a -> w;');
SELECT count(*) FROM align.targets('stage a; won w; success path a -> w;');

-- Questions about one stage or move
SELECT label, align.stage_name(f, label), align.stage_kind(f, label), align.stage_position(f, label), align.stage_team(f, label)
FROM funnel_b2b, unnest(ARRAY['inquiry', 'mql', 'sal', 'S-ACC', 'Sales Accepted', 'sql', 'nurture', 'customer', 'disqualified']) AS label;
SELECT from_stage AS "from \ to", string_agg(CASE WHEN align.can_move(f, from_stage, to_stage) THEN 'x' ELSE '.' END, ' ' ORDER BY t) AS matrix,
	align.next_stages(f, from_stage)
FROM funnel_b2b,
	unnest(ARRAY['inquiry', 'mql', 'S-ACC', 'sql', 'opportunity', 'nurture', 'customer', 'disqualified']) WITH ORDINALITY AS a(from_stage, n),
	unnest(ARRAY['inquiry', 'mql', 'sal', 'sql', 'opportunity', 'nurture', 'customer', 'disqualified']) WITH ORDINALITY AS b(to_stage, t)
GROUP BY n, from_stage, f ORDER BY n;
SELECT a, b, align.route(f, a, b) FROM funnel_b2b, (VALUES
	('mql', 'customer'), ('inquiry', 'customer'), ('inquiry', 'opportunity'), ('sql', 'S-ACC'), ('mql', 'mql'), ('customer', 'mql'),
	('nurture', 'disqualified'), ('mql', 'inquiry')) AS t(a, b);
-- of equally short routes the one declared first
SELECT align.route('stage a, c, b, d; won w; success path a -> b -> d -> w; path a -> c -> d;', 'a', 'd'),
	align.route('stage a, b, c, d; won w; success path a -> b -> d -> w; path a -> c -> d;', 'a', 'd');
SELECT align.hours(f), align.hours(f, 'sales'), align.hours(f, 'marketing') FROM funnel_b2b;
SELECT align.hours('stage a held by x; won w; success path a -> w;') IS NULL AS common, align.hours('stage a held by x; won w; success path a -> w;', 'x') IS NULL AS team;
SELECT pg_temp.failure(format('SELECT align.%s FROM funnel_b2b', call)) FROM unnest(ARRAY['stage_name(f, ''slq'')', 'stage_kind(f, ''opportunty'')', 'stage_position(f, '''')',
	'stage_team(f, ''sales accepted'')', 'can_move(f, ''mql'', ''nowhere'')', 'can_move(f, ''Mql'', ''nowhere'')', 'next_stages(f, ''x'')', 'route(f, ''mql'', ''x'')',
	'hours(f, ''sale'')', 'hours(f, ''finance'')', 'stage_name(f, repeat(''x'', 10000))::char(1)']) AS call
WHERE call NOT LIKE '%10000%';
SELECT left(pg_temp.failure('SELECT align.stage_name(f, repeat(''x'', 10000)) FROM funnel_b2b'), 40);
-- a call site that sees several agreements
SELECT a, align.can_move(f, 'a', 'w') FROM (VALUES (1, 'stage a; won w; success path a -> w;'::align.funnel),
	(2, 'stage a, b; won w; success path a -> b -> w;'), (3, 'stage a; won w; success path a -> w;')) AS t(a, f);

-- NULL arguments
SELECT align.stages(NULL), align.moves(NULL), align.handoffs(NULL), align.service_levels(NULL), align.targets(NULL), align.channels(NULL), align.diff(NULL, f), align.diff(f, NULL) FROM funnel_b2b;
SELECT bool_and(n IS NULL) FROM funnel_b2b, unnest(ARRAY[align.stage_name(NULL, 'mql'), align.stage_name(f, NULL), align.stage_kind(f, NULL),
	align.stage_position(f, NULL)::text, align.stage_team(f, NULL), align.can_move(NULL, 'mql', 'sal')::text, align.can_move(f, NULL, 'sal')::text,
	align.can_move(f, 'sal', NULL)::text, align.next_stages(f, NULL)::text, align.route(f, NULL, 'sal')::text, align.route(f, 'sal', NULL)::text,
	align.hours(NULL)::text, align.hours(f, NULL)::text, align.mermaid(NULL), NULL::align.funnel::text, NULL::align.funnel::jsonb::text,
	NULL::jsonb::align.funnel::text]) AS n;

-- What a new version changes
CREATE FUNCTION pg_temp.change(before text, after text) RETURNS TABLE (change text, what text, was text, "is" text) LANGUAGE sql AS $$
	SELECT d.* FROM funnel_b2b, align.diff(f, replace(f::text, before, after)::align.funnel) AS d
$$;
SELECT * FROM pg_temp.change('', '');
SELECT * FROM pg_temp.change('09:00-17:30', '09:00-18:00');
SELECT * FROM pg_temp.change('hours of sales ''America/New_York Mo-Fr 08:00-18:00'';', 'hours of marketing ''24/7'';');
SELECT * FROM pg_temp.change('stage nurture held by marketing', 'stage nurture held by sales');
SELECT * FROM pg_temp.change('stage nurture held by marketing', 'stage nurture');
SELECT * FROM pg_temp.change('stage nurture held by marketing', 'stage nurture, "cold storage" held by marketing; path mql -> "cold storage"; "cold storage" needs since; "cold storage" known as ''Cold''');
SELECT * FROM pg_temp.change('lost disqualified', 'lost disqualified, spam; path inquiry -> spam');
SELECT * FROM pg_temp.change('entry inquiry, mql;', '');
SELECT * FROM pg_temp.change('success path inquiry -> mql -> sal -> sql', 'path mql -> sal -> sql; success path inquiry -> mql -> sql');
SELECT * FROM pg_temp.change('within 4 working hours, warn after 3 working hours', 'by end of next working day');
SELECT * FROM pg_temp.change('reject nurture, disqualified with reason (no_budget, ', 'reject disqualified, nurture with reason (');
SELECT * FROM pg_temp.change('target sales: 90% of speed_to_lead;', '');
SELECT * FROM pg_temp.change('400 mql', '450 mql');
SELECT * FROM pg_temp.change('mql needs email, company;', 'mql needs company, email;');
SELECT * FROM pg_temp.change('(price, competitor, no_decision)', '(price, competitor)');
SELECT * FROM pg_temp.change(', ''S-ACC''', '');
SELECT * FROM pg_temp.change('sla qualify by sales: from sal', 'sla triage by marketing: from sal');
SELECT * FROM pg_temp.change('pause nurture', 'warn after 30 working hours');
SELECT * FROM pg_temp.change('stage inquiry, mql', 'stage mql, inquiry');
SELECT * FROM pg_temp.change('target marketing: 400 mql per month;', '') UNION ALL SELECT '--', '--', NULL, NULL
UNION ALL SELECT * FROM pg_temp.change('target sales: 90% of speed_to_lead;', 'target sales: 80% of qualify; target sales: 90% of speed_to_lead;');
-- the order of promises and targets is part of the value
SELECT d.* FROM align.diff(
	'stage a; won w; success path a -> w; sla s by t: from a to w within 1 day; sla r by t: from a to w within 2 days; target t: 1 a per day; target t: 1 w per day;',
	'stage a; won w; success path a -> w; sla r by t: from a to w within 2 days; sla s by t: from a to w within 1 day; target t: 1 w per day; target t: 1 a per day;') AS d;
-- all of it
SELECT change, count(*) FROM funnel_b2b, align.diff(f, 'stage a; won w; success path a -> w;') GROUP BY change ORDER BY change;

-- Mermaid
\pset format unaligned
\pset tuples_only on
SELECT align.mermaid(f) FROM funnel_b2b;
SELECT align.mermaid('stage s2, "a ""b"" <c>; #d: --> {e}", "state", endless, "Größe", "two
lines", "direction TB" held by "x:y"; won "won"; lost l;
	success path s2 -> "a ""b"" <c>; #d: --> {e}" -> "state" -> endless -> "Größe" -> "two
lines" -> "direction TB" -> "won"; path any -> l; handoff "h;": "direction TB" from "x:y" to z, accept "won", reject l, by end of next working day; hours ''24/7'';');

-- JSON
SELECT jsonb_pretty(f::jsonb) FROM funnel_b2b;
SELECT f::jsonb::align.funnel = f, (f::jsonb::align.funnel)::jsonb = f::jsonb FROM funnel_b2b;
SELECT '{"stages": [{"stage": "a"}, {"stage": "w", "kind": "won", "team": null}], "success_path": ["a", "w"], "hours": null}'::jsonb::align.funnel;
SELECT j, pg_temp.failure(format('SELECT %L::jsonb::align.funnel', replace(replace(j, 'STAGES', '"stages": [{"stage": "a"}, {"stage": "w", "kind": "won"}]'), 'PATH', '"success_path": ["a", "w"]')))
FROM unnest(ARRAY[
	'null', '1', '"stage a;"', '[]', '{}', '{STAGES}', '{PATH}', '{STAGES, PATH, "slos": []}', '{STAGES, PATH, "hours": 9}', '{STAGES, PATH, "hours": "Mo-Fr"}',
	'{STAGES, PATH, "team_hours": []}', '{STAGES, PATH, "team_hours": {"x": 1}}',
	'{"stages": {}, PATH}', '{"stages": ["a"], PATH}', '{"stages": [{"name": "a"}], PATH}', '{"stages": [{"kind": "open"}], PATH}', '{"stages": [{"stage": 1}], PATH}', '{"stages": [{"stage": ""}], PATH}',
	'{"stages": [{"stage": "a"}, {"stage": "a"}], PATH}', '{"stages": [{"stage": "a", "kind": "closed"}], PATH}', '{"stages": [{"stage": "a", "kind": 1}], PATH}', '{"stages": [{"stage": "a", "team": []}], PATH}',
	'{"stages": [{"stage": "a", "known_as": "x"}], PATH}', '{"stages": [{"stage": "a", "known_as": [1]}], PATH}', '{"stages": [{"stage": "a", "known_as": ["w"]}, {"stage": "w", "kind": "won"}], PATH}',
	'{"stages": [{"stage": "a", "needs": ["email"]}], PATH}', '{"stages": [{"stage": "a", "needs": [{}]}], PATH}', '{"stages": [{"stage": "a", "needs": [{"column": "x", "condition": "y"}]}], PATH}',
	'{"stages": [{"stage": "a", "needs": [{"field": "x"}]}], PATH}', '{"stages": [{"stage": "a", "needs": [{"reason": "x"}]}], PATH}', '{"stages": [{"stage": "a", "needs": [{"column": "x"}, {"column": "x"}]}, {"stage": "w", "kind": "won"}], PATH}',
	'{STAGES, "success_path": "a"}', '{STAGES, "success_path": []}', '{STAGES, "success_path": ["a"]}', '{STAGES, "success_path": ["a", null]}', '{STAGES, "success_path": ["a", "x"]}', '{STAGES, PATH, "entry": []}', '{STAGES, PATH, "entry": ["x"]}',
	'{STAGES, PATH, "paths": [{"to": ["a"]}]}', '{STAGES, PATH, "paths": [{"from": "a", "to": ["a"]}]}', '{STAGES, PATH, "paths": [{"from": "any", "to": ["x"]}]}', '{STAGES, PATH, "paths": [{"from": ["w"], "to": ["a", "w"]}]}', '{STAGES, PATH, "paths": [{"from": ["w"]}]}',
	'{STAGES, PATH, "move_needs": [{"from": "a", "to": "w"}]}', '{STAGES, PATH, "move_needs": [{"from": "w", "to": "a", "needs": [{"reason": []}]}]}',
	'{STAGES, PATH, "slas": [{"sla": "s", "team": "t", "starts": ["a"], "stops": ["w"]}]}', '{STAGES, PATH, "slas": [{"sla": "s", "team": "t", "starts": ["a"], "stops": ["w"], "due": 5}]}', '{STAGES, PATH, "slas": [{"sla": "s", "team": "t", "starts": ["a"], "stops": ["w"], "due": "5"}]}',
	'{STAGES, PATH, "slas": [{"sla": "s", "team": "t", "starts": ["a"], "stops": ["w"], "due": "5 days; lost l"}]}', '{STAGES, PATH, "slas": [{"sla": "s", "team": "t", "starts": ["a"], "stops": ["w"], "due": "5 days", "warn": "6 days"}]}',
	'{STAGES, PATH, "slas": [{"sla": "s", "team": "t", "starts": ["a"], "stops": ["w"], "due": "end of day"}]}', '{STAGES, PATH, "slas": [{"sla": "s", "team": "t", "starts": ["a"], "stops": ["w"], "due": "end of next working day"}]}',
	'{STAGES, PATH, "handoffs": [{"handoff": "h", "stage": "a", "from_team": "x", "to_team": "y"}]}', '{STAGES, PATH, "handoffs": [{"handoff": "h", "stage": "a", "from_team": "x", "to_team": "y", "accept": ["w"], "reasons": ["r"]}]}',
	'{STAGES, PATH, "handoffs": [{"handoff": "h", "stage": "a", "from_team": "x", "to_team": "x", "accept": ["w"]}]}', '{STAGES, PATH, "handoffs": [{"handoff": "h", "stage": "a", "to_team": "x", "accept": ["w"]}]}',
	'{STAGES, PATH, "targets": [{"team": "t", "goal": "5", "stage": "a", "per": "day"}]}', '{STAGES, PATH, "targets": [{"team": "t", "goal": -5, "stage": "a", "per": "day"}]}', '{STAGES, PATH, "targets": [{"team": "t", "goal": 5, "stage": "a", "per": "hour"}]}',
	'{STAGES, PATH, "targets": [{"team": "t", "goal": 5, "stage": "a", "per": "day", "within": "1 day"}]}', '{STAGES, PATH, "targets": [{"team": "t", "goal": 5, "of": "s"}]}', '{STAGES, PATH, "targets": [{"team": "t", "goal": 105, "from": "a", "to": "w"}]}',
	'{STAGES, PATH, "targets": [{"team": "t", "goal": 5, "from": "a", "to": "w", "within": "1 month"}]}', '{STAGES, PATH, "targets": [{"team": "t", "goal": 5}]}', '{STAGES, PATH, "targets": [{"goal": 5, "of": "s"}]}'
	]) AS j;

-- Operators
SELECT a = b, a <> b, a < b, a <= b, a > b, a >= b, align.funnel_cmp(a, b)
FROM (VALUES ('stage a; won w; success path a -> w;'::align.funnel, 'stage a; won w; success path a->w;'::align.funnel),
	('stage a; won w; success path a -> w;', 'stage b; won w; success path b -> w;')) AS t(a, b);
CREATE TEMP TABLE many AS SELECT ('stage "s' || i || '"; won w; success path "s' || i || '" -> w;')::align.funnel AS f FROM generate_series(1, 200) AS i, generate_series(1, 3) AS j;
CREATE INDEX ON many (f);
SET enable_seqscan = off;
SELECT count(*) FROM many WHERE f = 'stage s7; won w; success path s7 -> w;';
SELECT count(*) FROM many WHERE f < 'stage s7; won w; success path s7 -> w;';
RESET enable_seqscan;
SELECT count(*) FROM many WHERE f < 'stage s7; won w; success path s7 -> w;';
SELECT count(DISTINCT f) FROM many;
SET enable_hashjoin = off; SET enable_nestloop = off;
SELECT count(*) FROM many AS a JOIN many AS b ON a.f = b.f;
RESET enable_hashjoin; SET enable_mergejoin = off;
SELECT count(*) FROM many AS a JOIN many AS b ON a.f = b.f;
RESET enable_nestloop; RESET enable_mergejoin;
SELECT count(*) FROM (SELECT f FROM many GROUP BY f HAVING count(*) = 3) AS g;

-- Binary form
SELECT encode(align.funnel_send('stage a; won w; success path a -> w;'), 'escape');
CREATE TEMP TABLE copied (f align.funnel);
COPY funnel_b2b TO '/tmp/align_funnel_functions.bin' (FORMAT binary);
COPY copied FROM '/tmp/align_funnel_functions.bin' (FORMAT binary);
SELECT count(*) FROM copied JOIN funnel_b2b USING (f);
-- Malformed: a COPY header and one field around the given bytes.
CREATE FUNCTION pg_temp.receive(field bytea) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	file text := '/tmp/align_funnel_functions.bin';
	data bytea := '\x5047434f50590aff0d0a00'::bytea || int4send(0) || int4send(0) || int2send(1::int2) || int4send(length(field)) || field || int2send((-1)::int2);
	object oid;
BEGIN
	object := lo_from_bytea(0, data);
	PERFORM lo_export(object, file);
	PERFORM lo_unlink(object);
	RETURN split_part(pg_temp.failure(format('COPY copied FROM %L (FORMAT binary)', file)), E'\n', 1);
END $$;
SELECT pg_temp.receive('\x01' || convert_to('stage a; won w; success path a -> w;', 'UTF8'));
SELECT pg_temp.receive('\x01' || convert_to('stage ä; won w; success path a -> w;', 'UTF8'));
SELECT pg_temp.receive('\x01' || convert_to('won w;', 'UTF8'));
SELECT pg_temp.receive('\x01');
SELECT pg_temp.receive('');
SELECT pg_temp.receive('\x00' || convert_to('stage a; won w; success path a -> w;', 'UTF8'));
SELECT pg_temp.receive('\x02' || convert_to('stage a; won w; success path a -> w;', 'UTF8'));
SELECT pg_temp.receive('\x01' || convert_to('stage "', 'UTF8') || '\xc3' || convert_to('"; won w; success path a -> w;', 'UTF8'));
SELECT pg_temp.receive('\x01' || convert_to('stage a; won w; success path a -> w;', 'UTF8') || '\x00');
DROP TABLE funnel_b2b;
