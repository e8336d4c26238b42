-- lead_facts, stage_facts and touch_facts of a generated company, against a loop
-- that reads the history of one lead at a time, and against journeys().
\set ECHO none
\set QUIET on
SET timezone = 'UTC';
SET client_min_messages = warning;
SET jit = off;
CREATE SCHEMA report_facts;
SET search_path = report_facts;
\set agreement 'hours ''Europe/London Mo-Fr 09:00-17:30''; hours of sales ''America/New_York Mo-Fr 08:00-18:00''; stage inquiry, mql held by marketing; stage sal, sql held by sales; stage nurture held by marketing; won customer, partner; lost disqualified; entry inquiry, mql; success path inquiry -> mql -> sal -> sql -> customer; path inquiry -> customer; path sql -> partner; path mql, sal, sql -> nurture -> mql; path customer -> sal; path any -> disqualified; path disqualified -> mql; handoff intake: mql from marketing to sales, accept sal, reject nurture, disqualified with reason (budget, timing), within 4 working hours; sql needs note; segment big: ''amount >= 500''; segment demo: ''kind = ''''demo'''''';'
SELECT align.agree('company', :'agreement');
CREATE TABLE leads (id int, region text, status text, team text, owner text, reason text, note text,
	amount numeric, campaign text, kind text, changed_at timestamptz, archived boolean DEFAULT false, PRIMARY KEY (region, id));
CREATE TABLE log (no serial, region text, id int, at timestamptz, stage text, reason text, amount numeric, campaign text);

-- A number from 0 to n - 1 that looks like chance and is always the same.
CREATE FUNCTION pick(what text, n int) RETURNS int LANGUAGE sql IMMUTABLE
	AS $$ SELECT (('x' || substr(md5(what), 1, 7))::bit(28)::int % n) $$;
CREATE FUNCTION campaign(i text) RETURNS text LANGUAGE sql IMMUTABLE
	AS $$ SELECT (ARRAY[NULL, 'utm_source=google&utm_medium=cpc&utm_campaign=spring', '(direct)', 'Spring webinar',
		'https://example.com/?utm_source=news&utm_medium=email&utm_campaign=may&utm_content=b&gclid=x', 'utm_source=partner-x&utm_medium=referral',
		'utm_source=google&utm_medium=cpc&utm_id=17&utm_term=crm'])[1 + pick(i, 7)] $$;

-- Found when the table is attached, some without the time since when.
INSERT INTO leads SELECT i, 'eu', (ARRAY['inquiry', 'mql', 'sal', 'customer', 'disqualified', 'unheard of'])[1 + pick('found' || i, 6)], NULL, 'ann', 'budget', NULL,
	CASE WHEN i % 3 > 0 THEN i * 10 END, campaign('f' || i), 'demo', CASE WHEN i % 2 = 0 THEN timestamptz '2025-01-20 10:00Z' + i * interval '1 hour' END
FROM generate_series(1, 40) i;
SELECT align.attach('leads', 'company', mode => 'observe', stage => 'status', team => 'team', assignee => 'owner', reason => 'reason', note => 'note',
	amount => 'amount', campaign => 'campaign', changed_at => 'changed_at', live => 'NOT archived');
CREATE SCHEMA facts_reports;
SELECT align.create_reports('leads', 'facts_reports', time_zone => 'America/New_York', dimensions => '{"kind AS lead_kind","upper(region) AS area"}') > 0;

-- The lives of some leads, in rounds: entry, moves, changes of owner, touches.
CREATE FUNCTION step(i int, n int) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
	r text := CASE WHEN i % 3 = 0 THEN 'us' ELSE 'eu' END;
	l leads;
	s text;
	k text := i || '.' || n;
BEGIN
	SELECT * INTO l FROM leads WHERE id = i AND region = r;
	IF NOT FOUND THEN
		INSERT INTO leads VALUES (i, r, (ARRAY['inquiry', 'inquiry', 'mql', 'sal'])[1 + pick('s' || k, 4)], CASE pick('t' || k, 4) WHEN 0 THEN 'outside' END,
			(ARRAY['ann', 'bob', NULL, ' '])[1 + pick('o' || k, 4)], NULL, NULL,
			CASE pick('a' || k, 5) WHEN 0 THEN NULL WHEN 1 THEN 'NaN' WHEN 2 THEN 'Infinity' ELSE pick('b' || k, 2000) / 2.0 END,
			campaign('c' || k), (ARRAY['demo', 'trial'])[1 + pick('k' || i, 2)],
			timestamptz '2025-02-03 08:00Z' + pick('d' || k, 200000) * interval '1 minute');
		RETURN;
	END IF;
	IF n % 4 = 3 THEN
		UPDATE leads SET owner = (ARRAY['bob', 'cat', NULL])[1 + pick('o' || k, 3)], amount = coalesce(nullif(pick('am' || k, 900), 7)::numeric, amount),
			team = CASE pick('t' || k, 5) WHEN 0 THEN 'sales' ELSE team END WHERE id = i AND region = r;
		RETURN;
	END IF;
	s := CASE WHEN l.status IN ('inquiry') THEN (ARRAY['mql', 'mql', 'customer', 'disqualified', 'sql'])[1 + pick('m' || k, 5)]
		WHEN l.status IN ('mql', 'qualified', 'unheard of') THEN (ARRAY['sal', 'sal', 'nurture', 'disqualified', 'inquiry'])[1 + pick('m' || k, 5)]
		WHEN l.status IN ('sal', 'accepted') THEN (ARRAY['sql', 'sql', 'nurture', 'mql', 'disqualified'])[1 + pick('m' || k, 5)]
		WHEN l.status = 'sql' THEN (ARRAY['customer', 'customer', 'partner', 'disqualified', 'sal'])[1 + pick('m' || k, 5)]
		WHEN l.status = 'nurture' THEN (ARRAY['mql', 'disqualified', NULL])[1 + pick('m' || k, 3)]
		WHEN l.status = 'disqualified' THEN (ARRAY['mql', 'disqualified'])[1 + pick('m' || k, 2)]
		WHEN l.status = 'customer' THEN (ARRAY['sal', 'customer'])[1 + pick('m' || k, 2)]
		ELSE 'mql' END;
	PERFORM set_config('align.override', CASE pick('v' || k, 9) WHEN 0 THEN 'agreed by phone' ELSE '' END, true);
	UPDATE leads SET status = s, reason = (ARRAY['budget', 'timing', 'unlisted', NULL, ''])[1 + pick('r' || k, 5)],
		campaign = CASE pick('cc' || k, 3) WHEN 0 THEN campaign('c' || k) ELSE l.campaign END,
		amount = CASE pick('am' || k, 6) WHEN 0 THEN NULL WHEN 1 THEN 'NaN' WHEN 2 THEN pick('b' || k, 2000) / 4.0 ELSE l.amount END,
		changed_at = coalesce(l.changed_at, '2025-03-01') + (pick('d' || k, 40000) - 500) * interval '1 minute'
	WHERE id = i AND region = r;
END $$;
CREATE TABLE snapshots (n int, a timestamptz);
CREATE PROCEDURE play(first int, last int, rounds int, salt int) LANGUAGE plpgsql AS $$
BEGIN
	FOR n IN 1 .. rounds LOOP
		FOR i IN first .. last LOOP
			IF n <= 1 + pick('rounds' || i, rounds) THEN
				PERFORM step(i, n + salt);
			END IF;
		END LOOP;
		COMMIT;
	END LOOP;
END $$;
-- What the views say now, to be compared with what the functions say of this instant later.
CREATE PROCEDURE snapshot(n int) LANGUAGE plpgsql AS $$
BEGIN
	COMMIT;
	INSERT INTO snapshots VALUES (n, now());
	EXECUTE format('CREATE TABLE leads_then_%s AS SELECT * FROM facts_reports.lead_facts', n);
	EXECUTE format('CREATE TABLE stages_then_%s AS SELECT * FROM facts_reports.stage_facts', n);
	EXECUTE format('CREATE TABLE touches_then_%s AS SELECT * FROM facts_reports.touch_facts', n);
	COMMIT;
END $$;

CALL play(21, 300, 6, 0);
CALL snapshot(1);
SELECT align.agree('company', replace(regexp_replace(:'agreement', '\msal\M', 'accepted', 'g'), 'within 4', 'within 5')
	|| ' accepted known as ''sal'';' || ' channel partner when source ''partner-*'';');
CALL play(21, 340, 4, 100);
DELETE FROM leads WHERE id % 23 = 0;
CALL snapshot(2);
-- again under the same key; other rows are archived, and some come back
CALL play(21, 340, 3, 200);
UPDATE leads SET archived = true WHERE id % 13 = 0;
UPDATE leads SET archived = false, status = CASE id % 2 WHEN 0 THEN 'mql' ELSE status END WHERE id % 26 = 0;
UPDATE leads SET status = 'accepted' WHERE status = 'sal';
SELECT align.agree('company', replace(regexp_replace(regexp_replace(:'agreement', '\msal\M', 'taken', 'g'), '\mmql\M', 'qualified', 'g'), 'within 4', 'within 6')
	|| ' taken known as ''accepted''; qualified known as ''mql''; hours of marketing ''UTC Mo-Th 08:00-16:00'';');
CALL play(21, 340, 3, 300);
CALL snapshot(3);
-- duplicates, some of which are worked on at the same time, and new keys
CREATE FUNCTION key(i int) RETURNS text LANGUAGE sql AS $$ SELECT format('{"region": "%s", "id": %s}', CASE WHEN i % 3 = 0 THEN 'us' ELSE 'eu' END, i) $$;
DO $$
BEGIN
	FOR i IN 50 .. 290 LOOP
		IF i % 7 = 0 THEN
			BEGIN
				PERFORM align.merge_leads('leads', key(i), key(i + 2));
				IF i % 2 = 0 THEN DELETE FROM leads WHERE id = i; END IF;
			EXCEPTION WHEN object_not_in_prerequisite_state OR no_data_found THEN NULL;
			END;
		END IF;
	END LOOP;
END $$;
UPDATE leads SET id = id + 1000 WHERE id % 31 = 0;
CALL play(21, 340, 2, 400);
-- what another system knew of those that were found
INSERT INTO log (region, id, at, stage, reason, amount, campaign)
SELECT 'eu', i, timestamptz '2024-11-01 09:00Z' + i * interval '5 hours' + n * interval '7 days', (ARRAY['inquiry', 'mql', 'sal'])[n], NULL, 100 * n, campaign('log' || i || n)
FROM generate_series(1, 40) i, generate_series(1, 3) n WHERE i % 4 = 1 AND n <= 1 + i % 3;
SELECT align.import_history('leads', 'SELECT region, id, at, no AS ordinal, stage, reason, amount, campaign FROM log') > 0;
CALL play(21, 60, 2, 500);
DELETE FROM leads WHERE id % 29 = 0;
SELECT count(*) AS problems FROM align.check('leads') \gset
-- touches of their own, as a later version will record them
SET session_replication_role = replica;
INSERT INTO leads_history (region, id, entry_no, event, effective_at, recorded_at, campaign, agreement, version, amount)
SELECT region, id, max(entry_no) + 1, 'touch', min(effective_at) + (max(effective_at) - min(effective_at)) * pick('touch' || id, 10) / 9, now(), campaign('touch' || id), 'company', 3, 1000000
FROM leads_history WHERE id % 5 = 0 GROUP BY region, id;
RESET session_replication_role;
CALL snapshot(4);
\set QUIET off
\set ECHO queries
-- What there is to be right about.
SELECT count(*) FILTER (WHERE event = 'opening' AND source LIKE '%undated') > 8 AS undated, count(*) FILTER (WHERE source LIKE 'merged%') > 50 AS merged,
	count(*) FILTER (WHERE source = 'import') > 10 AS imported, count(*) FILTER (WHERE event = 'owner') > 50 AS owner, count(*) FILTER (WHERE event = 'deleted') > 10 AS deleted,
	count(*) FILTER (WHERE source = 'resumed') > 5 AS resumed, count(*) FILTER (WHERE event = 'override') > 20 AS override, count(*) FILTER (WHERE event = 'rekey') > 20 AS rekey,
	count(*) FILTER (WHERE violation LIKE '%,%') > 2 AS two_rules, count(*) FILTER (WHERE amount IN ('NaN', 'Infinity')) > 20 AS not_finite,
	count(*) FILTER (WHERE event = 'move' AND stage IS NULL) > 2 AS left_funnel, count(DISTINCT version) AS versions, count(*) > 2000 AS many FROM leads_history;
SELECT :problems AS problems;

-- The name of a stage in a version, its place and its kind.
CREATE FUNCTION today(label text, v int) RETURNS text LANGUAGE sql IMMUTABLE AS $$
	SELECT CASE WHEN label IN ('sal', 'accepted', 'taken') THEN (ARRAY['sal', 'accepted', 'taken'])[v]
		WHEN label IN ('mql', 'qualified') THEN (ARRAY['mql', 'mql', 'qualified'])[v] ELSE label END $$;
CREATE FUNCTION place(stage text) RETURNS int LANGUAGE sql IMMUTABLE AS $$
	SELECT CASE WHEN stage IN ('accepted', 'taken') THEN 3 WHEN stage = 'qualified' THEN 2
		ELSE array_position(ARRAY['inquiry', 'mql', 'sal', 'sql', 'nurture', 'customer', 'partner', 'disqualified'], stage) END $$;
CREATE FUNCTION kind(stage text) RETURNS text LANGUAGE sql IMMUTABLE AS $$
	SELECT CASE WHEN stage IN ('customer', 'partner') THEN 'won' WHEN stage = 'disqualified' THEN 'lost'
		WHEN place(stage) IS NULL THEN '(other)' ELSE 'open' END $$;
CREATE FUNCTION shown(t text) RETURNS text LANGUAGE sql IMMUTABLE AS $$ SELECT CASE WHEN t IS NULL OR t ~ '^ *$' THEN '(none)' ELSE t END $$;
CREATE FUNCTION working(v int, team text, since timestamptz, until timestamptz) RETURNS bigint LANGUAGE sql STABLE AS $$
	SELECT round(extract(epoch FROM align.working_time(CASE WHEN team IN ('marketing', 'sales') THEN align.hours(f.funnel, team) ELSE align.hours(f.funnel) END, since, until)))
	FROM align.agreements f WHERE name = 'company' AND version = v $$;

-- One lead after the other, one entry after the other, as of an instant.
CREATE TABLE want_leads (LIKE facts_reports.lead_facts);
CREATE TABLE want_stages (LIKE facts_reports.stage_facts);
CREATE PROCEDURE expect(a timestamptz) LANGUAGE plpgsql AS $$
DECLARE
	v int := (SELECT max(version) FROM align.agreements WHERE name = 'company' AND valid_from <= a);
	k record; own leads_history[]; merged leads_history[]; seq leads_history[]; e leads_history; j int; placed timestamptz;
	l want_leads; s want_stages; no_lead want_leads; none want_stages;
	team text; assignee text; st text; teams text[]; gone timestamptz; visits jsonb; since timestamptz; first timestamptz; entered timestamptz; submitted boolean;
BEGIN
	DELETE FROM want_leads;
	DELETE FROM want_stages;
	FOR k IN SELECT DISTINCT region, id FROM leads_history LOOP
		SELECT coalesce(array_agg(h ORDER BY entry_no) FILTER (WHERE coalesce(source, '') !~ '^merged'), '{}'),
			coalesce(array_agg(h ORDER BY effective_at, entry_no) FILTER (WHERE source ~ '^merged' AND event IN ('opening', 'entry', 'move', 'override') AND stage IS NOT NULL), '{}')
		INTO own, merged FROM leads_history h
		WHERE h.region = k.region AND h.id = k.id AND (h.event NOT IN ('rekey', 'touch') OR h.note ~ '^merged from') AND coalesce(h.source, '') !~ 'not live$' AND h.effective_at <= a
			AND CASE WHEN h.event = 'opening' OR h.source ~ 'import$' THEN h.effective_at ELSE h.recorded_at END <= a;
		-- entries of a duplicate stand where their time belongs
		seq := '{}'; j := 1;
		FOREACH e IN ARRAY own LOOP
			placed := CASE WHEN e.event IN ('opening', 'entry', 'move', 'override') AND e.stage IS NOT NULL THEN e.effective_at END;
			WHILE j <= cardinality(merged) AND CASE WHEN placed IS NOT NULL THEN ((merged[j]).effective_at, (merged[j]).entry_no) < (placed, e.entry_no) ELSE (merged[j]).entry_no < e.entry_no END LOOP
				seq := seq || merged[j]; j := j + 1;
			END LOOP;
			seq := seq || e;
		END LOOP;
		seq := seq || merged[j : cardinality(merged)];

		l := no_lead; s := none; team := NULL; assignee := NULL; teams := '{}'; visits := '{}'; gone := NULL; submitted := false;
		l.moves := 0; l.recycles := 0; l.violations := 0; l.overrides := 0; l.lost_reason := '(none)';
		FOR i IN 1 .. cardinality(seq) LOOP
			e := seq[i];
			l.recorded_at := greatest(l.recorded_at, e.recorded_at);
			IF e.amount NOT IN ('NaN', 'Infinity', '-Infinity') THEN l.amount := e.amount; END IF;
			IF e.event = 'override' THEN l.overrides := l.overrides + 1; END IF;
			IF e.event <> 'opening' AND coalesce(e.source, '') !~ 'import$' AND e.violation IS NOT NULL THEN
				l.violations := l.violations + 1 + length(e.violation) - length(replace(e.violation, ',', ''));
			END IF;
			CONTINUE WHEN e.event = 'deleted' AND (seq[i + 1]).source = 'resumed'; -- was only not live for a while
			IF e.event IN ('owner', 'rekey') THEN
				team := e.team; assignee := e.assignee;
				CONTINUE;
			END IF;
			st := CASE WHEN e.event IN ('opening', 'entry', 'move', 'override') THEN today(e.stage, v) END;
			IF st IS NOT NULL AND l.entry_stage IS NULL THEN
				l.entry_stage := st; l.is_late := e.event = 'opening'; first := e.effective_at;
				l.segment := CASE WHEN 'big' = ANY (e.segments) THEN 'big' WHEN 'demo' = ANY (e.segments) THEN 'demo' ELSE '(other)' END;
			END IF;
			IF st IS NOT NULL AND e.event <> 'opening' THEN
				IF e.handoff IS NOT NULL THEN l.submitted_at := least(l.submitted_at, e.effective_at); END IF;
				IF kind(st) = 'won' THEN l.won_at := least(l.won_at, e.effective_at); END IF;
				IF kind(st) = 'lost' THEN l.lost_at := least(l.lost_at, e.effective_at); END IF;
				IF submitted AND st = today('sal', v) AND s.stage = today('mql', v) THEN l.accepted_at := least(l.accepted_at, e.effective_at); END IF;
				submitted := submitted OR e.handoff IS NOT NULL;
			END IF;
			teams := teams || CASE WHEN place(st) IN (1, 2, 5) THEN ARRAY['marketing'] WHEN place(st) IN (3, 4) THEN ARRAY['sales'] END;
			IF st IS DISTINCT FROM s.stage THEN
				IF s.stage IS NOT NULL THEN
					s.left_at := e.effective_at; s.left_by := e.event; s.next_stage := coalesce(st, '(none)'); s.reason := shown(e.reason); s.is_current := false;
					s.recorded_at := greatest(s.recorded_at, e.recorded_at);
					s.team := shown(team); s.assignee := shown(assignee);
					s.elapsed_seconds := round(extract(epoch FROM s.left_at - since)); s.working_seconds := working(s.version, team, since, s.left_at);
					INSERT INTO want_stages SELECT s.*;
				END IF;
				IF st IS NULL THEN
					gone := e.effective_at;
				ELSE
					visits := visits || jsonb_build_object(st, coalesce((visits ->> st)::int, 0) + 1);
					entered := e.effective_at;
					since := CASE WHEN coalesce(e.source, '') !~ 'undated$' THEN entered END;
					IF s.stage IS NOT NULL THEN
						l.moves := l.moves + 1;
						IF place(st) < place(s.stage) THEN l.recycles := l.recycles + 1; END IF;
					END IF;
					IF kind(st) = 'lost' THEN l.lost_reason := shown(e.reason); END IF;
					s.previous_stage := coalesce(s.stage, '(none)');
				END IF;
				s.stage := st;
				s.visit_no := visits ->> st; s.entry_no := e.entry_no; s.version := e.version; s.is_entry := e.event <> 'opening'; s.recorded_at := e.recorded_at;
				s.entered_at := CASE WHEN s.is_entry THEN e.effective_at ELSE since END;
				s.left_at := NULL; s.left_by := NULL; s.next_stage := '(none)'; s.reason := '(none)'; s.is_current := true; s.is_late := l.is_late;
			END IF;
			team := e.team; assignee := e.assignee;
		END LOOP;
		CONTINUE WHEN l.entry_stage IS NULL;
		IF s.stage IS NOT NULL THEN
			s.team := shown(team); s.assignee := shown(assignee);
			s.elapsed_seconds := round(extract(epoch FROM a - since)); s.working_seconds := working(s.version, team, since, a);
			INSERT INTO want_stages SELECT s.*;
			l.since := since; l.team := s.team; l.assignee := s.assignee; l.in_stage_seconds := s.elapsed_seconds; l.in_stage_working_seconds := s.working_seconds;
		ELSE
			l.team := '(none)'; l.assignee := '(none)';
		END IF;
		UPDATE want_stages SET region = k.region, id = k.id WHERE region IS NULL;
		l.region := k.region; l.id := k.id;
		l.recorded_at := greatest(l.recorded_at, (SELECT max(recorded_at) FROM leads_history h WHERE h.region = k.region AND h.id = k.id AND event = 'touch' AND h.recorded_at <= a AND h.effective_at <= a));
		l.stage := coalesce(s.stage, '(none)'); l.stage_order := place(s.stage); l.stage_kind := CASE WHEN s.stage IS NULL THEN '(none)' ELSE kind(s.stage) END;
		l.status := CASE WHEN s.stage IS NULL THEN 'gone' WHEN l.stage_kind IN ('won', 'lost') THEN l.stage_kind ELSE 'open' END;
		l.since_known := l.since IS NOT NULL;
		IF NOT l.is_late THEN
			l.entered_at := first;
			l.age_seconds := round(extract(epoch FROM CASE l.status WHEN 'gone' THEN gone WHEN 'open' THEN a ELSE entered END - first));
		END IF;
		l.is_touchless := l.won_at IS NOT NULL AND NOT (teams @> '{marketing,sales}');
		INSERT INTO want_leads SELECT l.*;
	END LOOP;
	UPDATE want_stages SET stage_order = place(stage), stage_kind = kind(stage), entered_on = (entered_at AT TIME ZONE 'America/New_York')::date,
		left_on = (left_at AT TIME ZONE 'America/New_York')::date;
	UPDATE want_leads SET entered_on = (entered_at AT TIME ZONE 'America/New_York')::date;
END $$;

CREATE PROCEDURE compare(n int) LANGUAGE plpgsql AS $$
DECLARE
	instant timestamptz := (SELECT s.a FROM snapshots s WHERE s.n = compare.n);
	c text; bad bigint; leads bigint; stages bigint;
BEGIN
	CALL expect(instant);
	CREATE TEMP TABLE got_leads AS SELECT * FROM facts_reports.lead_facts(instant);
	CREATE TEMP TABLE got_stages AS SELECT * FROM facts_reports.stage_facts(instant);
	SELECT count(*) INTO leads FROM got_leads FULL JOIN want_leads USING (region, id) WHERE got_leads.row_key IS NULL OR want_leads.stage IS NULL;
	SELECT count(*) INTO stages FROM got_stages FULL JOIN want_stages USING (region, id, entry_no) WHERE got_stages.row_key IS NULL OR want_stages.stage IS NULL;
	RAISE NOTICE 'snapshot %: % leads, % visits; % and % of them only in one', n, (SELECT count(*) > 250 FROM got_leads), (SELECT count(*) > 500 FROM got_stages), leads, stages;
	FOREACH c IN ARRAY '{entered_at,entered_on,entry_stage,is_late,since_known,stage,stage_order,stage_kind,team,assignee,since,status,submitted_at,accepted_at,won_at,lost_at,lost_reason,amount,segment,moves,recycles,violations,overrides,is_touchless,age_seconds,in_stage_seconds,in_stage_working_seconds,recorded_at}'::text[] LOOP
		EXECUTE format('SELECT count(*) FROM got_leads g JOIN want_leads w USING (region, id) WHERE g.%1$I IS DISTINCT FROM w.%1$I', c) INTO bad;
		IF bad > 0 THEN RAISE NOTICE 'lead_facts.%: % differ', c, bad; END IF;
	END LOOP;
	FOREACH c IN ARRAY '{visit_no,stage,stage_order,stage_kind,team,assignee,entered_at,left_at,entered_on,left_on,previous_stage,next_stage,reason,is_current,is_late,elapsed_seconds,working_seconds,is_entry,left_by,version,recorded_at}'::text[] LOOP
		EXECUTE format('SELECT count(*) FROM got_stages g JOIN want_stages w USING (region, id, entry_no) WHERE g.%1$I IS DISTINCT FROM w.%1$I', c) INTO bad;
		IF bad > 0 THEN RAISE NOTICE 'stage_facts.%: % differ', c, bad; END IF;
	END LOOP;
END $$;
SET client_min_messages = notice;
CALL compare(1);
DROP TABLE got_leads, got_stages;
CALL compare(2);
DROP TABLE got_leads, got_stages;
CALL compare(3);
DROP TABLE got_leads, got_stages;
CALL compare(4);

-- What the views said then is what the functions say of it now, apart from leads
-- whose past was brought in, or got another key, since.
CREATE VIEW changed_past AS
	SELECT region, id FROM leads_history WHERE event = 'rekey' OR source ~ '^merged' OR source ~ 'import$'
	UNION SELECT region, id - 1000 FROM leads_history WHERE id > 1000
	UNION SELECT region, id FROM leads_history WHERE event = 'touch'
	UNION (SELECT region, id FROM leads_then_3 EXCEPT SELECT region, id FROM leads_history);
SELECT s.n, t.leads, t.stages, t.touches FROM snapshots s, LATERAL (
	SELECT (SELECT count(*) FROM facts_reports.lead_facts(s.a) WHERE (region, id) NOT IN (TABLE changed_past)) > 100,
		(SELECT count(*) FROM facts_reports.stage_facts(s.a) WHERE (region, id) NOT IN (TABLE changed_past)) > 200,
		(SELECT count(*) FROM facts_reports.touch_facts(s.a) WHERE (region, id) NOT IN (TABLE changed_past)) > 100) AS t (leads, stages, touches) ORDER BY n;
CREATE FUNCTION differences(n int, facts text, stored text) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
	result bigint;
BEGIN
	EXECUTE format($q$
		WITH now_said AS (SELECT to_jsonb(f) - 'lead_kind' - 'area' AS row FROM facts_reports.%1$I(%2$L) f WHERE (region, id) NOT IN (TABLE changed_past)),
			then_said AS (SELECT to_jsonb(f) - 'lead_kind' - 'area' AS row FROM %3$I f WHERE (region, id) NOT IN (TABLE changed_past))
		SELECT count(*) FROM ((TABLE now_said EXCEPT ALL TABLE then_said) UNION ALL (TABLE then_said EXCEPT ALL TABLE now_said)) AS d $q$,
		facts, (SELECT a FROM snapshots s WHERE s.n = differences.n), stored || '_then_' || n) INTO result;
	RETURN result;
END $$;
SELECT n, differences(n, 'lead_facts', 'leads') AS leads, differences(n, 'stage_facts', 'stages') AS stages, differences(n, 'touch_facts', 'touches') AS touches
FROM generate_series(1, 4) n;
-- the last snapshot with those
SELECT count(*) FROM (SELECT to_jsonb(f) - 'lead_kind' - 'area' FROM facts_reports.touch_facts((SELECT a FROM snapshots WHERE n = 4)) f EXCEPT ALL SELECT to_jsonb(f) - 'lead_kind' - 'area' FROM touches_then_4 f) d;

-- Touches are those of journeys(), and so are shares; an opening in a won stage is no win.
CREATE TABLE journeys AS
	SELECT key ->> 'region' AS region, (key ->> 'id')::int AS id, j.lead, f.won_at, f.submitted_at, f.amount, f.is_late, f.entry_stage
	FROM align.journeys('leads') j JOIN facts_reports.lead_facts f ON f.region = key ->> 'region' AND f.id = (key ->> 'id')::int;
SELECT count(*) FROM align.journeys('leads') HAVING count(*) = (SELECT count(*) FROM journeys);
SELECT count(*) > 300 AS many, count(*) FILTER (WHERE f.touch_no IS DISTINCT FROM t.touch OR f.touched_at IS DISTINCT FROM t.at OR f.channel IS DISTINCT FROM t.channel
		OR f.campaign_key IS DISTINCT FROM align.campaign_key(align.parse_campaign(t.campaign)) OR f.campaign_source IS DISTINCT FROM shown(t.campaign_source)
		OR f.campaign_medium IS DISTINCT FROM shown(t.campaign_medium) OR f.campaign_name IS DISTINCT FROM shown(t.campaign_name)
		OR f.campaign_term IS DISTINCT FROM shown(align.campaign_term(align.parse_campaign(t.campaign)))
		OR f.campaign_content IS DISTINCT FROM shown(align.campaign_content(align.parse_campaign(t.campaign)))
		OR f.campaign_id IS DISTINCT FROM shown(align.campaign_id(align.parse_campaign(t.campaign)))
		OR f.touched_on IS DISTINCT FROM (t.at AT TIME ZONE 'America/New_York')::date
		OR f.after_win IS DISTINCT FROM coalesce(t.at > f.won_at, false)) AS bad
FROM (SELECT j.region, j.id, t.* FROM journeys j, align.touches(j.lead, align.agreed('company')) t) t
	FULL JOIN (SELECT * FROM facts_reports.touch_facts WHERE touch_no > 0) f ON f.region = t.region AND f.id = t.id AND f.touch_no = t.touch;
\set ECHO none
\set QUIET on
CREATE TABLE shares (model text, region text, id int, touch_no int, share float8, amount numeric, got boolean);
DO $$
DECLARE
	m text;
BEGIN
	FOREACH m IN ARRAY '{first,last,last_non_direct,linear,position,time_decay,u_shaped,w_shaped,full_path,shapley}'::text[] LOOP
		EXECUTE format('INSERT INTO shares SELECT %1$L, region, id, touch_no, won_share_%1$s, won_amount_%1$s, true FROM facts_reports.touch_facts', m);
		INSERT INTO shares SELECT m, region, id, coalesce(c.touch, 0), c.share, c.amount, false
		FROM journeys j, align.funnel_credit(j.lead, align.agreed('company'), m, milestones => CASE WHEN m IN ('w_shaped', 'full_path') THEN ARRAY[NULL, 'sql'] END) c
		WHERE j.won_at IS NOT NULL AND NOT (is_late AND entry_stage IN ('customer', 'partner'));
	END LOOP;
END $$;
\set QUIET off
\set ECHO queries
-- by model: leads won, of which without a touch, sums, and shares that differ from
-- those of funnel_credit(), which divides the amount of the day of the win
SELECT model, count(DISTINCT (s.region, s.id)) FILTER (WHERE got AND j.won_at IS NOT NULL) > 30 AS won, count(*) FILTER (WHERE got AND touch_no = 0) > 0 AS none,
	count(*) FILTER (WHERE got AND j.won_at IS NULL AND (share <> 0 OR s.amount <> 0)) AS not_won
FROM shares s JOIN journeys j USING (region, id) GROUP BY model ORDER BY model;
SELECT model, count(*) FILTER (WHERE abs(share - 1) > 1e-9) AS bad_shares, count(*) FILTER (WHERE amount IS DISTINCT FROM lead_amount) AS bad_amounts,
	count(*) FILTER (WHERE lead_amount IS NULL) > 0 AS missing, sum(amount) = (SELECT sum(amount) FROM journeys WHERE won_at IS NOT NULL) AS adds_up
FROM (SELECT model, region, id, sum(s.share) AS share, sum(s.amount) AS amount, min(j.amount) AS lead_amount
	FROM shares s JOIN journeys j USING (region, id) WHERE got AND j.won_at IS NOT NULL GROUP BY 1, 2, 3) x GROUP BY model ORDER BY model;
SELECT count(*) > 500 AS many, count(*) FILTER (WHERE a.share IS DISTINCT FROM b.share) AS bad_shares, count(*) FILTER (WHERE a.amount = b.amount) > 300 AS same_amount,
	count(*) FILTER (WHERE a.amount IS DISTINCT FROM b.amount AND j.amount IS NOT DISTINCT FROM b.total) AS bad_amounts
FROM (SELECT * FROM shares WHERE got AND share > 0) a
	FULL JOIN (SELECT *, sum(amount) OVER (PARTITION BY model, region, id) AS total FROM shares WHERE NOT got) b USING (model, region, id, touch_no)
	JOIN journeys j USING (region, id) WHERE NOT (j.is_late AND j.entry_stage IN ('customer', 'partner'));

-- First, decisive and last campaign, and the touches of a lead.
SELECT count(*) AS leads, count(*) FILTER (WHERE f.touches IS DISTINCT FROM t.n OR f.first_touch_at IS DISTINCT FROM t.first_at OR f.last_touch_at IS DISTINCT FROM t.last_at) AS bad_touches,
	count(*) FILTER (WHERE (f.first_campaign, f.first_channel) IS DISTINCT FROM (coalesce(align.parse_campaign(a.campaign)::text, '(none)'), coalesce(a.channel, '(none)'))) AS bad_first,
	count(*) FILTER (WHERE (f.last_campaign, f.last_channel) IS DISTINCT FROM (coalesce(align.parse_campaign(z.campaign)::text, '(none)'), coalesce(z.channel, '(none)'))) AS bad_last,
	count(*) FILTER (WHERE (f.decisive_campaign, f.decisive_channel) IS DISTINCT FROM CASE WHEN f.submitted_at IS NULL THEN ('(not submitted)'::text, '(not submitted)'::text)
		ELSE (coalesce(align.parse_campaign(d.campaign)::text, '(none)'), coalesce(d.channel, '(none)')) END) AS bad_decisive,
	count(*) FILTER (WHERE f.decisive_campaign = '(none)') > 5 AS none, count(*) FILTER (WHERE f.decisive_channel = 'Direct') > 1 AS direct,
	count(*) FILTER (WHERE f.first_campaign <> f.decisive_campaign AND f.decisive_campaign <> f.last_campaign) > 3 AS three
FROM facts_reports.lead_facts f JOIN journeys j USING (region, id)
	LEFT JOIN LATERAL (SELECT count(*) AS n, min(at) AS first_at, max(at) AS last_at FROM align.touches(j.lead, align.agreed('company'))) t ON true
	LEFT JOIN LATERAL (SELECT * FROM align.touches(j.lead, align.agreed('company')) WHERE at <= coalesce(f.won_at, 'infinity') ORDER BY touch LIMIT 1) a ON true
	LEFT JOIN LATERAL (SELECT * FROM align.touches(j.lead, align.agreed('company')) WHERE at <= coalesce(f.won_at, 'infinity') ORDER BY touch DESC LIMIT 1) z ON true
	LEFT JOIN LATERAL (SELECT * FROM align.touches(j.lead, align.agreed('company')) WHERE at <= f.submitted_at ORDER BY channel <> 'Direct' DESC, touch DESC LIMIT 1) d ON true;
-- is_first, is_decisive and is_last mark the rows of these
CREATE FUNCTION key_of(campaign text) RETURNS text LANGUAGE sql IMMUTABLE AS $$ SELECT CASE WHEN campaign ~ '^\(' THEN campaign ELSE align.campaign_key(align.parse_campaign(campaign)) END $$;
SELECT count(*) FILTER (WHERE n_first <> (first_campaign <> '(none)' OR won_at IS NOT NULL)::int) AS bad_first,
	count(*) FILTER (WHERE n_last <> (last_campaign <> '(none)' OR won_at IS NOT NULL)::int) AS bad_last,
	count(*) FILTER (WHERE decisive_campaign NOT IN ('(none)', '(not submitted)') AND n_decisive <> 1) AS bad_decisive,
	count(*) FILTER (WHERE first_of <> key_of(first_campaign) OR last_of <> key_of(last_campaign) OR decisive_of <> key_of(decisive_campaign)) AS other
FROM (SELECT f.*, count(*) FILTER (WHERE t.is_first) AS n_first, count(*) FILTER (WHERE t.is_last) AS n_last, count(*) FILTER (WHERE t.is_decisive) AS n_decisive,
		max(t.campaign_key) FILTER (WHERE t.is_first) AS first_of, max(t.campaign_key) FILTER (WHERE t.is_last) AS last_of, max(t.campaign_key) FILTER (WHERE t.is_decisive) AS decisive_of
	FROM facts_reports.lead_facts f JOIN facts_reports.touch_facts t USING (region, id)
	GROUP BY f.row_key, f.region, f.id, f.entered_at, f.entered_on, f.entry_stage, f.is_late, f.since_known, f.stage, f.stage_order, f.stage_kind, f.team, f.assignee, f.since, f.status, f.submitted_at, f.accepted_at, f.won_at, f.lost_at, f.lost_reason, f.amount, f.segment, f.first_campaign, f.decisive_campaign, f.last_campaign, f.first_channel, f.decisive_channel, f.last_channel, f.touches, f.first_touch_at, f.last_touch_at, f.moves, f.recycles, f.violations, f.overrides, f.is_touchless, f.age_seconds, f.in_stage_seconds, f.in_stage_working_seconds, f.recorded_at, f.lead_kind, f.area) x;
-- Dimensions are those of today; a lead that was deleted has none.
SELECT count(*) FILTER (WHERE (f.lead_kind, f.area) IS DISTINCT FROM (l.kind, upper(l.region))) AS bad, count(*) FILTER (WHERE l.id IS NULL) > 5 AS gone, bool_and(f.status = 'gone') FILTER (WHERE l.id IS NULL) AS all_gone
FROM facts_reports.lead_facts f LEFT JOIN leads l USING (region, id);
-- The same of the other facts: of a lead whose row was deleted they are NULL.
SELECT f.fact, count(*) FILTER (WHERE (f.lead_kind, f.area) IS DISTINCT FROM (l.kind, upper(l.region))) AS bad, count(*) FILTER (WHERE l.id IS NULL) > 5 AS gone
FROM (SELECT 'handoff' AS fact, region, id, lead_kind, area FROM facts_reports.handoff_facts UNION ALL SELECT 'sla', region, id, lead_kind, area FROM facts_reports.sla_facts
	UNION ALL SELECT 'stage', region, id, lead_kind, area FROM facts_reports.stage_facts UNION ALL SELECT 'touch', region, id, lead_kind, area FROM facts_reports.touch_facts) f
	LEFT JOIN leads l USING (region, id) GROUP BY 1 ORDER BY 1;
-- The current visit of stage_facts is what lead_facts says.
SELECT count(*) AS open, count(*) FILTER (WHERE (l.stage, l.stage_order, l.stage_kind, l.team, l.assignee, l.since, l.in_stage_seconds, l.in_stage_working_seconds)
	IS DISTINCT FROM (s.stage, s.stage_order, s.stage_kind, s.team, s.assignee, CASE WHEN s.elapsed_seconds IS NOT NULL THEN s.entered_at END, s.elapsed_seconds, s.working_seconds)) AS bad
FROM (SELECT * FROM facts_reports.lead_facts WHERE status <> 'gone') l FULL JOIN (SELECT * FROM facts_reports.stage_facts WHERE is_current) s USING (region, id);
-- What the rows of the table say. A duplicate whose journey was merged into another lead is no lead.
SELECT count(*) > 250 AS leads, count(*) FILTER (WHERE f.stage IS DISTINCT FROM today(l.status, 3)) AS bad_stage, count(*) FILTER (WHERE f.assignee IS DISTINCT FROM shown(l.owner)) AS bad_assignee,
	count(*) FILTER (WHERE f.team IS DISTINCT FROM shown(l.team)) AS bad_team
FROM leads l FULL JOIN (SELECT * FROM facts_reports.lead_facts WHERE status <> 'gone') f USING (region, id)
WHERE (l.status IS NOT NULL AND NOT l.archived AND EXISTS (SELECT FROM leads_history h WHERE (h.region, h.id) = (l.region, l.id) AND event IN ('opening', 'entry', 'move', 'override'))) OR l.id IS NULL;
-- Firsts, over all entries.
SELECT count(*) FILTER (WHERE h.won_at IS DISTINCT FROM f.won_at) AS bad_won, count(*) FILTER (WHERE h.lost_at IS DISTINCT FROM f.lost_at) AS bad_lost, count(h.won_at) > 50 AS won, count(h.lost_at) > 50 AS lost
FROM (SELECT region, id, min(effective_at) FILTER (WHERE stage IN ('customer', 'partner')) AS won_at, min(effective_at) FILTER (WHERE stage = 'disqualified') AS lost_at
	FROM leads_history WHERE event IN ('entry', 'move', 'override') AND coalesce(source, '') <> 'not live' GROUP BY region, id) h JOIN facts_reports.lead_facts f USING (region, id);
-- Submissions and acceptances are those of handoff_facts.
SELECT count(*) FILTER (WHERE h.submitted_at IS DISTINCT FROM f.submitted_at) AS bad_submitted, count(*) FILTER (WHERE h.accepted_at IS DISTINCT FROM f.accepted_at) AS bad_accepted,
	count(f.submitted_at) > 100 AS submitted, count(f.accepted_at) > 30 AS accepted
FROM facts_reports.lead_facts f LEFT JOIN (SELECT region, id, min(submitted_at) AS submitted_at, min(decided_at) FILTER (WHERE outcome = 'accepted') AS accepted_at FROM facts_reports.handoff_facts GROUP BY 1, 2) h USING (region, id);
SET client_min_messages = warning;
DROP SCHEMA facts_reports CASCADE;
DROP SCHEMA report_facts CASCADE;
