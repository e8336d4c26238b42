-- credit(): arguments that make no sense, NULLs, and large journeys.
SET search_path = public, align;
SET TimeZone = 'UTC';
\pset null '-'
CREATE TEMP TABLE one AS SELECT '{2026-03-01T00:00:00Z ~ a, 2026-03-02T00:00:00Z mql, 2026-03-03T00:00:00Z customer worth 10}'::align.lead AS lead;
CREATE TEMP TABLE two AS SELECT lead, $$stage inquiry, mql; won customer; success path inquiry -> mql -> customer; mql known as 'M Q L';$$::align.funnel AS funnel FROM one;

-- models
SELECT credit(lead, 'liner') FROM one;
SELECT credit(lead, 'LAST') FROM one;
SELECT credit(lead, '') FROM one;
SELECT credit(lead, 'markov') FROM one;
SELECT funnel_credit(lead, funnel, 'timedecay') FROM two;
SELECT credit(lead, NULL) FROM one;
-- also where there is no lead to credit
SELECT credit(NULL, 'liner');
-- lookback
SELECT credit(lead, 'last', '-1 day') FROM one;
SELECT credit(lead, 'last', '1 month -31 days') FROM one;
SELECT credit(lead, 'last', '29 days -1 month') FROM one;
-- half_life
SELECT credit(lead, 'time_decay', half_life => '0') FROM one;
SELECT credit(lead, 'time_decay', half_life => '-1 day') FROM one;
SELECT credit(lead, 'time_decay', half_life => '1 month') FROM one;
SELECT credit(lead, 'time_decay', half_life => '1000000000 days') FROM one;
SELECT credit(lead, 'linear', half_life => '0') FROM one;
-- milestones
SELECT credit(lead, 'w_shaped') FROM one;
SELECT credit(lead, 'w_shaped', milestones => '{mql}') FROM one;
SELECT credit(lead, 'full_path', milestones => '{mql, mql, mql, mql}') FROM one;
SELECT credit(lead, 'u_shaped', milestones => '{mql, mql, mql}') FROM one;
SELECT credit(lead, 'linear', milestones => '{mql, mql}') FROM one;
SELECT credit(lead, 'w_shaped', milestones => '{mql, NULL}') FROM one;
SELECT credit(lead, 'w_shaped', milestones => '{mql, mql, NULL}') FROM one;
SELECT credit(lead, 'u_shaped', milestones => '{{mql, mql}, {mql, mql}}') FROM one;
SELECT funnel_credit(lead, funnel, 'linear', milestones => '{mql}') FROM two;
SELECT funnel_credit(lead, funnel, 'u_shaped', milestones => '{mql, customer}') FROM two;
SELECT funnel_credit(lead, funnel, 'w_shaped', milestones => '{mql}') FROM two;
SELECT funnel_credit(lead, funnel, 'u_shaped', milestones => '{mqls}') FROM two;
SELECT funnel_credit(lead, funnel, 'u_shaped', milestones => '{""}') FROM two;
SELECT funnel_credit(lead, NULL, 'u_shaped') FROM two;

-- NULLs
SELECT count(*) FROM credit(NULL, 'last');
SELECT count(*) FROM two, funnel_credit(NULL, funnel, 'last');
SELECT c.touch, c.share, c.amount FROM one, credit(lead, 'time_decay', NULL, NULL, NULL) AS c;
SELECT c.touch, c.share, c.amount FROM two, funnel_credit(lead, funnel, 'u_shaped', NULL, NULL, '{NULL}') AS c;
-- no touch, no stage, one entry
SELECT c.* FROM credit('{2026-03-01T00:00:00Z mql}', 'position') AS c;
SELECT c.* FROM credit('{2026-03-01T00:00:00Z ~ a}', 'position') AS c;
-- literals are understood, with and without an agreement
SELECT count(*) FROM credit('{2026-03-01T00:00:00Z ~ a, 2026-03-01T00:00:00Z mql}', 'linear', '30 days');
SELECT count(*) FROM credit('{2026-03-01T00:00:00Z ~ a, 2026-03-01T00:00:00Z mql}', 'linear', '30 days', '7 days');
SELECT count(*) FROM credit('{2026-03-01T00:00:00Z ~ a, 2026-03-01T00:00:00Z mql}', 'u_shaped', '30 days', '7 days', '{mql}');
SELECT count(*) FROM funnel_credit('{2026-03-01T00:00:00Z ~ a, 2026-03-01T00:00:00Z customer}', 'stage mql; won customer; success path mql -> customer;', 'linear', '30 days');
-- arguments that change from row to row
SELECT model, lookback, half_life, string_agg(format('%s %s', touch, round(share::numeric, 4)), ', ' ORDER BY touch)
FROM (VALUES ('last', NULL::interval, interval '7 days', NULL::text[]), ('last', '0', '7 days', NULL), ('time_decay', NULL, '7 days', NULL), ('time_decay', NULL, '1 day', NULL), ('u_shaped', NULL, '1 day', '{mql}'), ('u_shaped', NULL, '1 day', '{mql,mql}'), ('last', NULL, NULL, NULL)) AS v (model, lookback, half_life, milestones),
	credit('{2026-03-01T00:00:00Z ~ a, 2026-03-02T00:00:00Z ~ b, 2026-03-02T00:00:00Z mql, 2026-03-03T00:00:00Z ~ c, 2026-03-04T00:00:00Z customer worth 10}', model, lookback, half_life, milestones)
GROUP BY 1, 2, 3, milestones ORDER BY 1, 2, 3, milestones;

-- 100,000 touches, with a thousand campaigns: shares and amounts add up.
CREATE TEMP TABLE large AS SELECT lead_agg(at, stage, NULL, NULL, campaign, amount) AS lead FROM (
	SELECT timestamptz '2020-01-01' + i * interval '25 minutes 1 second' AS at, NULL::text AS stage, 'campaign ' || i * 7919 % 1000 AS campaign, NULL::numeric AS amount FROM generate_series(1, 100000) AS i
	UNION ALL VALUES (timestamptz '2022-01-01', 'mql', NULL, NULL), ('2023-01-01', 'opportunity', NULL, NULL), ('2026-01-01', 'customer', NULL, 1234567.89)) e;
SELECT model, count(*), bool_and(share > 0 AND share <= 1) AS between_0_and_1, abs(sum(share) - 1) < 1e-9 AS shares, sum(c.amount) AS amounts, min(c.amount) >= 0 AS no_debts
FROM large, (VALUES ('first', NULL::text[]), ('last_non_direct', NULL), ('linear', NULL), ('position', NULL), ('time_decay', NULL), ('u_shaped', '{mql}'), ('w_shaped', '{mql, opportunity}'), ('full_path', '{mql, opportunity}')) AS v (model, milestones),
	credit(lead, model, milestones => milestones) AS c GROUP BY model ORDER BY model;
-- An amount of a hundred digits.
SELECT model, count(*), sum(c.amount) = a.amount AS adds_up, min(scale(c.amount)) AS scale, max(c.amount) - min(c.amount) <= 0.01 AS equal
FROM unnest('{linear}'::text[]) AS model, (SELECT repeat('1234567890', 10)::numeric / 100 AS amount) a,
	LATERAL (SELECT lead_agg(at, stage, NULL, NULL, campaign, worth) AS lead FROM (
		SELECT timestamptz '2026-01-01' + i * interval '1 minute' AS at, NULL::text AS stage, 'c' AS campaign, NULL::numeric AS worth FROM generate_series(1, 1000) AS i
		UNION ALL VALUES (timestamptz '2027-01-01', 'customer', NULL, a.amount)) e) l, credit(lead, model) AS c GROUP BY model, a.amount;
