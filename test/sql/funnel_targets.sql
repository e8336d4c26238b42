-- Targets: joint ones, amounts, periods; mixes of segments; the fiscal year.
SET search_path = public, align;
SET client_encoding = 'UTF8';
SET intervalstyle = 'postgres';
SET datestyle = 'ISO';
\pset format unaligned
\pset tuples_only on

CREATE TABLE agreed (name text, f align.funnel);
INSERT INTO agreed VALUES ('new', $$
	stage inquiry, mql held by marketing;
	stage sal, opportunity held by sales;
	stage nurture held by "Customer, Success";
	won customer, partner;
	lost dq;
	success path inquiry -> mql -> sal -> opportunity -> customer;
	path any -> dq, nurture; path sal -> partner;
	segment demo: 'kind = 1'; segment other: 'kind = 2'; segment "big one": 'size > 100';
	sla h by sales: from mql to sal within 2 days;
	target marketing, sales: 40 customer per quarter;
	Target sales, marketing, "Customer, Success": 250000.50 AMOUNT OF customer PER quarter;
	target sales: 1000000 amount of opportunity per year;
	target sales: 90% of h per week;
	target sales: 95% of h;
	target marketing: 25% from mql to customer within 90 days per quarter;
	target marketing: 20% from mql to customer within 30 days;
	MIX OF customer: 30% demo, 40.00% Other, 12.5% "other", 017.5% "big one";
	mix of inquiry: 0% other;
	mix of sal: 33.333333333333333333333333333% demo;
	Fiscal Year Begins February;
$$), ('old', $$
	stage inquiry, mql held by marketing; stage sal, opportunity held by sales; stage nurture held by "Customer, Success"; won customer, partner; lost dq;
	success path inquiry -> mql -> sal -> opportunity -> customer; path any -> dq, nurture; path sal -> partner;
	segment demo: 'kind = 1'; segment other: 'kind = 2'; segment "big one": 'size > 100';
	sla h by sales: from mql to sal within 2 days;
	mix of inquiry: 100% demo; mix of customer: 70% other, 30% demo;
	target sales: 90% of h per week; target marketing, sales: 30 customer per quarter;
$$);
SELECT f FROM agreed;

-- The canonical text and jsonb are the value again.
SELECT name, f::text::funnel = f AS by_text, f::jsonb::funnel = f AS by_jsonb, f::text = f::text::funnel::text AS canonical FROM agreed;
SELECT jsonb_pretty((f::jsonb -> 'targets') || (f::jsonb -> 'mixes') || (f::jsonb -> 'fiscal_year_begins')) FROM agreed WHERE name = 'new';
SELECT t.* FROM agreed, targets(f) t WHERE name = 'new';
SELECT t.* FROM agreed, agreed_targets(f) t WHERE name = 'new';
SELECT t.* FROM agreed, target_teams(f) t WHERE name = 'new';
SELECT m.* FROM agreed, target_mix(f) m WHERE name = 'new';
SELECT d.* FROM agreed a, agreed b, diff(a.f, b.f) d WHERE a.name = 'old' AND b.name = 'new';
SELECT name, fiscal_year_begins(f) FROM agreed;
SELECT count(*) FROM target_mix(NULL), target_teams(NULL);

-- Every month, by both names; January is the default.
SELECT m, b, fiscal_year_begins(f), fiscal_year_begins(g), f = g AS same, f::jsonb -> 'fiscal_year_begins' AS json, f::jsonb::funnel = f AS lossless
FROM generate_series(1, 12) m, LATERAL (SELECT to_char(make_date(2026, m, 1), 'FMMonth') AS b) n,
	LATERAL (SELECT ('stage a; won w; success path a -> w; fiscal year begins ' || b || ';')::funnel AS f, ('stage a; won w; success path a -> w; fiscal year begins ' || upper(left(b, 3)) || ';')::funnel AS g) d;
SELECT 'stage a; won w; success path a -> w; fiscal year begins Jan;'::funnel = 'stage a; won w; success path a -> w;';

-- What releases before 0.5 parse is the same value: the new words are names, too.
SELECT $$stage mix, fiscal, amount, other, year, begins held by amount; won of; lost January;
	success path mix -> fiscal -> amount -> other -> year -> begins -> of; path any -> January; path mix -> of -> fiscal;
	mix needs of, 'x > 1'; fiscal needs year; mix -> fiscal needs reason (other); mix known as 'Mix'; fiscal known as 'year begins'; segment other: 'true'; segment mix: '1';
	sla amount by amount: from mix to of within 2 days when other, within 3 days; sla per by amount: from fiscal to of within 2 days; channel mix when name 'of';
	target amount: 400 amount per month; target amount: 1 mix per day; target amount: 90% of amount; target amount: 80% of per; target amount: 25% from amount to of within 90 days;$$::funnel;

-- Periods of the fiscal year against date_trunc: a year that begins in month m is the calendar year m - 1 months later.
SELECT count(*) AS dates, count(*) FILTER (WHERE
		period_start(f, 'day', d) <> d OR period_end(f, 'day', d) <> d + 1
		OR period_start(f, 'week', d) <> date_trunc('week', d::timestamp)::date OR period_end(f, 'week', d) <> (date_trunc('week', d::timestamp) + interval '1 week')::date
		OR period_start(f, 'month', d) <> date_trunc('month', d::timestamp)::date OR period_end(f, 'month', d) <> (date_trunc('month', d::timestamp) + interval '1 month')::date
		OR period_start(f, 'quarter', d) <> (date_trunc('quarter', first - shift) + shift)::date OR period_end(f, 'quarter', d) <> (date_trunc('quarter', first - shift) + interval '3 months' + shift)::date
		OR period_start(f, 'year', d) <> (date_trunc('year', first - shift) + shift)::date OR period_end(f, 'year', d) <> (date_trunc('year', first - shift) + interval '1 year' + shift)::date) AS wrong
FROM generate_series(1, 12) m, generate_series(date '2023-12-25', '2025-01-09', '1 day') t,
	LATERAL (SELECT ('stage a; won w; success path a -> w; fiscal year begins ' || to_char(make_date(2026, m, 1), 'FMMonth') || ';')::funnel AS f, t::date AS d, date_trunc('month', t::timestamp) AS first, (m - 1) * interval '1 month' AS shift) x;
-- The same around the year 1 and BC, and that each date is within its period.
SELECT count(*) AS dates, bool_and(d >= period_start(f, per, d) AND d < period_end(f, per, d)) AS within, bool_and(period_start(f, per, period_end(f, per, d)) = period_end(f, per, d) AND period_end(f, per, period_start(f, per, d)) = period_end(f, per, d)) AS adjacent
FROM (SELECT 'stage a; won w; success path a -> w; fiscal year begins Nov;'::funnel AS f) a, unnest('{day,week,month,quarter,year}'::text[]) per,
	LATERAL (SELECT date '0003-01-01 BC' + i AS d FROM generate_series(0, 2000, 7) i UNION ALL SELECT date '4712-01-01 BC' + i FROM generate_series(0, 1000, 13) i UNION ALL SELECT date '5874890-01-01' + i FROM generate_series(0, 2000, 11) i) t;
SELECT period_start(f, 'quarter', 'infinity'), period_end(f, 'year', '-infinity'), period_start(f, NULL, '2026-01-01'), period_start(f, 'quarter', '2026-01-31'), period_end(f, 'year', '2026-01-31') FROM agreed WHERE name = 'new';
SELECT period_end(f, 'day', '5874897-12-31') FROM agreed WHERE name = 'new';
SELECT period_start(f, 'year', '4714-11-24 BC') FROM agreed WHERE name = 'old';
SELECT period_start(f, 'Week', '2026-01-31') FROM agreed WHERE name = 'new';

-- What is refused.
CREATE FUNCTION pg_temp.failure(statement text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	m text; d text; h text;
BEGIN
	EXECUTE statement;
	RETURN 'no error';
EXCEPTION WHEN OTHERS THEN
	GET STACKED DIAGNOSTICS m = MESSAGE_TEXT, d = PG_EXCEPTION_DETAIL, h = PG_EXCEPTION_HINT;
	RETURN concat_ws(E'\n  ', SQLSTATE || ' ' || m, nullif(d, ''), nullif(h, ''));
END $$;
CREATE FUNCTION pg_temp.more(statements text) RETURNS text LANGUAGE sql AS $$
	SELECT statements || E'\n' || pg_temp.failure(format('SELECT %L::align.funnel', E'stage a held by x; stage b held by y; won w; success path a -> b -> w; segment s: ''1''; segment t: ''2''; sla h by x: from a to b within 1 day;\n' || statements))
$$;
SELECT pg_temp.more(statement) FROM unnest(ARRAY[
	'target x, : 1 w per day;', 'target x y: 1 w per day;', 'target x, y 1 w per day;', 'target x, x: 1 w per day;', 'target x, z: 1 w per day;',
	'target x, y: 1 w per day; target y, x: 2 w per day;', 'target x, y: 1 w per day; target y: 2 w per day; target y: 3 w per week; target x: 1 amount of w per day;',
	'target x: 1 amount of w;', 'target x: 1 amount of w per fortnight;', 'target x: 1 amount of v per day;', 'target x: 1 amount w per day;', 'target x: 0 amount of w per day;',
	'target x: 101 amount of w per day;', 'target x: 1% amount of w per day;', 'target x: 1 "amount" of w per day;', 'target x: 1 amount of w per day; target x: 2 amount of w per day;',
	'target x: 9% of h per;', 'target x: 9% of h per month week;', 'target x: 9% of h; target x: 8% of h per month;', 'target x: 9% of h per week; target x: 8% of h per week;', 'target x: 9% of h per week; target x: 8% of h per month;',
	'target x: 9% from a to w per week within 9 days;', 'target x: 9% from a to w within 9 days per week; target x: 9% from a to w within 8 days per week; target x: 8% from a to w within 9 days per week;',
	'target x: 101% of h per day;', 'target x: 1234567890123456789012345678901 amount of w per day;',
	'mix;', 'mix w: 1% s;', 'mix of w;', 'mix of w:;', 'mix of w: s 1%;', 'mix of w: 1 s;', 'mix of w: 1%;', 'mix of w: 1% s,;', 'mix of w: 1% s 2% t;', 'mix of w: -1% s;',
	'mix of v: 1% s;', 'mix of w: 1% u;', 'mix of w: 1% s, 1% s;', 'mix of w: 1% other, 1% OTHER;', 'mix of w: 1% "other";', 'mix of w: 1% s; mix of w: 1% t;',
	'mix of w: 60% s, 40.5% t, 20% other;', 'mix of w: 100.000000000000000000000001% s;', 'mix of w: 100% s, 0% t, 0% other;', 'mix of w: 0.1234567890123456789012345678901% s;', 'mix needs;', 'mix needs s t;',
	'fiscal;', 'fiscal year February;', 'fiscal year begins;', 'fiscal year begins 2;', 'fiscal year begins Fabruary;', 'fiscal year begins xyz;', 'fiscal year begins "February";', 'fiscal year begins Febr;', 'fiscal year begins Feb Mar;', 'fiscal year begins Jan; fiscal year begins Jan;',
	'mx of w: 1% s;', 'fiscl year begins Jan;']) statement;
-- More mixes than stages, more shares than segments.
SELECT pg_temp.failure(format('SELECT %L::align.funnel', 'stage a; won w; success path a -> w; ' || repeat('mix of w: 1% other;', 1000)));
SELECT pg_temp.failure(format('SELECT %L::align.funnel', 'stage a; won w; success path a -> w; mix of w: 1% other' || repeat(', 1% other', 1000) || ';'));
SELECT pg_temp.failure(format('SELECT %L::align.funnel', 'stage a; won w; success path a -> w; target x: 1 w per day; ' || repeat('target x, y: 1 w per day;', 200)));
-- Mistakes in jsonb name the member.
SELECT changes || E'\n' || pg_temp.failure(format('SELECT (%L::jsonb || %L)::align.funnel', (SELECT f::jsonb FROM agreed WHERE name = 'new'), changes)) FROM unnest(ARRAY[
	'{"targets": [{"team": "sales", "teams": ["marketing"], "goal": 1, "stage": "mql", "per": "day"}]}',
	'{"targets": [{"teams": [], "goal": 1, "stage": "mql", "per": "day"}]}', '{"targets": [{"teams": "sales", "goal": 1, "stage": "mql", "per": "day"}]}',
	'{"targets": [{"teams": ["sales", "sails"], "goal": 1, "stage": "mql", "per": "day"}]}', '{"targets": [{"goal": 1, "stage": "mql", "per": "day"}]}',
	'{"targets": [{"team": "sales", "goal": 1, "amount_of": "mql"}]}', '{"targets": [{"team": "sales", "goal": 1, "amount_of": "mlq", "per": "day"}]}', '{"targets": [{"team": "sales", "goal": 1, "amount_of": "mql", "stage": "mql", "per": "day"}]}',
	'{"targets": [{"team": "sales", "goal": 1, "of": "h", "per": "days"}]}', '{"targets": [{"team": "sales", "goal": 1, "from": "mql", "to": "sal", "within": "1 day per week"}]}',
	'{"targets": [{"team": "sales", "goal": "1", "of": "h"}]}', '{"targets": [{"team": "sales", "goal": -1, "of": "h"}]}', '{"targets": [{"team": "sales", "goal": 1}]}',
	'{"mixes": [{"stage": "customer"}]}', '{"mixes": [{"stage": "customer", "shares": []}]}', '{"mixes": [{"stage": "customer", "shares": [{"segment": "demo"}]}]}', '{"mixes": [{"stage": "customer", "shares": [{"share": 5}]}]}',
	'{"mixes": [{"stage": "customer", "shares": [{"segment": "dem", "share": 5}]}]}', '{"mixes": [{"stage": "customer", "shares": [{"segment": "demo", "share": 5}], "other": 96}]}', '{"mixes": [{"stage": "customer", "other": -1}]}',
	'{"mixes": [{"stage": "customer", "other": "5"}]}', '{"mixes": [{"stage": "customer", "rest": 5}]}', '{"mixes": [{"shares": [{"segment": "demo", "share": 5}]}]}', '{"mixes": {"customer": 5}}',
	'{"fiscal_year_begins": 2}', '{"fiscal_year_begins": "Feb"}', '{"fiscal_year_begins": "May; stage x"}', '{"fiscal_year": "May"}',
	'{"fiscal_year_begins": null, "mixes": [{"stage": "customer", "shares": null, "other": 5}], "targets": [{"team": null, "teams": ["sales"], "goal": 1.50, "of": "h", "per": null}]}']) changes;
DROP TABLE agreed;
