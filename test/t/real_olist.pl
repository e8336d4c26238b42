# Olist's marketing funnel: 8,000 marketing qualified leads of a Brazilian
# company, 842 of which became sellers.
#
# What the data is like, and what is done about it:
#   - first_contact_date is a local date without a time; won_date is a timestamp
#     that only makes sense as UTC (61 of them are exactly midnight in Sao Paulo,
#     across a change of offset).  A contact counts from the start of its local
#     day, so a win on the same day comes after it.
#   - On 2017-10-15 there was no midnight in Sao Paulo: the clock went from 0:00
#     to 1:00.  The day starts at 1:00.
#   - One deal was won before the first contact.  Its journey is kept in the
#     order it has: won, then mql.  It is a win, but no conversion of an mql.
#   - 60 origins are blank and 1,099 say "unknown".  Blank is NULL here and a
#     group of its own.
#   - No win is recorded before 2017-12-05: leads of 2017 look worse than they
#     were (left truncation).  Months are compared from 2018-01 on.
#   - Nobody is recorded as lost: who has not won is still open, unless a window
#     says that it took too long.
use strict;
use warnings;

use RealData;
use Test::More;

my $folder = shared_folder('olist_funnel');
my $node = start_node('olist');

load_olist($folder);

is_value('SELECT count(*), count(DISTINCT mql_id) FROM mql', '8000|8000', '8,000 leads');
is_value('SELECT count(*), count(m.mql_id) FROM deal LEFT JOIN mql m USING (mql_id)', '842|842', '842 deals, all of known leads');

# The traps are there.
is_value(q{SELECT count(*) FILTER (WHERE origin IS NULL), count(*) FILTER (WHERE origin = 'unknown') FROM mql},
	'60|1099', 'blank and unknown origins');
is_value(q{SELECT count(*) FROM deal WHERE (won_date AT TIME ZONE 'UTC' AT TIME ZONE 'America/Sao_Paulo')::time = '00:00'},
	'61', 'wins at midnight local time, read as UTC');
is_value(q{SELECT min(won_date) >= '2017-12-05' AND min(first_contact_date) < '2017-07-01' FROM mql, deal},
	't', 'no win is recorded in the first months');
is_value(q{SELECT (timestamp '2017-10-15 00:00' AT TIME ZONE 'America/Sao_Paulo') AT TIME ZONE 'America/Sao_Paulo'},
	'2017-10-15 01:00:00', 'a day without a midnight');

$node->safe_psql('postgres', q{
	CREATE VIEW raw AS
	SELECT mql_id, origin, date_trunc('month', first_contact_date)::date AS month,
		first_contact_date::timestamp AT TIME ZONE 'America/Sao_Paulo' AS contact_at,
		won_date AT TIME ZONE 'UTC' AS won_at, declared_monthly_revenue AS revenue
	FROM mql LEFT JOIN deal USING (mql_id);

	CREATE TABLE lead AS
	SELECT mql_id, origin, month, align.lead_agg(at, stage, team, NULL, campaign, amount) AS journey
	FROM (SELECT mql_id, origin, month, contact_at AS at, 'mql' AS stage, 'marketing' AS team, origin AS campaign, NULL::numeric AS amount FROM raw
		UNION ALL
		SELECT mql_id, origin, month, won_at, 'won', 'sales', NULL, revenue FROM raw WHERE won_at IS NOT NULL) e
	GROUP BY mql_id, origin, month;

	-- everything that will be said about the data is said as of the last win
	CREATE TABLE known AS SELECT max(won_at) AS at FROM raw;
});

# The journeys hold what was loaded.
is_same('SELECT mql_id, e.at, e.stage, e.amount FROM lead, align.entries(journey) e',
	q{SELECT mql_id, contact_at, 'mql', NULL::numeric FROM raw UNION ALL SELECT mql_id, won_at, 'won', revenue FROM raw WHERE won_at IS NOT NULL},
	'entries of the journeys');
is_same('SELECT align.path(journey), count(*) FROM lead GROUP BY 1',
	q{SELECT CASE WHEN won_at IS NULL THEN '{mql}' WHEN won_at < contact_at THEN '{won,mql}' ELSE '{mql,won}' END::text[], count(*) FROM raw GROUP BY 1},
	'paths: one deal was won before the first contact');
is_same('SELECT mql_id, align.current_stage(journey) FROM lead',
	q{SELECT mql_id, CASE WHEN won_at >= contact_at THEN 'won' ELSE 'mql' END FROM raw}, 'current stages');
is_same(q{SELECT mql_id, align.time_between(journey, 'mql', 'won') FROM lead WHERE align.reached(journey, 'won')},
	q{SELECT mql_id, CASE WHEN won_at >= contact_at THEN make_interval(secs => extract(epoch FROM won_at - contact_at)::float8) END FROM raw WHERE won_at IS NOT NULL},
	'time to win');

# Conversion and time to win, by origin, by month, and of all; the plain SQL
# counts on the raw tables.  Medians are of a histogram with a relative error.
my $plain_steps = q{
	SELECT %1$s AS slice, 1 AS step, 'mql' AS name, count(*) AS entered, count(*) AS reached, 0::bigint AS dropped,
		count(*) FILTER (WHERE won_at IS NULL OR won_at < contact_at) AS still_open
	FROM raw GROUP BY 1
	UNION ALL
	SELECT %1$s, 2, 'won', count(*) FILTER (WHERE won_at >= contact_at), count(*) FILTER (WHERE won_at >= contact_at), 0, 0
	FROM raw GROUP BY 1};

foreach my $slice ([ 'origin', 'origin' ], [ 'month', 'month' ], [ 'all', "'all'::text" ])
{
	my ($name, $key) = @$slice;

	$node->safe_psql('postgres', qq{
		CREATE TABLE conversion_by_$name AS
		SELECT $key AS slice, align.conversion_agg(journey, ARRAY['mql', 'won'], NULL, 'ordered', (SELECT at FROM known)) AS conversion
		FROM lead GROUP BY 1});
	is_same("SELECT slice, s.step, s.name, s.entered, s.reached, s.dropped, s.still_open FROM conversion_by_$name, align.steps(conversion) s",
		sprintf($plain_steps, $key), "conversion by $name");
	is_same(qq{SELECT slice, abs(s.overall_rate - p.rate) < 1e-12 AND abs(extract(epoch FROM s.mean_time - p.mean)) < 0.001
				AND s.amount IS NOT DISTINCT FROM p.amount AS agrees
			FROM conversion_by_$name, align.steps(conversion) s
			JOIN LATERAL (SELECT (count(*) FILTER (WHERE won_at >= contact_at))::float8 / count(*) AS rate,
				avg(won_at - contact_at) FILTER (WHERE won_at >= contact_at) AS mean,
				sum(revenue) FILTER (WHERE won_at >= contact_at) AS amount
				FROM raw WHERE $key IS NOT DISTINCT FROM slice) p ON true
			WHERE s.step = 2 AND s.reached > 0},
		qq{SELECT $key, true FROM raw GROUP BY 1 HAVING bool_or(won_at >= contact_at)},
		"rate, mean time to win and amount by $name");
	is_same(qq{SELECT slice, abs(extract(epoch FROM s.median_time) / extract(epoch FROM p.median) - 1) < 0.01
				AND abs(extract(epoch FROM s.p90_time) / extract(epoch FROM p.p90) - 1) < 0.01 AS agrees
			FROM conversion_by_$name, align.steps(conversion) s
			JOIN LATERAL (SELECT percentile_disc(0.5) WITHIN GROUP (ORDER BY won_at - contact_at) AS median,
				percentile_disc(0.9) WITHIN GROUP (ORDER BY won_at - contact_at) AS p90
				FROM raw WHERE $key IS NOT DISTINCT FROM slice AND won_at >= contact_at) p ON true
			WHERE s.step = 2 AND s.reached > 0},
		qq{SELECT $key, true FROM raw GROUP BY 1 HAVING bool_or(won_at >= contact_at)},
		"median and 90th percentile of the time to win by $name");
}
is_value('SELECT reached, round(overall_rate::numeric, 6) FROM conversion_by_all, align.steps(conversion) WHERE step = 2',
	'841|0.105125', '841 of 8,000 leads became sellers after their first contact');

# Wilson's interval, by its formula (1927).
is_same(q{SELECT slice, s.lower::numeric(12, 9), s.upper::numeric(12, 9) FROM conversion_by_origin, align.steps(conversion) s WHERE step = 2},
	q{SELECT origin AS slice, ((p + z * z / (2 * n) - z * sqrt(p * (1 - p) / n + z * z / (4 * n * n))) / (1 + z * z / n))::numeric(12, 9) AS lower,
			((p + z * z / (2 * n) + z * sqrt(p * (1 - p) / n + z * z / (4 * n * n))) / (1 + z * z / n))::numeric(12, 9) AS upper
		FROM (SELECT origin, count(*)::float8 AS n, (count(*) FILTER (WHERE won_at >= contact_at))::float8 / count(*) AS p, 1.959963984540054::float8 AS z
			FROM raw GROUP BY 1) r},
	'bounds by origin');

# Summaries of the parts add up to the summary of the whole, to the last bit.
is_value('SELECT (SELECT align.rollup(conversion) FROM conversion_by_origin) OPERATOR(align.=) conversion FROM conversion_by_all', 't', 'origins add up');
is_value('SELECT (SELECT align.rollup(conversion) FROM conversion_by_month) OPERATOR(align.=) conversion FROM conversion_by_all', 't', 'months add up');

# Left truncation: months before 2018 are not comparable with those after.
is_value(q{SELECT max(overall_rate) FILTER (WHERE slice < '2017-12-01') < min(overall_rate) FILTER (WHERE slice >= '2018-01-01')
	FROM conversion_by_month, align.steps(conversion) WHERE step = 2},
	't', 'every month of 2017 before the first recorded win looks worse than any of 2018');

# Censoring: not yet is not lost.
is_same(q{SELECT s.step, s.reached, s.dropped, s.still_open
		FROM align.steps((SELECT align.conversion_agg(journey, ARRAY['mql', 'won'], NULL, 'ordered', (SELECT at FROM known)) FROM lead)) s WHERE step = 1},
	q{SELECT 1 AS step, count(*) AS reached, 0::bigint AS dropped, count(*) FILTER (WHERE won_at IS NULL OR won_at < contact_at) AS still_open FROM raw},
	'without a window nobody is dropped');
foreach my $as_of ('2018-06-01 00:00+00', '2018-03-01 00:00+00')
{
	is_same(qq{SELECT s.step, s.reached, s.dropped, s.still_open
			FROM align.steps((SELECT align.conversion_agg(journey, ARRAY['mql', 'won'], interval '30 days', 'ordered', '$as_of') FROM lead)) s WHERE step = 1},
		qq{SELECT 1 AS step, count(*) FILTER (WHERE contact_at <= as_of) AS reached,
				count(*) FILTER (WHERE contact_at <= as_of AND won IS NOT TRUE AND contact_at + interval '720 hours' < as_of) AS dropped,
				count(*) FILTER (WHERE contact_at <= as_of AND won IS NOT TRUE AND contact_at + interval '720 hours' >= as_of) AS still_open
			FROM (SELECT *, won_at BETWEEN contact_at AND contact_at + interval '720 hours' AND won_at <= as_of AS won
				FROM raw, (VALUES (timestamptz '$as_of')) v(as_of)) r},
		"a window of 30 days as of $as_of: who still has time is open, who has not is dropped");
}

# What agreement does the data follow?
my $draft = $node->safe_psql('postgres', q{SELECT align.infer_agg(journey, '{won}', NULL, 0.01) FROM lead});
like($draft, qr/^-- Draft agreement inferred from 8000 leads, 2017-06-14 to 2018-11-14 \(UTC\)\./, 'inferred from 8,000 leads');
like($draft, qr/^success path mql -> won;  -- 841 \(10\.5 %\) leads$/m, 'the one way to win');
like($draft, qr/^-- path won -> mql;  -- 1 lead \(0\.1 %\)$/m, 'the deal that was won before the first contact');

$node->safe_psql('postgres', q{
	CREATE TABLE agreement_draft AS SELECT align.infer_agg(journey, '{won}', NULL, 0.01)::align.funnel AS funnel FROM lead});
is_same(q{SELECT mql_id, v.rule, v.from_stage, v.stage FROM lead, agreement_draft, align.violations(journey, funnel) v},
	q{SELECT mql_id, rule, from_stage, stage FROM raw,
		(VALUES ('not_an_entry', NULL, 'won'), ('illegal_move', 'won', 'mql')) v(rule, from_stage, stage) WHERE won_at < contact_at},
	'which is the only one that breaks the inferred agreement');
is_value('SELECT count(*) FILTER (WHERE align.fits(journey, funnel)) FROM lead, agreement_draft', '7999', 'all others fit');
is_same(q{SELECT s.step, s.name, s.entered, s.reached
		FROM align.steps((SELECT align.funnel_conversion_agg(journey, (SELECT funnel FROM agreement_draft), (SELECT at FROM known)) FROM lead)) s},
	q{SELECT 1 AS step, 'mql' AS name, count(*) AS entered, count(*) AS reached FROM raw UNION ALL SELECT 2, 'won', count(*), count(*) FROM raw WHERE won_at >= contact_at},
	'along the agreement every win counts, but for the one that was an open lead afterwards');

# Time to win in working hours of the sales team, against a walk over days.
is_same(q{SELECT mql_id, align.working_time_between(journey, 'mql', 'won', 'America/Sao_Paulo Mo-Fr 09:00-18:00; 2018-05-31 off') FROM lead
		WHERE align.reached(journey, 'won')},
	q{SELECT mql_id, CASE WHEN won_at >= contact_at THEN (
			SELECT make_interval(secs => coalesce(sum(greatest(0, extract(epoch FROM
				least(won_at, (day + time '18:00') AT TIME ZONE 'America/Sao_Paulo') - greatest(contact_at, (day + time '09:00') AT TIME ZONE 'America/Sao_Paulo')))), 0)::float8)
			FROM generate_series(date_trunc('day', contact_at AT TIME ZONE 'America/Sao_Paulo'), won_at AT TIME ZONE 'America/Sao_Paulo', interval '1 day') AS day
			WHERE extract(isodow FROM day) < 6 AND day <> '2018-05-31') END
		FROM raw WHERE won_at IS NOT NULL},
	'time to win in working hours');

$node->stop;
done_testing();
