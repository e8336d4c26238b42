-- stuck and unassigned, against visits that a loop makes of the history.
\set SHOW_CONTEXT never
\getenv dir PG_ABS_SRCDIR
\set company :dir /report/company.sql
SET client_min_messages = warning;
\set ECHO none
\o /dev/null
\i :company
\o
\set ECHO all
RESET client_min_messages;
SET timezone = 'UTC';

-- How long a lead may stay in each stage at an instant: nine of ten visits that began
-- in the year up to 45 days ago were no longer; at most those 45 days; or, if there
-- were under 20, what a promise allows.
CREATE FUNCTION co.allowed(a timestamptz, s text) RETURNS interval LANGUAGE sql STABLE AS $$
    SELECT align.working_time(co.hours(v, CASE s WHEN 'sal' THEN 'sales' ELSE 'marketing' END), a, CASE s
        WHEN 'inquiry' THEN align.end_of_working_day(co.hours(v, 'marketing'), a, 3)
        WHEN 'nurture' THEN CASE WHEN v = 2 THEN align.end_of_working_day(co.hours(v, 'marketing'), a, 10) END
        WHEN 'sal' THEN a + interval '120 hours'
        WHEN co.second_stage() THEN align.add_working_time(co.hours(v, 'sales'), a, '8 hours') END)
    FROM (SELECT CASE WHEN a < '2025-05-14' THEN 1 ELSE 2 END AS v) AS v $$;
CREATE FUNCTION co.stage_limit(a timestamptz, s text, OUT seconds bigint, OUT basis text) LANGUAGE plpgsql STABLE AS $$
DECLARE
    n bigint := 0; longer bigint := 0; v record; t bigint;
BEGIN
    SELECT count(*) INTO n FROM co.visit AS x WHERE x.stage = s AND NOT x.is_late
        AND x.entered_at >= a - interval '1080 hours' - interval '8760 hours' AND x.entered_at < a - interval '1080 hours';
    basis := CASE WHEN n < 20 THEN 'sla' ELSE 'window' END;
    SELECT round(extract(epoch FROM CASE WHEN n < 20 THEN co.allowed(a, s)
        ELSE align.working_time(co.hours(1, CASE WHEN s IN ('sal', 'opportunity') THEN 'sales' ELSE 'marketing' END), a - interval '1080 hours', a) END)) INTO seconds;
    -- the visits that ended in time, shortest first, up to the one after which a tenth is left
    IF n >= 20 THEN
        FOR v IN SELECT x.working FROM co.visit AS x WHERE x.stage = s AND NOT x.is_late AND x.left_at - x.entered_at <= interval '1080 hours'
                AND x.entered_at >= a - interval '1080 hours' - interval '8760 hours' AND x.entered_at < a - interval '1080 hours' ORDER BY x.working LOOP
            longer := longer + 1;
            IF longer * 10 >= n * 9 THEN
                seconds := v.working; basis := 'visits';
                EXIT;
            END IF;
        END LOOP;
    END IF;
END $$;
SELECT a, c.* FROM unnest('{2025-03-10,2025-06-15,2025-09-15 12:30Z,2025-11-15}'::timestamptz[]) AS a,
    co.compare(a, 'SELECT row_key, id, stage, stage_order, team, assignee, since, age_seconds, age_working_seconds, limit_working_seconds, limit_basis, amount, last_touch_at, as_of FROM r.stuck($a)',
        'SELECT v.id::text, v.id, v.stage, g.n::int, coalesce(v.team, ''(none)''), coalesce(v.assignee, ''(none)''), v.at, v.elapsed, v.working, l.seconds, l.basis,
            (SELECT e.amount FROM co.entry AS e WHERE e.id = v.id AND e.event <> ''touch'' AND e.amount IS NOT NULL ORDER BY e.at DESC, e.entry_no DESC LIMIT 1),
            (SELECT max(t.touched) FROM (SELECT h.effective_at AS touched, h.campaign IS DISTINCT FROM lag(h.campaign) OVER (ORDER BY h.effective_at, h.entry_no) AS is_new
                FROM co.lead_history AS h WHERE h.id = v.id AND h.effective_at <= $a AND h.campaign IS NOT NULL AND h.event IN (''opening'', ''entry'', ''move'', ''override'', ''touch'')) AS t WHERE t.is_new), $a
         FROM co.visit AS v JOIN co.stage AS g USING (stage) CROSS JOIN LATERAL co.stage_limit($a, v.stage) AS l
         WHERE v.left_at IS NULL AND g.kind = ''open'' AND v.entered_at IS NOT NULL AND v.working > l.seconds') AS c;
SELECT a, limit_basis, count(*) AS leads, count(DISTINCT stage) AS stages FROM unnest('{2025-03-10,2025-06-15,2025-09-15 12:30Z,2025-11-15}'::timestamptz[]) AS a, r.stuck(a)
GROUP BY a, limit_basis ORDER BY a, limit_basis;

-- Since when nobody holds a lead: back along the entries of its own, and before the
-- first of them along those of merged duplicates.
CREATE FUNCTION co.unassigned_since(lead int, OUT since timestamptz) LANGUAGE plpgsql STABLE AS $$
DECLARE
    e record; own timestamptz;
BEGIN
    SELECT min(x.at) INTO own FROM co.entry AS x WHERE x.id = lead AND NOT x.is_merged;
    FOR e IN SELECT * FROM co.entry AS x WHERE x.id = lead AND (x.is_stage_entry OR NOT x.is_merged AND x.event <> 'touch')
            AND (NOT x.is_merged OR x.at < own) ORDER BY x.at DESC, x.entry_no DESC LOOP
        EXIT WHEN e.assignee IS NOT NULL OR e.stage IS NULL OR e.event = 'deleted';
        since := CASE WHEN e.source LIKE '%undated' THEN NULL ELSE e.at END;
    END LOOP;
END $$;
SELECT a, c.* FROM unnest('{2025-03-10,2025-06-15,2025-09-15 12:30Z,2025-11-15,2025-12-15}'::timestamptz[]) AS a,
    co.compare(a, 'SELECT row_key, id, stage, stage_order, team, since, unassigned_since, unassigned_working_seconds, next_due_at, is_overdue, as_of FROM r.unassigned($a)',
        'SELECT v.id::text, v.id, v.stage, g.n::int, v.team, v.entered_at, u.since, round(extract(epoch FROM align.working_time(co.hours(2, v.team), u.since, $a)))::bigint, c.due_at, coalesce(c.is_overdue, false), $a
         FROM co.visit AS v JOIN co.stage AS g USING (stage) CROSS JOIN LATERAL co.unassigned_since(v.id) AS u
            CROSS JOIN LATERAL (SELECT min(s.due_at) AS due_at, bool_or(s.due_at < $a) AS is_overdue FROM co.lead_sla AS s
                                WHERE s.id = v.id AND s.started_at <= $a AND (s.stopped_at IS NULL OR s.stopped_at > $a)) AS c
         WHERE v.left_at IS NULL AND g.kind = ''open'' AND v.assignee IS NULL AND g.team IS NOT NULL AND (g.step IS NOT NULL OR c.due_at IS NOT NULL)') AS c;
SELECT stage, count(*) AS leads, count(*) FILTER (WHERE unassigned_since < since) AS longer, count(next_due_at) AS clocks, count(*) FILTER (WHERE is_overdue) AS overdue,
    count(*) FILTER (WHERE unassigned_since IS NULL) AS unknown
FROM r.unassigned('2025-06-15') GROUP BY stage ORDER BY stage;
-- off the path without a clock: these nobody misses
SELECT count(*) > 0 AS there_are FROM r.lead_facts('2025-05-16') WHERE stage = 'nurture' AND assignee = '(none)' AND id NOT IN (SELECT id FROM r.unassigned('2025-05-16'));

-- Before the first lead there is nothing.
SELECT count(*) FROM r.stuck('2024-01-01');
SELECT count(*) FROM r.unassigned('2024-01-01');
