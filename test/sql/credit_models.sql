-- credit(): the models on small journeys.
SET search_path = public, align;
SET TimeZone = 'UTC';
SET DateStyle = 'ISO';
SET IntervalStyle = 'postgres';
\pset null '-'

-- What a test compares: touch, campaign and share in six digits.
CREATE FUNCTION pg_temp.shares(lead align.lead, model text, lookback interval DEFAULT NULL, half_life interval DEFAULT '7 days', milestones text[] DEFAULT NULL) RETURNS text
LANGUAGE sql AS $$
	SELECT coalesce(string_agg(format('%s %s', coalesce(touch::text, '-'), round(share::numeric, 6)), ', ' ORDER BY touch), 'no row')
	FROM align.credit(lead, model, lookback, half_life, milestones)
$$;

-- A direct visit takes nothing from the campaign before it (last_non_direct).
CREATE TEMP TABLE journey (nr text, lead align.lead);
INSERT INTO journey VALUES
	('search, direct', '{2026-03-01T00:00:00Z ~ "utm_source=google&utm_medium=organic", 2026-03-05T00:00:00Z ~ "utm_source=(direct)&utm_medium=(none)", 2026-03-05T00:00:00Z customer worth 100}'),
	('paid, search, direct', '{2026-03-01T00:00:00Z ~ "utm_source=news&utm_medium=cpc", 2026-03-03T00:00:00Z ~ "utm_source=google&utm_medium=organic", 2026-03-05T00:00:00Z ~ "utm_source=(direct)&utm_medium=(none)", 2026-03-05T00:00:00Z customer worth 100}'),
	('direct only', '{2026-03-04T00:00:00Z ~ "utm_source=(direct)&utm_medium=(none)", 2026-03-05T00:00:00Z ~ "utm_source=(direct)&utm_medium=(none)", 2026-03-05T00:00:00Z customer worth 100}'),
	('touch after the conversion', '{2026-06-08T00:00:00Z customer worth 100, 2026-08-06T00:00:00Z ~ "utm_source=news&utm_medium=cpc"}');
SELECT nr, model, c.* FROM journey, unnest('{first, last, last_non_direct}'::text[]) AS model, credit(lead, model) AS c ORDER BY nr, model, touch;

-- Closed at both ends: at the conversion, and exactly the lookback before it.
SELECT lookback, pg_temp.shares('{2026-03-01T00:00:00Z ~ a, 2026-03-08T00:00:00Z ~ b, 2026-03-08T00:00:00Z customer, 2026-03-08T00:00:00.000001Z ~ c}', 'linear', lookback)
FROM unnest('{NULL, 7 days, 6 days 23:59:59.999999, 168:00:00, 0, 100000 years, 178000000 years}'::interval[]) AS lookback;
-- By the calendar: a month before the 31st of March is the end of February.
SELECT lookback, at, pg_temp.shares(format('{%s ~ a, 2028-03-31T12:00:00Z customer}', at)::align.lead, 'linear', lookback)
FROM (VALUES (interval '1 month', '2028-02-29T12:00:00Z'), ('1 month', '2028-02-29T11:59:59Z'), ('1 month 1 day', '2028-02-28T12:00:00Z'), ('1 month 1 day', '2028-02-28T11:59:59Z'),
	('2 years', '2026-03-31T12:00:00Z'), ('2 years', '2026-03-31T11:59:59Z'), ('1 month -30 days', '2028-03-30T12:00:00Z')) AS v (lookback, at);
SET TimeZone = 'Europe/Berlin';
SELECT pg_temp.shares('{2026-02-28T23:30:00Z ~ a, 2026-03-31T23:30:00Z customer}', 'linear', '1 month');
SET TimeZone = 'UTC';

-- A conversion is final: what comes later changes nothing (K08, with an agreement).
CREATE TEMP TABLE agreed AS SELECT $$stage inquiry, mql, opportunity; won customer, renewal; lost gone; customer known as 'Closed Won';
	success path inquiry -> mql -> opportunity -> customer; path any -> gone; path opportunity -> renewal; path customer -> opportunity;$$::align.funnel AS funnel;
SELECT lead, c.touch, c.campaign, c.share, c.amount FROM agreed, (VALUES
	('{2026-03-01T00:00:00Z ~ ppc, 2026-03-02T00:00:00Z "Closed Won" worth 10}'::align.lead),
	('{2026-03-01T00:00:00Z ~ ppc, 2026-03-02T00:00:00Z "Closed Won" worth 10, 2026-03-03T00:00:00Z ~ social, 2026-03-04T00:00:00Z customer worth 20}'),
	('{2026-03-01T00:00:00Z ~ ppc, 2026-03-02T00:00:00Z "Closed Won" worth 10, 2026-03-03T00:00:00Z ~ social, 2026-03-03T00:00:00Z opportunity worth 15, 2026-03-04T00:00:00Z renewal worth 20}'),
	('{2026-03-01T00:00:00Z ~ ppc, 2026-03-02T00:00:00Z mql worth 10}'),
	('{2026-03-01T00:00:00Z ~ ppc}')) AS v (lead), funnel_credit(lead, funnel, 'linear') AS c;
-- The second deal, a journey of its own that ends later.
SELECT model, pg_temp.shares('{2026-03-01T00:00:00Z ~ ppc, 2026-03-02T00:00:00Z customer, 2026-03-03T00:00:00Z ~ social, 2026-03-04T00:00:00Z renewal}', model) FROM unnest('{first, last, linear}'::text[]) AS model;

-- position with 1 to 5 touches.
SELECT n, pg_temp.shares((SELECT lead_agg(at, stage, NULL, NULL, campaign, NULL) FROM (
		SELECT timestamptz '2026-03-01' + i * interval '1 day' AS at, NULL AS stage, 'c' || i AS campaign FROM generate_series(1, n) AS i
		UNION ALL SELECT timestamptz '2026-03-10', 'customer', NULL) e), 'position')
FROM generate_series(1, 5) AS n;

-- time_decay by age, not by rank; the half-life; touches so old that 2^(-age / half-life) is 0.
SELECT half_life, pg_temp.shares('{2026-03-01T00:00:00Z ~ a, 2026-03-08T00:00:00Z ~ b, 2026-03-15T00:00:00Z ~ c, 2026-03-15T00:00:00Z customer}', 'time_decay', NULL, half_life)
FROM unnest('{7 days, 168:00:00, 14 days, 1 second, 00:00:00.000001, 100000000 days, NULL}'::interval[]) AS half_life;
SELECT touch, share, amount FROM credit('{1000-01-01T00:00:00Z ~ a, 1000-01-01T00:00:00Z ~ b, 2026-03-15T00:00:00Z customer worth 10}', 'time_decay', half_life => '1 second');
SELECT touch, share, amount FROM credit('{-4713-11-24T00:00:00Z ~ a, 294276-12-31T23:59:59.999999Z ~ b, 294276-12-31T23:59:59.999999Z customer worth 10}', 'time_decay', half_life => '106751991 days');
SELECT touch, share, amount FROM credit('{2025-01-01T00:00:00Z ~ a, 2026-03-15T00:00:00Z ~ b, 2026-03-15T00:00:00Z customer worth 10}', 'time_decay');

-- Published: Email > Meta > LinkedIn > Google in a U shape (Salesforce) is 40 / 10 / 10 / 40,
-- which is "position" where the lead is created by its last touch.
\set four '''{2026-03-01T00:00:00Z ~ email, 2026-03-02T00:00:00Z ~ meta, 2026-03-03T00:00:00Z ~ linkedin, 2026-03-04T00:00:00Z ~ google, 2026-03-04T00:00:00Z mql, 2026-03-05T00:00:00Z opportunity, 2026-03-06T00:00:00Z customer worth 100}'''
SELECT model, c.campaign, c.share, c.amount FROM unnest('{position, u_shaped}'::text[]) AS model, credit(:four, model) AS c;
SELECT share = 1 / 3::float8 AS a_third, amount FROM credit('{2026-03-01T00:00:00Z ~ a, 2026-03-02T00:00:00Z ~ b, 2026-03-03T00:00:00Z ~ c, 2026-03-03T00:00:00Z customer worth 100}', 'linear');

-- HubSpot: W 30 / 30 / 30 / 10 and full path 22.5 x 4 + 10, with six touches.
CREATE TEMP TABLE six AS SELECT '{2026-03-01T00:00:00Z ~ t1, 2026-03-02T00:00:00Z ~ t2, 2026-03-02T12:00:00Z mql, 2026-03-03T00:00:00Z ~ t3, 2026-03-04T00:00:00Z ~ t4,
	2026-03-04T00:00:00Z opportunity worth 900, 2026-03-05T00:00:00Z ~ t5, 2026-03-06T00:00:00Z ~ t6, 2026-03-07T00:00:00Z customer worth 1000, 2026-03-08T00:00:00Z ~ t7}'::align.lead AS lead;
SELECT model, milestones, pg_temp.shares(lead, model, NULL, '7 days', milestones), pg_temp.shares(lead, model, '4 days', '7 days', milestones) AS four_days
FROM six, (VALUES ('u_shaped', NULL::text[]), ('u_shaped', '{}'), ('u_shaped', '{NULL}'), ('u_shaped', '{opportunity}'), ('u_shaped', '{nothing}'), ('u_shaped', '{mql, opportunity}'),
	('w_shaped', '{mql, opportunity}'), ('w_shaped', '{NULL, opportunity}'), ('w_shaped', '{mql, nothing}'), ('w_shaped', '{mql, mql}'), ('w_shaped', '{customer, opportunity}'), ('w_shaped', '{mql, opportunity, opportunity}'),
	('full_path', '{mql, opportunity}'), ('full_path', '{mql, opportunity, customer}'), ('full_path', '{nothing, nothing}'), ('full_path', '{opportunity, mql, mql}'), ('linear', '{opportunity}'), ('last', '{nothing}')) AS v (model, milestones);
-- Labels and stages of an agreement.
SELECT model, string_agg(touch || ' ' || round(share::numeric, 6) || ' ' || amount, ', ' ORDER BY touch)
FROM agreed, six, (VALUES ('u_shaped', '{mql}'::text[]), ('w_shaped', '{mql, opportunity}'), ('full_path', '{mql, opportunity}'), ('w_shaped', '{NULL, "Closed Won"}')) AS v (model, milestones),
	funnel_credit(lead, funnel, model, milestones => milestones)
GROUP BY model, milestones ORDER BY model, milestones;
-- One and two touches: the others' share goes to the milestones; coinciding ones add up.
SELECT model, pg_temp.shares('{2026-03-01T00:00:00Z ~ a, 2026-03-01T00:00:00Z mql, 2026-03-02T00:00:00Z opportunity, 2026-03-03T00:00:00Z customer}', model, NULL, '7 days', m) AS one,
	pg_temp.shares('{2026-03-01T00:00:00Z ~ a, 2026-03-01T00:00:00Z mql, 2026-03-02T00:00:00Z ~ b, 2026-03-02T00:00:00Z opportunity, 2026-03-03T00:00:00Z customer}', model, NULL, '7 days', m) AS two,
	pg_temp.shares('{2026-03-01T00:00:00Z mql, 2026-03-02T00:00:00Z ~ a, 2026-03-02T00:00:00Z opportunity, 2026-03-03T00:00:00Z ~ b, 2026-03-03T00:00:00Z customer}', model, NULL, '7 days', m) AS late
FROM (VALUES ('u_shaped', '{mql}'::text[]), ('w_shaped', '{mql, opportunity}'), ('full_path', '{mql, opportunity}')) AS v (model, m);

-- Amounts add up to the last cent; what is left over goes to the largest remainders, of equal ones to the earlier.
SELECT a, array_agg(c.amount ORDER BY touch) AS parts, sum(c.amount) = a AS adds_up
FROM unnest('{100, -100, 0, 0.01, 0.02, -0.05, 10.005, 1e-7, 123456789012345.67, 99999999999999999999, 1234567890123456789012345678901234567890.123}'::numeric[]) AS a,
	credit(format('{2026-03-01T00:00:00Z ~ a, 2026-03-02T00:00:00Z ~ b, 2026-03-03T00:00:00Z ~ c, 2026-03-04T00:00:00Z customer worth %s}', trim_scale(a))::align.lead, 'linear') AS c
GROUP BY 1 ORDER BY 1;
SELECT model, a, array_agg(c.amount ORDER BY touch) AS parts, sum(c.amount) = a AS adds_up
FROM unnest('{position, time_decay}'::text[]) AS model, unnest('{1, 0.03, -7.77, 99999999999999999999.99}'::numeric[]) AS a,
	credit(format('{2026-03-01T00:00:00Z ~ a, 2026-03-02T00:00:00Z ~ b, 2026-03-03T00:00:00Z ~ c, 2026-03-04T00:00:00Z ~ d, 2026-03-04T00:00:00Z customer worth %s}', trim_scale(a))::align.lead, model) AS c
GROUP BY 1, 2 ORDER BY 1, 2;
-- The amount is the last one at the conversion, and so is that of the row for no touch.
SELECT c.* FROM agreed, (VALUES ('{2026-03-01T00:00:00Z mql worth 5, 2026-03-02T00:00:00Z customer}'::align.lead), ('{2026-03-01T00:00:00Z mql, 2026-03-02T00:00:00Z customer, 2026-03-03T00:00:00Z customer worth 7}'),
	('{2026-03-01T00:00:00Z ~ a, 2026-03-02T00:00:00Z customer, 2026-03-02T00:00:00Z gone worth 7}')) AS v (lead), funnel_credit(lead, funnel, 'last', '1 day') AS c;

-- At the instant of the conversion: its own amount counts, and what is recorded as later does not.
SELECT nr, c.touch, c.share, c.amount FROM (VALUES (1, 'stage mql, opportunity; won customer; success path mql -> opportunity -> customer; path customer -> mql;'::align.funnel)) AS f (n, f), (VALUES
	(1, '{2026-01-01T00:00:00Z ~ a, 2026-01-01T06:00:00Z ~ b, 2026-01-02T00:00:00Z customer worth 100 #2, 2026-01-02T00:00:00Z mql worth 300 #3}'::align.lead),
	(2, '{2026-01-01T00:00:00Z ~ a, 2026-01-01T06:00:00Z ~ b, 2026-01-02T00:00:00Z customer worth 100, 2026-01-02T00:00:00Z mql worth 300}'),
	(3, '{2026-01-01T00:00:00Z ~ a, 2026-01-01T06:00:00Z ~ b, 2026-01-02T00:00:00Z mql worth 300 #1, 2026-01-02T00:00:00Z customer #2}'),
	(4, '{2026-01-01T00:00:00Z ~ a, 2026-01-02T00:00:00Z opportunity worth 1000, 2026-01-03T00:00:00Z ~ b worth 5, 2026-01-04T00:00:00Z customer}'),
	(5, '{2026-01-03T00:00:00Z ~ b worth 5, 2026-01-04T00:00:00Z customer, 2026-01-05T00:00:00Z ~ c worth 7}')) AS l (nr, lead),
	funnel_credit(lead, f, 'u_shaped', milestones => '{mql}') AS c ORDER BY nr, touch;
