-- Stored reports, against reports on the same table that compute what they show:
-- after everything that can happen to leads, both are the same.
\set ECHO none
\set QUIET on
SET timezone = 'UTC';
SET client_min_messages = error;
SET jit = off;
CREATE SCHEMA report_stored;
SET search_path = report_stored;
\set agreement 'hours ''Europe/London Mo-Fr 09:00-17:30''; hours of sales ''America/New_York Mo-Su 00:00-24:00''; stage inquiry, mql held by marketing; stage sal, sql held by sales; stage nurture held by marketing; won customer; lost disqualified; entry inquiry, mql; success path inquiry -> mql -> sal -> sql -> customer; path any -> nurture -> mql; path any -> disqualified; path any -> sal; handoff intake: mql from marketing to sales, accept sal, reject nurture, disqualified, within 4 working hours; sla close by sales: from sal, sql to customer, disqualified within 2 days, warn after 1 day, pause nurture; segment big: ''amount >= 500'';'
SELECT align.agree('stored', :'agreement');
CREATE TABLE leads (id int, region text, status text, owner text, reason text, note text, amount numeric,
	campaign text, kind text, archived boolean DEFAULT false, changed_at timestamptz, PRIMARY KEY (region, id));
INSERT INTO leads SELECT i, 'eu', (ARRAY['inquiry', 'mql', 'sal', 'customer', 'unheard of'])[1 + i % 5], 'ann', NULL, NULL, i * 30, NULL, 'demo' FROM generate_series(1, 12) i;
SELECT align.attach('leads', 'stored', mode => 'observe', stage => 'status', assignee => 'owner', reason => 'reason', note => 'note',
	amount => 'amount', campaign => 'campaign', live => 'NOT archived', changed_at => 'changed_at');
CREATE SCHEMA kept;
CREATE SCHEMA computed;
SELECT align.create_reports('leads', 'computed', dimensions => '{"kind AS lead_kind","upper(region) AS area"}', complete_since => '2025-01-01');
SELECT align.create_reports('leads', 'kept', dimensions => '{"kind AS lead_kind","upper(region) AS area"}', complete_since => '2025-01-01', stored => true);
RESET client_min_messages;

-- The rows of the facts and of all reports that differ.
CREATE FUNCTION differences(only_facts boolean) RETURNS TABLE (report name, side text, n bigint) LANGUAGE plpgsql AS $$
BEGIN
	FOR report IN SELECT c.relname FROM pg_class c WHERE c.relnamespace = 'kept'::regnamespace AND c.relkind = 'v' AND c.relname <> 'report_settings' AND (c.relname LIKE '%\_facts' OR NOT only_facts) ORDER BY 1
	LOOP
		RETURN QUERY EXECUTE format('WITH kept AS MATERIALIZED (TABLE kept.%1$I), computed AS MATERIALIZED (TABLE computed.%1$I)
			SELECT %1$L::name, x.side, count(*) FROM (SELECT ''stored'' AS side, to_jsonb(k) FROM kept k EXCEPT ALL SELECT ''stored'', to_jsonb(c) FROM computed c) x GROUP BY 2
			UNION ALL SELECT %1$L::name, x.side, count(*) FROM (SELECT ''computed'' AS side, to_jsonb(c) FROM computed c EXCEPT ALL SELECT ''computed'', to_jsonb(k) FROM kept k) x GROUP BY 2', report);
	END LOOP;
END $$;

-- The journeys that are stored, against journeys() and the facts.
CREATE FUNCTION value_differences() RETURNS TABLE (what text, key jsonb) LANGUAGE sql AS $$
	SELECT 'journey', coalesce(j.key, v.key)
	FROM align.journeys('report_stored.leads') AS j
		FULL JOIN (SELECT jsonb_build_object('region', v.region, 'id', v.id) AS key, v.journey AS lead FROM kept.lead_values AS v) AS v ON v.key = j.key
	WHERE j.lead OPERATOR(align.=) v.lead IS NOT TRUE
	UNION ALL
	SELECT 'facts', jsonb_build_object('region', region, 'id', id)
	FROM (SELECT row_key, region, id, entered_at, entered_on, entry_stage, is_late, segment, first_channel, lead_kind, area FROM kept.lead_values WHERE entry_stage <> '(none)'
		EXCEPT SELECT row_key, region, id, entered_at, entered_on, entry_stage, is_late, segment, first_channel, lead_kind, area FROM computed.lead_facts) AS v
	UNION ALL
	SELECT 'key twice', to_jsonb(v.row_key) FROM kept.lead_values AS v GROUP BY v.row_key HAVING count(*) > 1
$$;

-- Conversions of each day of entry, brought up to date (docs/incremental.md): those
-- of days that have changed; and whether all are what they would be computed anew.
CREATE TABLE daily (entered_on date, area text, refreshed_at timestamptz, conversion align.conversion);
CREATE TABLE summarised (days bigint, of_days bigint);
CREATE PROCEDURE bring_up_to_date() LANGUAGE plpgsql AS $$
BEGIN
	INSERT INTO summarised SELECT count(*) FILTER (WHERE c.entered_on IS NULL), count(*)
	FROM kept.entry_days AS d LEFT JOIN (SELECT DISTINCT entered_on, refreshed_at FROM daily) AS c USING (entered_on, refreshed_at)
	WHERE EXISTS (SELECT FROM kept.lead_values AS v WHERE v.entered_on = d.entered_on);
	DELETE FROM daily AS c
	WHERE NOT EXISTS (SELECT FROM kept.entry_days AS d WHERE d.entered_on = c.entered_on AND d.refreshed_at = c.refreshed_at);
	INSERT INTO daily
	SELECT v.entered_on, v.area, d.refreshed_at, align.conversion_agg(v.journey, '{inquiry,mql,sal,customer}', NULL, 'ordered', '2199-01-01')
	FROM kept.entry_days AS d JOIN kept.lead_values AS v USING (entered_on)
	WHERE NOT EXISTS (SELECT FROM daily AS c WHERE c.entered_on = d.entered_on)
	GROUP BY v.entered_on, v.area, d.refreshed_at;
END $$;
CREATE FUNCTION daily_differences() RETURNS SETOF text LANGUAGE sql AS $$
	SELECT x::text FROM (
		SELECT entered_on, area, conversion::text FROM daily
		EXCEPT ALL
		SELECT entered_on, area, align.conversion_agg(journey, '{inquiry,mql,sal,customer}', NULL, 'ordered', '2199-01-01')::text
		FROM kept.lead_values WHERE entered_on IS NOT NULL GROUP BY entered_on, area) AS x
	UNION ALL SELECT 'rows' WHERE (SELECT count(*) FROM daily) <> (SELECT count(DISTINCT (entered_on, area)) FROM kept.lead_values WHERE entered_on IS NOT NULL)
$$;
\unset QUIET
SELECT * FROM differences(false);
SELECT align.refresh_reports('leads');
SELECT * FROM value_differences();
\set QUIET on

-- What happens to a lead, by chance: of one, or of several at a time.
CREATE FUNCTION a_stage() RETURNS text LANGUAGE sql VOLATILE AS $$ SELECT (ARRAY['inquiry', 'mql', 'mql', 'sal', 'sal', 'sql', 'customer', 'nurture', 'disqualified', 'accepted', NULL])[1 + floor(random() * 11)] $$;
CREATE FUNCTION a_campaign() RETURNS text LANGUAGE sql VOLATILE AS $$ SELECT (ARRAY[NULL, '(direct)', 'utm_source=google&utm_medium=cpc&utm_campaign=spring', 'utm_source=news&utm_medium=email'])[1 + floor(random() * 4)] $$;
CREATE FUNCTION happen(dice float8) RETURNS text LANGUAGE plpgsql VOLATILE AS $$
DECLARE
	a int := 1 + floor(random() * 40);
	b int := 1 + floor(random() * 40);
	r text := (ARRAY['eu', 'us'])[1 + floor(random() * 2)];
	what text;
	n bigint;
BEGIN
	-- mostly of leads that are there
	IF dice > 0.22 AND random() < 0.9 THEN
		SELECT l.id, l.region INTO a, r FROM leads AS l ORDER BY random() LIMIT 1;
		a := coalesce(a, 40);
		r := coalesce(r, 'us');
		SELECT l.id INTO b FROM leads AS l WHERE l.region = r AND l.id <> a AND dice > 0.76 ORDER BY random() LIMIT 1;
		b := coalesce(b, 41);
	END IF;
	what := CASE WHEN dice < 0.22 THEN 'insert' WHEN dice < 0.5 THEN 'move' WHEN dice < 0.58 THEN 'owner' WHEN dice < 0.64 THEN 'dimension'
		WHEN dice < 0.68 THEN 'delete' WHEN dice < 0.72 THEN 'archive' WHEN dice < 0.76 THEN 'rekey' WHEN dice < 0.81 THEN 'merge' WHEN dice < 0.84 THEN 'erase'
		WHEN dice < 0.87 THEN 'forget' WHEN dice < 0.90 THEN 'override' WHEN dice < 0.93 THEN 'import' WHEN dice < 0.94 THEN 'purge'
		WHEN dice < 0.955 THEN 'rebuild' WHEN dice < 0.98 THEN 'many' WHEN dice < 0.985 THEN 'truncate' ELSE 'agree' END;
	CASE what
		WHEN 'insert' THEN INSERT INTO leads VALUES (a, r, a_stage(), (ARRAY['ann', 'bob', NULL])[1 + floor(random() * 3)], NULL, NULL, floor(random() * 1000), a_campaign(), 'trial',
			random() < 0.1, CASE WHEN random() < 0.5 THEN now() - random() * interval '60 days' END);
		WHEN 'move' THEN UPDATE leads SET status = a_stage(), reason = 'because', campaign = a_campaign(), changed_at = CASE WHEN random() < 0.3 THEN now() - random() * interval '20 days' WHEN random() < 0.03 THEN now() + interval '1 day' END WHERE (id, region) = (a, r);
		WHEN 'owner' THEN UPDATE leads SET owner = (ARRAY['ann', 'bob', 'eve'])[1 + floor(random() * 3)], amount = floor(random() * 1000) WHERE (id, region) = (a, r);
		WHEN 'dimension' THEN UPDATE leads SET kind = md5(random()::text) WHERE (id, region) = (a, r);
		WHEN 'delete' THEN DELETE FROM leads WHERE (id, region) = (a, r);
		WHEN 'archive' THEN UPDATE leads SET archived = NOT archived WHERE (id, region) = (a, r);
		WHEN 'rekey' THEN UPDATE leads SET id = b WHERE (id, region) = (a, r);
		WHEN 'merge' THEN PERFORM align.merge_leads('leads', format('(%s,%s)', r, a), format('(%s,%s)', r, b)); DELETE FROM leads WHERE (id, region) = (a, r);
		WHEN 'erase' THEN DELETE FROM leads WHERE (id, region) = (a, r); PERFORM align.erase('leads', format('(%s,%s)', r, a));
		WHEN 'forget' THEN PERFORM align.forget('leads', format('(%s,%s)', r, a));
		WHEN 'override' THEN SET LOCAL align.override = 'because'; UPDATE leads SET status = 'customer' WHERE (id, region) = (a, r); RESET align.override;
		WHEN 'import' THEN PERFORM align.import_history('leads', format('SELECT region, id, timestamptz ''2025-02-01'' + id * interval ''1 day'' AS at, 1 AS ordinal, ''inquiry'' AS stage FROM report_stored.leads WHERE id = %s', a));
		WHEN 'purge' THEN PERFORM align.purge('leads', now() - random() * interval '1 second');
		WHEN 'rebuild' THEN PERFORM align.rebuild_clocks('leads', random() < 0.5);
		WHEN 'many' THEN UPDATE leads SET status = CASE id % 3 WHEN 0 THEN 'mql' WHEN 1 THEN 'sal' ELSE status END, kind = 'many' WHERE id % 4 = a % 4;
		WHEN 'truncate' THEN TRUNCATE leads;
		WHEN 'agree' THEN PERFORM align.agree('stored', replace(current_setting('report_stored.agreement'), 'handoff intake:',
			 (ARRAY['sal known as ''accepted''; handoff intake:', 'mql known as ''accepted''; handoff intake:', 'handoff intake:'])[1 + floor(random() * 3)]));
	END CASE;
	GET DIAGNOSTICS n = ROW_COUNT;
	RETURN CASE WHEN n = 0 THEN what || ' nothing' ELSE what END;
EXCEPTION WHEN OTHERS THEN
	IF sqlstate NOT IN ('23505', '55000', '55006', '02000', 'P0002', '22023', '22P02', '42704', '23L01', '23L02', '23L03', '23L04') THEN
		RAISE;
	END IF;
	RETURN what || ' ' || sqlstate;
END $$;
SELECT set_config('report_stored.agreement', :'agreement', false) \g /dev/null
CREATE TABLE happened (what text);
CREATE TABLE found (round int, what text);
CREATE TABLE refreshed (leads bigint, of_leads bigint);
CREATE PROCEDURE play(rounds int) LANGUAGE plpgsql AS $$
DECLARE
	d record;
BEGIN
	FOR n IN 1 .. rounds LOOP
		FOR i IN 1 .. 1 + floor(random() * 12)::int LOOP
			INSERT INTO happened VALUES (happen(random()));
			IF random() < 0.7 THEN
				COMMIT;
			ELSIF random() < 0.1 THEN
				ROLLBACK;
			END IF;
		END LOOP;
		COMMIT;
		INSERT INTO refreshed SELECT align.refresh_reports('leads'), (SELECT count(*) FROM kept.stored_leads);
		COMMIT;
		FOR d IN SELECT * FROM differences(true) LOOP
			INSERT INTO found VALUES (n, d::text);
		END LOOP;
		INSERT INTO found SELECT n, v::text FROM value_differences() AS v;
		-- not after every round: a day may change more than once meanwhile
		IF random() < 0.7 THEN
			CALL bring_up_to_date();
			INSERT INTO found SELECT n, v FROM daily_differences() AS v;
			COMMIT;
		END IF;
	END LOOP;
END $$;
SET client_min_messages = warning;
SELECT setseed(0.42) \g /dev/null
CALL play(60);
\unset QUIET
SELECT * FROM found ORDER BY round LIMIT 10;
SELECT string_agg(DISTINCT what, ', ' ORDER BY what) FILTER (WHERE what NOT LIKE '% %') AS done, count(*) > 300 AS many FROM happened;
SELECT count(*) FILTER (WHERE leads < of_leads / 2) > 20 AS mostly_some_leads, count(*) FILTER (WHERE leads >= of_leads) > 0 AS also_all FROM refreshed;
SELECT * FROM differences(false);
SELECT count(*) > 10 AS values, count(DISTINCT journey::text) > 10 AS journeys, count(DISTINCT entered_on) > 3 AS days FROM kept.lead_values;
SELECT count(*) FILTER (WHERE days < of_days / 2) > 5 AS mostly_some_days, count(*) FILTER (WHERE days = of_days) > 0 AS also_all FROM summarised;
\set QUIET on
SET client_min_messages = warning;
DROP SCHEMA kept CASCADE;
DROP SCHEMA computed CASCADE;
DROP SCHEMA report_stored CASCADE;
