-- Clocks and handoffs of a generated company, as of many instants: sla_facts and
-- handoff_facts against a loop that reads only what the history had by then, one
-- entry after the other, and the reports on them against plain SQL over that.
\set ECHO none
\set QUIET on
SET timezone = 'UTC';
SET client_min_messages = warning;
SELECT align.agree('company', $$
    hours 'Europe/London Mo-Fr 09:00-17:30; Dec 25-26 off';
    hours of sales 'America/New_York Mo-Fr 08:00-12:00,13:00-18:00';
    stage inquiry, mql held by marketing;
    stage sal, sql held by sales;
    stage opportunity held by closers;
    stage nurture held by marketing;
    won customer;
    lost disqualified;
    entry inquiry, mql;
    success path inquiry -> mql -> sal -> sql -> opportunity -> customer;
    path mql, sal, sql, opportunity -> nurture -> mql;
    path inquiry -> customer;
    path any -> disqualified;
    mql needs kind, 'amount >= 100';
    segment demo: 'kind = ''demo''';
    segment big: 'kind = ''big''';
    handoff intake: mql from marketing to sales, accept sal, reject nurture, disqualified with reason (no_budget, no_interest, poor_fit),
        within 30 working minutes when demo, within 4 working hours, warn 20 working minutes before;
    handoff closing: sql from sales to closers, accept opportunity, reject nurture;
    sla qualify by sales: from sal to sql, disqualified within 12 working hours, pause nurture, warn after 6 working hours;
    sla first_touch by marketing: from inquiry to mql, customer within 2 days, warn after 1 day;
    sla call_back by sales: from sql to opportunity, disqualified by end of next working day, pause nurture;
    sla patience by marketing: from mql, inquiry to customer within 9 days, pause nurture, sal, warn 1 day before;
$$) \g /dev/null
CREATE TABLE leads (area text, sla int, stage text, owner text, reason text, note text, kind text, campaign text,
	amount numeric, archived boolean NOT NULL DEFAULT false, changed_at timestamptz, PRIMARY KEY (sla, area));

-- A number from 0 to n - 1 that looks like chance and is always the same.
CREATE FUNCTION pick(what text, n int) RETURNS int LANGUAGE sql IMMUTABLE
	AS $$ SELECT (('x' || substr(md5(what), 1, 7))::bit(28)::int % n) $$;
CREATE FUNCTION one_of(what text, VARIADIC choices text[]) RETURNS text LANGUAGE sql IMMUTABLE
	AS $$ SELECT choices[1 + pick(what, cardinality(choices))] $$;

-- Found when the table is attached.
INSERT INTO leads SELECT 'a', i, one_of('f' || i, 'mql', 'sal', 'nurture', 'inquiry'), 'ann', NULL, NULL, NULL, NULL, NULL, false,
	CASE WHEN i > 3 THEN '2026-01-05 10:00+00'::timestamptz + i * interval '5 hours' END FROM generate_series(1, 12) i;
SELECT align.attach('leads', agreement => 'company', stage => 'stage', assignee => 'owner', reason => 'reason', note => 'note',
	campaign => 'campaign', amount => 'amount', changed_at => 'changed_at', live => 'NOT archived', mode => 'observe') \g /dev/null

-- What happens, in the order in which it does: the instant is written to the
-- column actor of the history, until all has happened.
CREATE TABLE plan AS
	SELECT i, k, '2026-01-12 00:00+00'::timestamptz + (pick('start' || i, 86400 * 60) + sum(gap) OVER (PARTITION BY i ORDER BY k)) * interval '1 second' AS at
	FROM generate_series(1, 130) i, generate_series(1, 9) k,
		LATERAL (SELECT pick('gap' || i || '.' || k, 86400 * (1 + pick('long' || i || '.' || k, 5))) AS gap) g;
CREATE FUNCTION act(at timestamptz, statement text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
	PERFORM set_config('align.actor', at::text, true);
	EXECUTE statement;
END $$;
DO $$
DECLARE
	p record;
	r record;
	k text;
	s text;
	x int;
	told timestamptz;
	other record;
	where_key text;
	switched boolean := false;
BEGIN
	FOR p IN SELECT * FROM plan ORDER BY at, i LOOP
		k := p.i || '.' || p.k;
		where_key := format(' WHERE sla = %s AND area = %L', p.i, CASE WHEN p.i % 5 = 0 THEN 'b' ELSE 'a' END);
		IF NOT switched AND p.at > '2026-02-10 12:00+00' THEN
			switched := true;
			PERFORM align.agree('company', replace(replace(replace(regexp_replace(align.agreed('company')::text, '\msal\M', 'accepted', 'g'),
				'America/New_York Mo-Fr 08:00-12:00,13:00-18:00', 'America/New_York Mo-Fr 09:00-12:00'),
				'within 4 working hours', 'within 3 working hours'), 'within 12 working hours', 'within 10 working hours')
				|| ' accepted known as ''sal'';');
		END IF;
		EXECUTE 'SELECT * FROM leads' || where_key INTO r;
		x := pick('what' || k, 100);
		told := p.at - CASE WHEN pick('late' || k, 6) = 0 THEN pick('lag' || k, 86400 * 3) ELSE 0 END * interval '1 second';
		IF r.sla IS NULL THEN
			PERFORM act(p.at, format('INSERT INTO leads VALUES (%L, %s, %L, %L, NULL, NULL, %L, %L, %L, false, %L)',
				CASE WHEN p.i % 5 = 0 THEN 'b' ELSE 'a' END, p.i, one_of('s' || k, 'inquiry', 'inquiry', 'mql', 'mql', 'sal'),
				one_of('o' || k, 'ann', 'bob', NULL), one_of('k' || p.i, 'demo', 'big', 'other', NULL),
				one_of('c' || k, 'utm_source=google&utm_medium=cpc&utm_campaign=spring', 'utm_source=news&utm_medium=email&utm_campaign=may', '(direct)', NULL),
				pick('a' || k, 1000), told));
		ELSIF r.archived THEN
			PERFORM act(p.at, 'UPDATE leads SET archived = false' || where_key);
		ELSIF x < 4 THEN
			PERFORM act(p.at, 'DELETE FROM leads' || where_key);
		ELSIF x < 10 THEN
			PERFORM act(p.at, 'UPDATE leads SET archived = true' || where_key);
		ELSIF x < 24 THEN
			PERFORM act(p.at, format('UPDATE leads SET owner = %L', one_of('o' || k, 'ann', 'bob', 'cleo', NULL)) || where_key);
		ELSIF x < 26 THEN
			PERFORM act(p.at, format('UPDATE leads SET stage = NULL, changed_at = %L', told) || where_key);
		ELSIF x < 30 AND r.stage IS NOT NULL THEN
			SELECT * INTO other FROM leads l WHERE l.sla <> p.i AND l.stage IS NOT NULL AND NOT l.archived AND l.area = r.area
			ORDER BY pick('m' || k || l.sla, 1000) LIMIT 1;
			PERFORM set_config('align.actor', p.at::text, true);
			PERFORM align.merge_leads('leads', format('{"sla": %s, "area": "%s"}', other.sla, other.area), format('{"sla": %s, "area": "%s"}', p.i, r.area));
			PERFORM act(p.at, format('DELETE FROM leads WHERE sla = %s AND area = %L', other.sla, other.area));
		ELSE
			s := CASE coalesce(r.stage, '')
				WHEN 'inquiry' THEN one_of('s' || k, 'mql', 'mql', 'mql', 'disqualified', 'customer', 'lost in space')
				WHEN 'mql' THEN one_of('s' || k, 'sal', 'sal', 'sal', 'nurture', 'disqualified', 'inquiry', 'sql')
				WHEN 'sal' THEN one_of('s' || k, 'sql', 'sql', 'nurture', 'disqualified', 'mql')
				WHEN 'sql' THEN one_of('s' || k, 'opportunity', 'opportunity', 'nurture', 'disqualified')
				WHEN 'opportunity' THEN one_of('s' || k, 'customer', 'customer', 'nurture', 'disqualified')
				WHEN 'nurture' THEN one_of('s' || k, 'mql', 'mql', 'disqualified', 'sal')
				ELSE one_of('s' || k, 'inquiry', 'mql') END;
			PERFORM set_config('align.override', CASE WHEN pick('v' || k, 15) = 0 THEN 'agreed by phone' ELSE '' END, true);
			PERFORM act(p.at, format('UPDATE leads SET stage = %L, owner = %L, reason = %L, note = %L, campaign = %L, amount = %L, changed_at = %L',
				s, CASE WHEN pick('n' || k, 3) = 0 THEN one_of('o' || k, 'ann', 'bob', 'cleo', NULL) ELSE r.owner END,
				one_of('r' || k, 'no_budget', 'no_interest', ' ', 'elsewhere', NULL), one_of('h' || k, 'hot', 'cold', ' ', NULL),
				CASE WHEN pick('d' || k, 3) = 0 THEN one_of('c' || k, 'utm_source=google&utm_medium=cpc&utm_campaign=spring', '(direct)', 'utm_source=fair&utm_medium=event') ELSE r.campaign END,
				CASE WHEN pick('e' || k, 5) > 0 THEN coalesce(r.amount, 0) + pick('a' || k, 100) END, told) || where_key);
			PERFORM set_config('align.override', '', true);
		END IF;
	END LOOP;
END $$;

-- The clock of the company takes the place of the clock of the test.  (A history
-- has key columns of other names where they would be those of its own.)
CREATE VIEW h AS SELECT * FROM leads_history;
ALTER TABLE leads_history DISABLE TRIGGER align_append_only;
UPDATE leads_history SET actor = '2026-01-11 00:00+00' WHERE actor IS NULL OR actor = '';
WITH happened AS (
	SELECT h.*, actor::timestamptz AS own,
		CASE WHEN source LIKE 'merged%' THEN (SELECT min(m.actor::timestamptz) FROM h AS m
			WHERE m.key_sla = h.key_sla AND m.area = h.area AND m.entry_no > h.entry_no AND m.event = 'rekey' AND m.note LIKE 'merged from%')
			ELSE actor::timestamptz END AS recorded
	FROM h
)
UPDATE leads_history AS h
SET recorded_at = e.recorded + CASE WHEN e.source LIKE 'merged%' OR e.event = 'rekey' THEN e.entry_no ELSE 0 END * interval '1 microsecond',
	effective_at = CASE WHEN h.effective_at > '2026-06-01' THEN e.own ELSE h.effective_at END
FROM happened AS e WHERE e.key_sla = h.key_sla AND e.area = h.area AND e.entry_no = h.entry_no;
UPDATE leads_history SET effective_at = recorded_at WHERE effective_at > recorded_at;
UPDATE leads_history SET actor = CASE WHEN entry_no % 3 > 0 THEN 'person ' || entry_no % 3 END;
ALTER TABLE leads_history ENABLE TRIGGER align_append_only;
ALTER TABLE align.agreement DISABLE TRIGGER USER;
UPDATE align.agreement SET valid_from = CASE version WHEN 1 THEN timestamptz '2026-01-01' ELSE '2026-02-10 12:00+00' END WHERE name = 'company';
ALTER TABLE align.agreement ENABLE TRIGGER USER;
SELECT align.rebuild_clocks('leads') > 0 AS rebuilt \g /dev/null
\echo what is in it
SELECT count(*) FILTER (WHERE source LIKE 'merged%') > 20 AS merged, count(*) FILTER (WHERE event = 'deleted') > 20 AS deleted,
	count(*) FILTER (WHERE source = 'resumed') > 20 AS resumed, count(*) FILTER (WHERE event = 'override') > 5 AS overrides,
	count(*) FILTER (WHERE recorded_at > effective_at AND source IS NULL) > 50 AS late, count(*) FILTER (WHERE event = 'owner') > 50 AS owners
FROM leads_history;
SELECT count(DISTINCT sla) AS service_levels, count(DISTINCT outcome) AS outcomes, count(DISTINCT version) AS versions,
	count(*) FILTER (WHERE NOT isempty(paused)) > 30 AS pauses
FROM leads_sla;
CREATE SCHEMA reports;
SELECT align.create_reports('leads', 'reports', time_zone => 'America/Chicago', complete_since => '2026-01-20', dimensions => '{kind AS lead_kind}') > 0 AS created \g /dev/null
