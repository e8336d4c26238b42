# Reports on months and persons on Olist's marketing funnel, against plain SQL
# over the files: 8,000 leads by the month of the first contact, of which 842
# became sellers.
#
#   - What is done about the data: see real_olist.pl.  The one deal that was won
#     before the first contact is left out.
#   - Of a deal, the SDR has the lead in hand until the win, then the sales
#     representative; who had the others is not in the data.
#   - Wins are recorded since December 2017, so months are complete from then on.
use strict;
use warnings;

use PlainReports;
use RealData;
use Test::More;

my $folder = shared_folder('olist_funnel');
my $node = start_node('reports_olist');

load_olist($folder);
$node->safe_psql('postgres', q{
	CREATE TABLE raw AS
	SELECT mql_id, first_contact_date::timestamp AT TIME ZONE 'America/Sao_Paulo' AS contact_at, won_date AT TIME ZONE 'UTC' AS won_at, sdr_id, sr_id, declared_monthly_revenue AS revenue
	FROM mql LEFT JOIN deal USING (mql_id)
	WHERE (won_date AT TIME ZONE 'UTC' < first_contact_date::timestamp AT TIME ZONE 'America/Sao_Paulo') IS NOT TRUE;

	SELECT align.agree('olist', $$
		hours 'America/Sao_Paulo Mo-Fr 09:00-18:00';
		stage mql held by sdr;
		won seller;
		success path mql -> seller;
		sla close by sdr: from mql to seller within 120 working hours, warn after 30 working hours;
	$$);
	CREATE TABLE lead (mql_id text PRIMARY KEY, stage text, person text, sdr text, revenue numeric);
	INSERT INTO lead SELECT mql_id, CASE WHEN won_at IS NULL THEN 'mql' ELSE 'seller' END, sr_id, sdr_id, revenue FROM raw;
	SELECT align.attach('lead', 'olist', assignee => 'person', amount => 'revenue', mode => 'observe');
	SELECT align.import_history('lead', $$
		SELECT mql_id, contact_at AS at, 1 AS ordinal, 'mql' AS stage, sdr_id AS assignee, NULL::numeric AS amount FROM raw
		UNION ALL SELECT mql_id, won_at, 2, 'seller', sr_id, revenue FROM raw WHERE won_at IS NOT NULL$$);

	CREATE SCHEMA boards;
	SELECT align.create_reports('lead', 'boards', dimensions => '{sdr}', complete_since => '2017-12-01 00:00-02');
	ANALYZE;

	-- what is known at an instant, by month of the contact in Sao Paulo
	CREATE FUNCTION month(at timestamptz) RETURNS date LANGUAGE sql IMMUTABLE AS $$ SELECT date_trunc('month', at AT TIME ZONE 'America/Sao_Paulo')::date $$;
	CREATE FUNCTION known(as_of timestamptz) RETURNS TABLE (mql_id text, contact_at timestamptz, won_at timestamptz, sdr_id text, sr_id text, revenue numeric) LANGUAGE sql STABLE AS $$
		SELECT mql_id, contact_at, CASE WHEN won_at <= as_of THEN won_at END, sdr_id, CASE WHEN won_at <= as_of THEN sr_id END, CASE WHEN won_at <= as_of THEN revenue END FROM raw WHERE contact_at <= as_of $$;
});

plain_setup($node, 'America/Sao_Paulo', period => [ '2017-01-01', '2030-12-31' ]);
$node->safe_psql('postgres', q{
	INSERT INTO plain.stage VALUES ('mql', 1, 'open', 'sdr', true), ('seller', 2, 'won', NULL, true);
	INSERT INTO plain.promise VALUES ('close', 'mql', '{seller}', '{}', '120 hours', NULL, NULL, NULL, 'sdr', NULL, NULL, '30 hours');
	INSERT INTO plain.entry SELECT mql_id, contact_at, 1, 'mql', NULL, 1 FROM raw UNION ALL SELECT mql_id, won_at, 2, 'seller', NULL, 2 FROM raw WHERE won_at IS NOT NULL;
	INSERT INTO plain.holder SELECT mql_id, contact_at, 1, sdr_id FROM raw UNION ALL SELECT mql_id, won_at, 2, sr_id FROM raw WHERE won_at IS NOT NULL;
});
is_value('SELECT count(*), count(won_at), count(DISTINCT sdr_id), count(DISTINCT sr_id), count(*) FILTER (WHERE sdr_id = sr_id) FROM raw', '7999|841|32|22|5', 'leads, deals and persons');

foreach my $as_of ('2018-03-20 15:00-03', '2018-08-29 00:00-03', '2019-01-15 12:00-02')
{
	# Months of the contact.  A month is settled when 90 days have passed since its
	# end.  Medians of a funnel are those of a histogram, 1 of 128 apart.
	is_same_table(q{month, step, stage, entered, reached, dropped, still_open, step_rate::numeric(12, 9), step_rate_lower, overall_rate::numeric(12, 9), decided_rate, leads, matured, matured_rate::numeric(12, 9), matured_rate_lower::numeric(12, 9), matured_rate_upper::numeric(12, 9), amount, timed, is_complete, is_settled},
		qq{boards.funnel_by_month('$as_of')},
		qq{WITH months AS (
				SELECT month(contact_at) AS month, count(*) AS leads, count(won_at) AS won, count(*) FILTER (WHERE won_at <= contact_at + interval '2160 hours') AS in_time, sum(revenue) AS revenue,
					month(contact_at) >= '2017-12-01' AS is_complete, month(contact_at) >= '2017-12-01' AND (month(contact_at) + interval '1 month') AT TIME ZONE 'America/Sao_Paulo' + interval '2160 hours' <= '$as_of' AS is_settled
				FROM known('$as_of') GROUP BY 1, 6, 7
			), steps AS (
				SELECT month, 1 AS step, 'mql' AS stage, leads AS entered, leads AS reached, 0::bigint AS dropped, leads - won AS still_open, 1::float8 AS step_rate, 1::float8 AS overall_rate,
					CASE WHEN won > 0 THEN 1::float8 END AS decided_rate, leads, CASE WHEN is_settled THEN leads END AS matured, revenue, 0::bigint AS timed, is_complete, is_settled FROM months
				UNION ALL
				SELECT month, 2, 'seller', won, won, 0, 0, won::float8 / leads, won::float8 / leads, NULL, leads, CASE WHEN is_settled THEN in_time END, revenue, won, is_complete, is_settled FROM months
			)
			SELECT month, step, stage, entered, reached, dropped, still_open, step_rate::numeric(12, 9), NULL::float8, overall_rate::numeric(12, 9), decided_rate, leads, matured, (matured::float8 / leads)::numeric(12, 9),
				((matured + 1.920729410 - 1.959963985 * sqrt(matured * (leads - matured)::float8 / leads + 0.960364705)) / (leads + 3.841458821))::numeric(12, 9),
				((matured + 1.920729410 + 1.959963985 * sqrt(matured * (leads - matured)::float8 / leads + 0.960364705)) / (leads + 3.841458821))::numeric(12, 9),
				revenue, timed, is_complete, is_settled FROM steps}, "$as_of: funnel_by_month");
	is_same_table(q{month, median_seconds IS NULL AS no_median, p90_seconds IS NULL AS no_p90, coalesce(abs(median_seconds / p.median - 1) < 0.0079, true) AS median, coalesce(abs(p90_seconds / p.p90 - 1) < 0.0079, true) AS p90},
		qq{boards.funnel_by_month('$as_of') LEFT JOIN (SELECT month(contact_at) AS month, percentile_disc(0.5) WITHIN GROUP (ORDER BY extract(epoch FROM won_at - contact_at)) AS median, percentile_disc(0.9) WITHIN GROUP (ORDER BY extract(epoch FROM won_at - contact_at)) AS p90
				FROM known('$as_of') WHERE won_at IS NOT NULL GROUP BY 1) AS p USING (month) WHERE step = 2},
		qq{SELECT month(contact_at), count(won_at) < 5, count(won_at) < 20, true, true FROM known('$as_of') GROUP BY 1}, "$as_of: times of funnel_by_month");

	# Persons.  The representative has the won lead; the SDR had it before, and is a
	# dimension of the facts.
	is_same_table(q{assignee, month(won_at) AS month, count(*) AS won, sum(amount) AS amount, count(*) FILTER (WHERE amount IS NULL) AS amount_missing, sum(extract(epoch FROM won_at - entered_at))::bigint AS seconds},
		qq{boards.lead_facts('$as_of') WHERE status = 'won' GROUP BY 1, 2},
		qq{SELECT sr_id, month(won_at), count(*), sum(revenue), count(*) FILTER (WHERE revenue IS NULL), sum(extract(epoch FROM won_at - contact_at))::bigint FROM known('$as_of') WHERE won_at IS NOT NULL GROUP BY 1, 2}, "$as_of: won by sales representative and month");
	is_same_table(q{assignee, stage_kind, date_trunc('month', entered_on)::date AS month, count(*) AS leads, count(*) FILTER (WHERE next_stage = 'seller') AS won, sum(elapsed_seconds)::bigint AS seconds},
		qq{boards.stage_facts('$as_of') WHERE stage = 'mql' GROUP BY 1, 2, 3},
		qq{SELECT coalesce(sdr_id, '(none)'), 'open', month(contact_at), count(*), count(won_at), sum(extract(epoch FROM coalesce(won_at, '$as_of') - contact_at))::bigint FROM known('$as_of') GROUP BY 1, 2, 3}, "$as_of: leads and wins by SDR and month of the contact");
	is_same_table(q{sdr, status, date_trunc('month', entered_on)::date AS month, count(*) AS leads, sum(amount) AS amount},
		qq{boards.lead_facts('$as_of') GROUP BY 1, 2, 3},
		qq{SELECT coalesce(sdr_id, '(none)'), CASE WHEN won_at IS NULL THEN 'open' ELSE 'won' END, month(contact_at), count(*), sum(revenue) FROM known('$as_of') GROUP BY 1, 2, 3}, "$as_of: leads by the dimension SDR");

	plain_instant($as_of);
	plain_facts('mql_id', 'boards', $as_of);
	plain_times('mql_id', 'boards', $as_of, '2160 hours', '2017-12-01 00:00-02');
	plain_lists('mql_id', 'boards', $as_of, '2017-12-01 00:00-02');
}

$node->stop;
done_testing();
