# Real journeys through attached tables: what the triggers wrote down, event by
# event, is what the pure functions make of the raw events.
#
# Helpdesk: 21,348 events of 4,580 tickets.  A ticket's row is written once per
# event, by INSERT ... ON CONFLICT DO UPDATE:
#   - in the order of time;
#   - in an order that is shuffled: a change follows what it replaces, so each
#     has the latest time so far (backdated).
# A row that is written with the stage it had already is no event; so in either
# order the journey is that of the events left when those are taken out.  Times
# that are equal within a ticket are told apart by microseconds in the order of
# the file.
#
# Olist: 8,000 leads that were there before, 842 wins loaded by one UPDATE.  A win
# at the very instant of the contact, a midnight, counts one second later: a time
# that an UPDATE leaves as it was tells nothing.
use strict;
use warnings;

use RealData;
use Test::More;

my $folder = shared_folder('helpdesk');
my $olist = shared_folder('olist_funnel');
my $node = start_node('attach');

$node->safe_psql('postgres', q{
	CREATE TABLE log (ordinal bigserial, activity text, transition text, who text, at text, activity2 text, resource2 text, ticket text, variant text, variant_index text, creator text);
});
load_csv('log (activity, transition, who, at, activity2, resource2, ticket, variant, variant_index, creator)', "$folder/Helpdesk.csv");
$node->safe_psql('postgres', q{
	CREATE TABLE event AS
	SELECT ordinal, ticket, activity AS stage, who,
		left(at, 19)::timestamp AT TIME ZONE 'UTC' + (row_number() OVER (PARTITION BY ticket, at ORDER BY ordinal) - 1) * interval '1 microsecond' AS at
	FROM log;
	ALTER TABLE event ADD PRIMARY KEY (ordinal);
});
is_value('SELECT count(*), count(DISTINCT ticket), count(DISTINCT stage), count(DISTINCT (ticket, at)) FROM event', '21348|4580|14|21348', 'the events, no two of a ticket at once');

# The agreement that the journeys suggest, rare moves left out, and promises.
my $draft = $node->safe_psql('postgres', q{SELECT align.infer_agg(lead, '{Closed}', NULL, 0.01) FROM (SELECT align.lead_agg(at, stage) AS lead FROM event GROUP BY ticket) AS t});
my $promises = q{
	hours 'UTC Mo-Fr 08:00-18:00; Dec 25 off';
	sla take by support: from "Assign seriousness" to "Take in charge ticket" within 2 working hours, warn after 1 working hour;
	sla solve by support: from "Take in charge ticket" to "Resolve ticket" within 8 working hours, warn after 6 working hours, pause Wait;
	sla come_back by support: from Wait to "Take in charge ticket", "Resolve ticket" by end of next working day;
	sla leave by support: from "Resolve ticket" to Closed within 15 days;};
$node->safe_psql('postgres', "SELECT align.agree('helpdesk', \$agreement\$$draft$promises\$agreement\$)");

$node->safe_psql('postgres', q{
	CREATE TABLE ticket (id text PRIMARY KEY, stage text, who text, changed_at timestamptz);
	CREATE TABLE shuffled (who text, changed_at timestamptz, stage text, id text, PRIMARY KEY (id)) PARTITION BY HASH (id);
	CREATE TABLE shuffled_0 PARTITION OF shuffled FOR VALUES WITH (MODULUS 2, REMAINDER 0);
	CREATE TABLE shuffled_1 PARTITION OF shuffled FOR VALUES WITH (MODULUS 2, REMAINDER 1);
	SELECT align.attach('ticket', 'helpdesk', assignee => 'who', changed_at => 'changed_at', mode => 'observe'),
		align.attach('shuffled', 'helpdesk', assignee => 'who', changed_at => 'changed_at', mode => 'observe');

	CREATE TABLE written AS
	SELECT 'ticket' AS relation, ordinal, ticket, stage, who, at, row_number() OVER (ORDER BY at, ordinal) AS turn FROM event
	UNION ALL
	SELECT 'shuffled', ordinal, ticket, stage, who, at, row_number() OVER (ORDER BY md5(ordinal::text)) FROM event;

	DO $$
	DECLARE
		e record;
	BEGIN
		FOR e IN SELECT * FROM written ORDER BY relation, turn LOOP
			IF e.relation = 'ticket' THEN
				INSERT INTO ticket VALUES (e.ticket, e.stage, e.who, e.at)
				ON CONFLICT (id) DO UPDATE SET stage = excluded.stage, who = excluded.who, changed_at = excluded.changed_at;
			ELSE
				INSERT INTO shuffled (id, stage, who, changed_at) VALUES (e.ticket, e.stage, e.who, e.at)
				ON CONFLICT (id) DO UPDATE SET stage = excluded.stage, who = excluded.who, changed_at = excluded.changed_at;
			END IF;
		END LOOP;
	END $$;

	-- what is left when rows written with the stage they had are taken out
	CREATE TABLE told AS
	SELECT * FROM (SELECT *, lag(stage) OVER (PARTITION BY relation, ticket ORDER BY turn) IS DISTINCT FROM stage AS moves,
		row_number() OVER (PARTITION BY relation, ticket ORDER BY turn) AS nth FROM written) AS w WHERE moves;
	CREATE TABLE latest AS SELECT relation, ticket, turn, max(at) OVER (PARTITION BY relation, ticket ORDER BY turn) AS at FROM told;
	UPDATE told SET at = latest.at FROM latest WHERE (told.relation, told.ticket, told.turn) = (latest.relation, latest.ticket, latest.turn);
	ANALYZE;

	CREATE VIEW journey AS
	SELECT 'ticket' AS relation, key->>'id' AS ticket, lead FROM align.journeys('ticket')
	UNION ALL
	SELECT 'shuffled', key->>'id', lead FROM align.journeys('shuffled');
	CREATE VIEW history AS
	SELECT 'ticket' AS relation, * FROM ticket_history UNION ALL SELECT 'shuffled', * FROM shuffled_history;
	CREATE VIEW clock AS
	SELECT 'ticket' AS relation, * FROM ticket_sla UNION ALL SELECT 'shuffled', * FROM shuffled_sla;
});

foreach my $relation ('ticket', 'shuffled')
{
	my $this = "relation = '$relation'";
	# equal times leave the order to entry_no
	my $leads = $relation eq 'ticket' ? "(SELECT ticket, align.lead_agg(at, stage) AS lead FROM told WHERE $this GROUP BY 1)"
	  : "(SELECT ticket, lead FROM journey WHERE $this)";

	is_value("SELECT count(*) FROM align.check('$relation')", '0', "$relation: check is empty");
	is_same(qq{SELECT ticket, e.at, e.stage FROM journey, align.entries(lead) AS e WHERE $this},
		"SELECT ticket, at, stage FROM told WHERE $this", "$relation: journeys hold the events");
	is_same("SELECT ticket, align.path(lead), align.current_stage(lead) FROM journey WHERE $this",
		"SELECT ticket, align.path(lead), align.current_stage(lead) FROM $leads AS t", "$relation: paths");
	is_same("SELECT id, array_agg(stage ORDER BY effective_at, entry_no) FROM history WHERE $this AND event IN ('entry', 'move') GROUP BY 1",
		"SELECT ticket, array_agg(stage ORDER BY turn) FROM told WHERE $this GROUP BY 1", "$relation: the order in which it was written");
	is_same("SELECT id, effective_at, stage, assignee FROM history WHERE $this AND event IN ('entry', 'move')",
		"SELECT ticket, at, stage, who FROM told WHERE $this", "$relation: who did it");
	is_value("SELECT count(*) FROM history WHERE $this AND event NOT IN ('entry', 'move', 'owner')", '0', "$relation: nothing else was recorded");
	is_same(qq{SELECT id, sla, cycle, team, started_at, due_at, warn_at, stopped_at, elapsed, outcome FROM clock WHERE $this AND outcome IS NOT NULL},
		qq{SELECT ticket, s.sla, s.cycle, s.team, s.started_at, s.due_at, s.warn_at, s.stopped_at, s.elapsed, s.state
			FROM $leads AS t, align.sla_clocks(lead, align.agreed('helpdesk'), '2014-06-01') AS s
			WHERE s.stopped_at IS NOT NULL},
		"$relation: closed clocks");
	is_same(qq{SELECT key->>'id' AS id, sla, cycle, team, started_at, due_at, warn_at, elapsed, remaining, state FROM align.clocks('$relation', '2014-06-01')},
		qq{SELECT ticket, s.sla, s.cycle, s.team, s.started_at, s.due_at, s.warn_at, s.elapsed, s.remaining, s.state
			FROM $leads AS t, align.sla_clocks(lead, align.agreed('helpdesk'), '2014-06-01') AS s
			WHERE s.stopped_at IS NULL},
		"$relation: open clocks");
}

# In the order of time the verdict on each move is that of the pure functions.
is_same(q{SELECT id, effective_at, violation FROM ticket_history WHERE violation IS NOT NULL},
	q{SELECT ticket, v.at, string_agg(v.rule, ', ' ORDER BY v.rule) FROM (SELECT ticket, align.lead_agg(at, stage) AS lead FROM told WHERE relation = 'ticket' GROUP BY 1) AS t,
		align.violations(lead, align.agreed('helpdesk')) AS v GROUP BY 1, 2},
	'verdicts');
is_value(q{SELECT count(*) FROM ticket_history WHERE source IS NOT NULL}, '0', 'in the order of time nothing is corrected');
is_same(q{SELECT id, effective_at FROM shuffled_history WHERE source = 'backdated' AND event IN ('entry', 'move')},
	q{SELECT ticket, latest FROM (SELECT *, max(at) FILTER (WHERE moves) OVER (PARTITION BY ticket ORDER BY turn ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS latest
			FROM (SELECT *, lag(stage) OVER w IS DISTINCT FROM stage AS moves, lag(who) OVER w IS DISTINCT FROM who AS passes
				FROM written WHERE relation = 'shuffled' WINDOW w AS (PARTITION BY ticket ORDER BY turn)) AS r) AS t
		WHERE moves AND at < latest}, 'shuffled, what came too late is');
is_same(q{SELECT rule, from_stage, stage, entries FROM align.backtest('ticket', align.agreed('helpdesk')) WHERE rule !~ '^missed '},
	q{SELECT rule, from_stage, stage, count(*) FROM (SELECT align.lead_agg(at, stage) AS lead FROM told WHERE relation = 'ticket' GROUP BY ticket) AS t,
		align.violations(lead, align.agreed('helpdesk')) GROUP BY 1, 2, 3},
	'backtest of the recorded history');

# Olist: rows that were there, then one UPDATE.
$node->safe_psql('postgres', q{
	CREATE TABLE mql (mql_id text PRIMARY KEY, first_contact_date date, landing_page_id text, origin text);
	CREATE TABLE deal (mql_id text PRIMARY KEY, seller_id text, sdr_id text, sr_id text, won_date timestamp,
		business_segment text, lead_type text, lead_behaviour_profile text, has_company text, has_gtin text,
		average_stock text, business_type text, declared_product_catalog_size float8, declared_monthly_revenue numeric);
});
load_csv('mql', "$olist/olist_marketing_qualified_leads_dataset.csv");
load_csv('deal', "$olist/olist_closed_deals_dataset.csv");
$node->safe_psql('postgres', q{
	SELECT align.agree('olist', $$
		stage mql held by marketing; won won held by sales; success path mql -> won;
		sla win by sales: from mql to won within 30 days, warn after 20 days;
	$$);
	ALTER TABLE mql ADD stage text DEFAULT 'mql', ADD changed_at timestamptz, ADD amount numeric, ADD sr text;
	UPDATE mql SET changed_at = first_contact_date::timestamp AT TIME ZONE 'America/Sao_Paulo';
});
is_value(q{SELECT align.attach('mql', 'olist', campaign => 'origin', amount => 'amount', assignee => 'sr', changed_at => 'changed_at')}, '8000', '8,000 leads get an opening entry');
$node->safe_psql('postgres', q{
	UPDATE mql SET stage = 'won', changed_at = won_date AT TIME ZONE 'UTC' + interval '1 second', amount = declared_monthly_revenue, sr = sr_id
	FROM deal WHERE deal.mql_id = mql.mql_id;
	CREATE VIEW raw AS
	SELECT mql_id, first_contact_date::timestamp AT TIME ZONE 'America/Sao_Paulo' AS at, 'mql' AS stage, NULL::numeric AS amount, origin FROM mql
	UNION ALL
	SELECT mql_id, greatest(won_date AT TIME ZONE 'UTC' + interval '1 second', first_contact_date::timestamp AT TIME ZONE 'America/Sao_Paulo'), 'won', declared_monthly_revenue, origin FROM deal JOIN mql USING (mql_id);
});
is_value(q{SELECT count(*) FROM align.check('mql')}, '0', 'check is empty');
is_same(q{SELECT mql_id, event, effective_at, stage, amount, campaign, source FROM mql_history},
	q{SELECT mql_id, CASE stage WHEN 'mql' THEN 'opening' ELSE 'move' END AS event, at, stage, amount, origin,
		CASE WHEN stage = 'won' AND (SELECT won_date AT TIME ZONE 'UTC' + interval '1 second' FROM deal WHERE deal.mql_id = raw.mql_id) < at THEN 'backdated' END AS source FROM raw},
	'history');
is_same(q{SELECT key->>'mql_id' AS mql_id, align.path(lead) FROM align.journeys('mql')},
	q{SELECT mql_id, align.path(align.lead_agg(at, stage)) FROM raw GROUP BY 1}, 'journeys');
is_same(q{SELECT mql_id, sla, cycle, started_at, due_at, warn_at, stopped_at, outcome, elapsed FROM mql_sla WHERE outcome IS NOT NULL},
	q{SELECT mql_id, s.sla, s.cycle, s.started_at, s.due_at, s.warn_at, s.stopped_at, s.state, s.elapsed
		FROM (SELECT mql_id, align.lead_agg(at, stage) AS lead FROM raw GROUP BY 1) AS t, align.sla_clocks(lead, align.agreed('olist'), now()) AS s WHERE s.stopped_at IS NOT NULL},
	'promises');
is_same(q{SELECT coalesce(outcome, 'open') AS outcome, count(*) FROM mql_sla GROUP BY 1},
	q{SELECT CASE WHEN w.at >= c.at THEN CASE WHEN w.at <= c.at + interval '720 hours' THEN 'met' ELSE 'missed' END ELSE 'open' END AS outcome, count(*)
		FROM raw AS c LEFT JOIN raw AS w ON w.mql_id = c.mql_id AND w.stage = 'won' WHERE c.stage = 'mql' GROUP BY 1}, 'kept, missed and still running');

$node->stop;
done_testing();
