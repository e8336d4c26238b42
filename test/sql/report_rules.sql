-- What BI tools rely on: rules for all views of create_reports(), whatever views there are.
SET timezone = 'UTC';
SET client_min_messages = warning;
SET jit = off;
CREATE SCHEMA report_rules;
SET search_path = report_rules;
CREATE TYPE report_rules.area AS ENUM ('north', 'south');
SELECT align.agree('rules', $$
	hours 'Europe/London Mo-Fr 09:00-17:30';
	hours of sales 'America/New_York Mo-Fr 08:00-18:00';
	stage inquiry, mql held by marketing;
	stage sal, sql held by sales;
	won customer;
	lost disqualified;
	entry inquiry, mql;
	success path inquiry -> mql -> sal -> sql -> customer;
	path any -> disqualified;
	handoff intake: mql from marketing to sales, accept sal, reject disqualified with reason (budget, timing), within 4 working hours, warn after 3 working hours;
	sla close by sales: from sal to customer, disqualified within 10 days;
	segment big: 'amount >= 500';
	target marketing: 10 mql per month;
	target sales: 90% of intake;
	target sales: 25% from mql to customer within 90 days;
$$);
CREATE TABLE report_rules.leads (area report_rules.area, id uuid, status text, owner text, reason text, amount numeric, campaign text, country text, changed_at timestamptz, PRIMARY KEY (area, id));
SELECT align.attach('report_rules.leads', 'rules', mode => 'observe', stage => 'status', assignee => 'owner', reason => 'reason', amount => 'amount', campaign => 'campaign', changed_at => 'changed_at');
CREATE SCHEMA rules_reports;
SELECT align.create_reports('report_rules.leads', 'rules_reports', time_zone => 'Europe/Berlin', dimensions => '{country,"upper(country) AS country_upper"}', settle => '30 days', complete_since => '2025-01-01 00:00Z') > 0 AS created;

-- the views, their columns, and how many rows they have in each of the companies below
CREATE VIEW views AS SELECT c.oid, c.relname AS view FROM pg_class c WHERE c.relnamespace = 'rules_reports'::regnamespace AND c.relkind = 'v';
CREATE VIEW columns AS SELECT v.view, a.attnum, a.attname AS "column", a.atttypid::regtype AS type, v.oid
	FROM views v JOIN pg_attribute a ON a.attrelid = v.oid AND a.attnum > 0 AND NOT a.attisdropped;
SELECT count(*) > 3 AS views, (SELECT count(*) > 50 FROM columns) AS columns FROM views;

-- types that every tool knows; a key column has the type of the table
SELECT view, "column", type FROM columns
WHERE type NOT IN ('text', 'integer', 'bigint', 'numeric', 'double precision', 'boolean', 'date', 'timestamptz')
	AND NOT ("column" = 'area' AND type = 'report_rules.area'::regtype OR "column" = 'id' AND type = 'uuid'::regtype) ORDER BY 1, 2;
-- names that tools do not take for something else
SELECT view, "column" FROM columns WHERE "column" !~ '^[a-z][a-z0-9_]*$' OR length("column") > 40
	OR "column" IN ('state', 'source', 'count', 'name', 'date', 'time', 'user', 'order', 'group', 'value') ORDER BY 1, 2;
-- row_key first; key columns next, if there are any; dimensions last
SELECT view, "column", type FROM columns WHERE ("column" = 'row_key') <> (attnum = 1) OR "column" = 'row_key' AND type <> 'text'::regtype ORDER BY 1, 2;
SELECT view FROM columns WHERE "column" IN ('area', 'id') GROUP BY view HAVING array_agg("column" || attnum ORDER BY attnum) <> '{area2,id3}' ORDER BY 1;
SELECT c.view FROM columns c WHERE c."column" LIKE 'country%' GROUP BY c.view
HAVING array_agg(c."column" ORDER BY attnum) <> '{country,country_upper}' OR max(attnum) <> (SELECT max(attnum) FROM columns d WHERE d.view = c.view) ORDER BY 1;
-- what a name says of its type
SELECT view, "column", type FROM columns WHERE "column" ~ '_at$|^since$|^as_of$|^unassigned_since$' AND type <> 'timestamptz'::regtype
	OR "column" ~ '_on$|^week$|^month$|^period_(start|end)$' AND type <> 'date'::regtype
	OR "column" ~ '_seconds$' AND type <> 'bigint'::regtype
	OR "column" ~ '^(is|has)_|^(since_known|after_win|goal_changed)$' AND type NOT IN ('boolean', 'integer')
	OR "column" ~ '_(rate|share)(_lower|_upper)?$' AND type <> 'float8'::regtype
	OR "column" ~ '_order$' AND type <> 'integer'::regtype ORDER BY 1, 2;
-- a stage stands with its place in the order (in funnel, that of the step); a week or month with its first instant
SELECT view FROM columns WHERE view NOT IN ('touch_facts') GROUP BY view
HAVING 'stage' = ANY (array_agg("column"::text)) AND NOT '{stage_order,step}' && array_agg("column"::text)
	OR 'week' = ANY (array_agg("column"::text)) AND NOT 'week_start_at' = ANY (array_agg("column"::text))
	OR 'month' = ANY (array_agg("column"::text)) AND NOT 'month_start_at' = ANY (array_agg("column"::text)) ORDER BY 1;
-- a fact says how fresh it is; a snapshot of what instant it is
SELECT view FROM columns WHERE view LIKE '%\_facts' GROUP BY view HAVING NOT 'recorded_at' = ANY (array_agg("column"::text)) ORDER BY 1;
-- every view and column has a comment; that of the view names its key
SELECT view FROM views WHERE coalesce(obj_description(oid, 'pg_class'), '') !~ 'Key: ' ORDER BY 1;
SELECT view, "column" FROM columns WHERE coalesce(btrim(col_description(oid, attnum)), '') = '' ORDER BY 1, 2;
-- every view has a function of an instant, except those that are not snapshots
SELECT view FROM views v WHERE NOT EXISTS (SELECT FROM pg_proc p WHERE p.pronamespace = 'rules_reports'::regnamespace AND p.proname = v.view AND p.proargtypes = '1184' AND p.prorettype = (SELECT reltype FROM pg_class WHERE oid = v.oid) AND p.provolatile = 's') ORDER BY 1;

-- Over no leads, one lead, and many, now and at instants before, on, and after the
-- first of them: no error, a unique row_key, no NaN, and no NULL where tools group.
CREATE FUNCTION faults(VARIADIC instants text[]) RETURNS TABLE (fault text) LANGUAGE plpgsql AS $$
DECLARE
	v record; c record; instant text; n bigint; k bigint; bad bigint; found text;
BEGIN
	FOR v IN SELECT * FROM views ORDER BY view LOOP
		FOREACH instant IN ARRAY instants LOOP
			found := CASE WHEN instant = 'now' THEN format('rules_reports.%I', v.view) ELSE format('rules_reports.%I(%L)', v.view, instant) END;
			BEGIN
				EXECUTE format('CREATE TEMP TABLE got ON COMMIT DROP AS SELECT * FROM %s', found);
				SELECT count(*), count(DISTINCT row_key) INTO n, k FROM got;
				IF n <> k THEN
					fault := format('%s: %s rows, %s keys', found, n, k);
					RETURN NEXT;
				END IF;
				FOR c IN SELECT * FROM columns WHERE view = v.view LOOP
					IF c.type IN ('numeric', 'float8') THEN
						EXECUTE format('SELECT count(*) FROM got WHERE %I IN (''NaN'', ''Infinity'', ''-Infinity'')', c."column") INTO bad;
						IF bad > 0 THEN fault := format('%s.%I: %s not finite', found, c."column", bad); RETURN NEXT; END IF;
					END IF;
					IF c."column" ~ '^(stage|entry_stage|stage_kind|team|assignee|previous_stage|next_stage|reason|lost_reason|segment|channel|campaign_.*|.*_campaign|.*_channel|status|outcome|clock_status|leg|result|moment|row_key)$' AND c.type = 'text'::regtype THEN
						EXECUTE format('SELECT count(*) FROM got WHERE %I IS NULL', c."column") INTO bad;
						IF bad > 0 THEN fault := format('%s.%I: %s null', found, c."column", bad); RETURN NEXT; END IF;
					END IF;
					IF c."column" ~ '_rate$|_share$' THEN
						EXECUTE format('SELECT count(*) FROM got WHERE NOT %I BETWEEN 0 AND 1', c."column") INTO bad;
						IF bad > 0 THEN fault := format('%s.%I: %s not between 0 and 1', found, c."column", bad); RETURN NEXT; END IF;
					END IF;
				END LOOP;
				DROP TABLE got;
			EXCEPTION WHEN OTHERS THEN
				fault := format('%s: %s', found, SQLERRM);
				RETURN NEXT;
			END;
		END LOOP;
	END LOOP;
END $$;
SELECT * FROM faults('now', '2020-01-01');
INSERT INTO report_rules.leads VALUES ('north', '00000000-0000-0000-0000-000000000001', 'inquiry', NULL, NULL, NULL, NULL, NULL, '2025-03-03 10:00Z');
SELECT * FROM faults('now');
UPDATE report_rules.leads SET status = 'customer', amount = 'NaN', changed_at = '2025-03-05 10:00Z';
SELECT * FROM faults('2199-01-01');
-- a few hundred, with all that a row may have
INSERT INTO report_rules.leads SELECT (ARRAY['north', 'south'])[1 + i % 2]::report_rules.area, ('00000000-0000-0000-0001-' || lpad(i::text, 12, '0'))::uuid, (ARRAY['inquiry', 'mql', 'unheard of'])[1 + i % 3],
	(ARRAY['ann', ' ', NULL, E'<b>"''\n'])[1 + i % 4], NULL, (ARRAY[NULL, 'NaN', 'Infinity', 0, -5, 1e30, 12.345])[1 + i % 7]::numeric,
	(ARRAY[NULL, '', '(none)', 'Spring', 'https://x.example/?utm_source=a&utm_id=1', repeat('ü', 3000)])[1 + i % 6], (ARRAY['DE', NULL])[1 + i % 2], timestamptz '2025-02-01' + i * interval '7 hours'
FROM generate_series(1, 300) i;
UPDATE report_rules.leads SET status = CASE status WHEN 'inquiry' THEN 'mql' WHEN 'mql' THEN 'sal' ELSE 'disqualified' END, reason = (ARRAY['budget', 'other', NULL, ''])[1 + (amount > 0)::int], changed_at = changed_at + interval '30 hours' WHERE id::text ~ '[0-6]$';
UPDATE report_rules.leads SET status = CASE status WHEN 'mql' THEN 'sal' WHEN 'sal' THEN 'customer' ELSE NULL END, owner = 'bob', changed_at = changed_at + interval '30 days' WHERE id::text ~ '[0-3]$';
DELETE FROM report_rules.leads WHERE id::text ~ '9$';
SELECT * FROM faults('now', '2025-06-01');
-- without hours, handoffs, segments and targets
SELECT align.agree('rules', $$ stage inquiry, mql; stage sal, sql; won customer; lost disqualified; success path inquiry -> mql -> sal -> sql -> customer; path any -> disqualified; $$);
SELECT * FROM faults('now');
DROP SCHEMA rules_reports CASCADE;
DROP SCHEMA report_rules CASCADE;
