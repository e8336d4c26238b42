\echo Use "ALTER EXTENSION align UPDATE TO '0.2.1'" to load this file. \quit

-- Owners of agreements and roles of teams become names.  Views of users may depend
-- on the views of align, and these on the columns: the columns of the views keep
-- their types, and let go of the tables while those are altered.

CREATE OR REPLACE VIEW align.agreements AS
    SELECT name, version, valid_from, NULL::timestamptz AS valid_to, NULL::boolean AS in_force,
           NULL::regrole AS owner, agreed_by, note, funnel, document
    FROM align.agreement;

CREATE OR REPLACE VIEW align.teams AS
    SELECT agreement, team, NULL::regrole AS role FROM align.team;

ALTER TABLE align.agreement ALTER COLUMN owner TYPE name USING pg_catalog.pg_get_userbyid(owner);
ALTER TABLE align.team ALTER COLUMN role TYPE name USING pg_catalog.pg_get_userbyid(role);

CREATE OR REPLACE VIEW align.agreements AS
    SELECT name, version, valid_from,
           CASE WHEN next_from IS NOT NULL THEN GREATEST(valid_from, next_from) END AS valid_to,
           valid_from <= pg_catalog.now() AND (next_from IS NULL OR next_from > pg_catalog.now()) AS in_force,
           pg_catalog.to_regrole(pg_catalog.quote_ident(owner)) AS owner, agreed_by, note, funnel, document,
           owner AS owner_name
    FROM (SELECT *, pg_catalog.min(valid_from) OVER (PARTITION BY name ORDER BY version
                        ROWS BETWEEN 1 FOLLOWING AND UNBOUNDED FOLLOWING) AS next_from
          FROM align.agreement) AS versions;

CREATE OR REPLACE VIEW align.teams AS
    SELECT agreement, team, pg_catalog.to_regrole(pg_catalog.quote_ident(role)) AS role,
           role AS role_name
    FROM align.team;

-- Admission

CREATE TABLE align.admission (
    agreement text COLLATE "C" NOT NULL,
    role name NOT NULL,
    dismissed_after int,
    PRIMARY KEY (agreement, role)
);

SELECT pg_catalog.pg_extension_config_dump('align.admission', '');

REVOKE ALL ON align.admission FROM PUBLIC;

CREATE VIEW align.admissions AS
    SELECT agreement, pg_catalog.to_regrole(pg_catalog.quote_ident(role)) AS role,
           role AS role_name
    FROM align.admission
    WHERE dismissed_after IS NULL;

GRANT SELECT ON align.admissions TO PUBLIC;

CREATE FUNCTION align.admit(agreement text, role regrole) RETURNS void
    AS 'MODULE_PATHNAME', 'align_admit'
    LANGUAGE C VOLATILE PARALLEL UNSAFE COST 1000;

CREATE FUNCTION align.dismiss(agreement text, role text) RETURNS void
    AS 'MODULE_PATHNAME', 'align_dismiss'
    LANGUAGE C VOLATILE PARALLEL UNSAFE COST 1000;

CREATE TRIGGER admission_announce AFTER INSERT OR UPDATE OR DELETE ON align.admission
    FOR EACH ROW EXECUTE FUNCTION align.team_announce();
ALTER TABLE align.admission ENABLE ALWAYS TRIGGER admission_announce;

CREATE FUNCTION align.in_present_life(history oid, record_table oid, number int, at timestamptz,
                                      VARIADIC key "any")
    RETURNS boolean
    AS 'MODULE_PATHNAME', 'align_in_present_life'
    LANGUAGE C STABLE STRICT PARALLEL RESTRICTED COST 1000;

CREATE FUNCTION align.purge(relation regclass, before timestamptz) RETURNS bigint
    AS 'MODULE_PATHNAME', 'align_purge'
    LANGUAGE C VOLATILE PARALLEL UNSAFE COST 100000;

CREATE TYPE align.journeys_row AS (key jsonb, lead align.lead);

CREATE FUNCTION align.journeys(relation regclass, key "any")
    RETURNS SETOF align.journeys_row
    AS 'MODULE_PATHNAME', 'align_journeys_of_key'
    LANGUAGE C STABLE PARALLEL UNSAFE COST 100 ROWS 1;

CREATE TYPE align.clocks_row AS
    (key jsonb, sla text, cycle int, team text, assignee text,
     started_at timestamptz, due_at timestamptz, warn_at timestamptz,
     elapsed interval, remaining interval, overrun interval, state text, version int);

CREATE FUNCTION align.clocks(relation regclass, as_of timestamptz, key "any")
    RETURNS SETOF align.clocks_row
    AS 'MODULE_PATHNAME', 'align_clocks_of_key'
    LANGUAGE C STABLE PARALLEL UNSAFE COST 100 ROWS 2;

CREATE FUNCTION align.rebuild_clocks(relation regclass) RETURNS bigint
    AS 'MODULE_PATHNAME', 'align_rebuild_clocks'
    LANGUAGE C VOLATILE PARALLEL UNSAFE COST 100000;

-- Tables that are attached already.  Temporary ones, which cannot be attached any
-- more, are left alone: they belong to other sessions.

-- Their owners are admitted; the owner of the agreement may dismiss them.
INSERT INTO align.admission (agreement, role)
SELECT DISTINCT a.agreement, pg_catalog.pg_get_userbyid(c.relowner)
FROM align.attached_tables() AS a
JOIN pg_catalog.pg_class AS c ON c.oid = a.relation
JOIN (SELECT DISTINCT ON (name) name, owner FROM align.agreement ORDER BY name, version DESC) AS latest
    ON latest.name = a.agreement
WHERE latest.owner <> pg_catalog.pg_get_userbyid(c.relowner) AND c.relpersistence <> 't';

-- History and clock table point back to their table, as align.attach() has them do,
-- where it is certain which one that is.  Any role can forge an attachment of a table
-- of its own: one that has another owner than the table in question does not count, and
-- what fails for one table is a WARNING, so that no role can keep the extension from
-- being updated.
CREATE FUNCTION align.tie(relation regclass) RETURNS void
    AS 'MODULE_PATHNAME', 'align_tie'
    LANGUAGE C VOLATILE STRICT PARALLEL UNSAFE;

DO $do$
DECLARE
    attached record;
BEGIN
    FOR attached IN
        SELECT a.relation, a.history, a.sla,
               a.history <> a.sla
               AND NOT EXISTS (SELECT FROM align.attached_tables() AS other
                               JOIN pg_catalog.pg_class AS c ON c.oid = other.relation
                               WHERE other.relation <> a.relation AND c.relowner = root.relowner
                                 AND (other.history IN (a.history, a.sla) OR other.sla IN (a.history, a.sla)
                                      OR other.relation IN (a.history, a.sla)))
               AND (SELECT pg_catalog.count(*) = 3 AND pg_catalog.count(DISTINCT c.relowner) = 1
                    FROM pg_catalog.pg_class AS c
                    WHERE c.oid IN (a.relation, a.history, a.sla) AND c.relkind IN ('r', 'p'))
               AND NOT EXISTS (SELECT FROM pg_catalog.pg_trigger AS taken
                               WHERE taken.tgrelid IN (a.history, a.sla) AND taken.tgname = 'align_history_of'
                                 AND (taken.tgfoid <> t.tgfoid OR taken.tgconstrrelid <> a.relation))
               AS certain
        FROM align.attached_tables() AS a
        JOIN pg_catalog.pg_trigger AS t ON t.tgrelid = a.relation AND t.tgname = 'align_attachment'
        JOIN pg_catalog.pg_class AS root ON root.oid = a.relation AND root.relpersistence <> 't'
        ORDER BY a.relation
    LOOP
        IF NOT attached.certain THEN
            RAISE WARNING 'table % is not tied to its history % and clock table %', attached.relation, attached.history, attached.sla
                USING DETAIL = 'The three do not have one owner, or another table is attached with the same history or clock table. Changes of the table are refused until it is tied.',
                      HINT = 'Call align.detach() for tables that should not be attached and, as the owner of this one, align.attach() again.';
            CONTINUE;
        END IF;
        BEGIN
            PERFORM align.tie(attached.relation);
        EXCEPTION WHEN OTHERS THEN
            RAISE WARNING 'table % is not tied to its history % and clock table %', attached.relation, attached.history, attached.sla
                USING DETAIL = SQLERRM, HINT = 'As the owner of the table, call align.attach() again.';
        END;
    END LOOP;
END $do$;

DROP FUNCTION align.tie(regclass);

-- Statements that write to an attached table, or directly to a partition of one, fire
-- a trigger when they begin and one when they end; so far, only partitioned tables had
-- the first, and only roots the second.  New triggers are enabled as that of the root.
DO $do$
DECLARE
    missing record;
BEGIN
    FOR missing IN
        SELECT tables.relid, statement.trigger, statement.timing, statement.comment,
               -- or one that CREATE OR REPLACE TRIGGER cannot replace
               existing.tgfoid <> flush.tgfoid OR existing.tgconstraint <> 0 OR existing.tgparentid <> 0
               OR existing.tgisinternal OR existing.tgtype & 1 <> 0 AS taken,
               CASE flush.tgenabled WHEN 'A' THEN 'ENABLE ALWAYS' WHEN 'R' THEN 'ENABLE REPLICA'
                                    WHEN 'D' THEN 'DISABLE' END AS enabled
        FROM align.attached_tables() AS a
        JOIN pg_catalog.pg_class AS root ON root.oid = a.relation AND root.relpersistence <> 't'
        JOIN pg_catalog.pg_trigger AS flush ON flush.tgrelid = a.relation AND flush.tgname = 'align_flush'
            AND flush.tgfoid = 'align.record_statement()'::regprocedure
        CROSS JOIN LATERAL (
            SELECT a.relation
            UNION
            SELECT partition.relid FROM pg_catalog.pg_partition_tree(a.relation) AS partition
        ) AS tables(relid)
        CROSS JOIN (VALUES
            ('align_begin', 'BEFORE', 'align: registers the beginning of a statement'),
            ('align_flush', 'AFTER', 'align: writes the changes of a statement to history and clocks')
        ) AS statement(trigger, timing, comment)
        LEFT JOIN pg_catalog.pg_trigger AS existing ON existing.tgrelid = tables.relid
            AND existing.tgname = statement.trigger
        WHERE existing.tgname IS NULL OR existing.tgfoid <> flush.tgfoid OR statement.trigger = 'align_begin'
        ORDER BY a.relation, tables.relid, statement.trigger
    LOOP
        IF missing.taken THEN
            RAISE WARNING 'table % has a trigger "%" that does not belong to align', missing.relid, missing.trigger
                USING HINT = 'Rename or drop that trigger and call align.attach() again.';
            CONTINUE;
        END IF;
        BEGIN
            EXECUTE pg_catalog.format('CREATE OR REPLACE TRIGGER %I %s INSERT OR UPDATE OR DELETE ON %s '
                'FOR EACH STATEMENT EXECUTE FUNCTION align.record_statement()',
                missing.trigger, missing.timing, missing.relid);
            EXECUTE pg_catalog.format('COMMENT ON TRIGGER %I ON %s IS %L',
                missing.trigger, missing.relid, missing.comment);
            IF missing.enabled IS NOT NULL THEN
                EXECUTE pg_catalog.format('ALTER TABLE %s %s TRIGGER %I',
                    missing.relid, missing.enabled, missing.trigger);
            END IF;
        EXCEPTION WHEN OTHERS THEN
            RAISE WARNING 'could not create trigger "%" of table %', missing.trigger, missing.relid
                USING DETAIL = SQLERRM, HINT = 'Call align.attach() again.';
        END;
    END LOOP;
END $do$;

-- Comments that are new or read otherwise ("make delta").

COMMENT ON TYPE align.calendar IS
'working hours in a time zone, with holidays: an optional IANA zone (default UTC) and rules of which the last that names a day decides, as in ''Europe/London Mo-Fr 09:00-17:30; Dec 25 off''. The grammar is a subset of the opening_hours specification of OpenStreetMap';
COMMENT ON FUNCTION align.calendar_in(cstring) IS
'text to calendar. An unknown time zone is an error only when the calendar is used';
COMMENT ON FUNCTION align.calendar_out(align.calendar) IS
'calendar to its canonical text, which reads back to the same calendar';
COMMENT ON FUNCTION align.calendar_recv(internal) IS
'binary form to calendar: a version byte (1) and the text, with the checks of calendar_in';
COMMENT ON FUNCTION align.calendar_send(align.calendar) IS
'calendar to binary form: a version byte (1) and the canonical text';
COMMENT ON FUNCTION align.calendar_eq(align.calendar, align.calendar) IS
'implementation of the = operator';
COMMENT ON FUNCTION align.calendar_ne(align.calendar, align.calendar) IS
'implementation of the <> operator';
COMMENT ON FUNCTION align.calendar_lt(align.calendar, align.calendar) IS
'implementation of the < operator';
COMMENT ON FUNCTION align.calendar_le(align.calendar, align.calendar) IS
'implementation of the <= operator';
COMMENT ON FUNCTION align.calendar_gt(align.calendar, align.calendar) IS
'implementation of the > operator';
COMMENT ON FUNCTION align.calendar_ge(align.calendar, align.calendar) IS
'implementation of the >= operator';
COMMENT ON FUNCTION align.calendar_cmp(align.calendar, align.calendar) IS
'less than, equal to or greater than: -1, 0 or 1, comparing bytes';
COMMENT ON FUNCTION align.calendar_hash(align.calendar) IS
'hash';
COMMENT ON OPERATOR CLASS align.calendar_btree_ops USING btree IS
'order of calendars by the bytes of their canonical text: for sorting and DISTINCT';
COMMENT ON OPERATOR CLASS align.calendar_hash_ops USING hash IS
'hashing of calendars, for joins and grouping';
COMMENT ON OPERATOR FAMILY align.calendar_btree_ops USING btree IS
'order of calendars by the bytes of their canonical text';
COMMENT ON OPERATOR FAMILY align.calendar_hash_ops USING hash IS
'hashing of calendars';
COMMENT ON FUNCTION align.calendar_to_jsonb(align.calendar) IS
'calendar as {"zone": name, "rules": [{"days": text, "open": [[from, to], ...]}, ...]}; a rule without open spans closes its days';
COMMENT ON FUNCTION align.jsonb_to_calendar(jsonb) IS
'calendar from the JSON form of calendar_to_jsonb, in which "zone" defaults to UTC and "days" to every day, or from a JSON string with its text. Unknown keys are errors';
COMMENT ON CAST (align.calendar AS jsonb) IS
'calendar to its JSON form, see align.calendar_to_jsonb';
COMMENT ON CAST (jsonb AS align.calendar) IS
'calendar from its JSON form, see align.jsonb_to_calendar';
COMMENT ON FUNCTION align.working_time(align.calendar, timestamp with time zone, timestamp with time zone) IS
'open time from start_at to end_at, in hours and smaller units, never days; negative if end_at is before start_at, so that working times add up. Infinite times are errors';
COMMENT ON FUNCTION align.working_time(align.calendar, tstzrange) IS
'open time within a range; 0 if it is empty, an error if a bound is missing or infinite';
COMMENT ON FUNCTION align.working_time(align.calendar, tstzmultirange) IS
'open time within a multirange: working_time(hours, running - paused). 0 if it is empty, an error if a bound is missing or infinite';
COMMENT ON FUNCTION align.add_working_time(align.calendar, timestamp with time zone, interval) IS
'the first instant at which the amount of open time has passed since "at"; the next opening for an amount of 0, and backwards for a negative one. Days and months in the amount, infinite times and a calendar without so much open time are errors';
COMMENT ON FUNCTION align.is_open(align.calendar, timestamp with time zone) IS
'true if the calendar is open at this instant; an opening time is open, a closing time is not. Infinite times are errors';
COMMENT ON FUNCTION align.next_open(align.calendar, timestamp with time zone) IS
'the first open instant from "at" on, which is "at" itself if the calendar is open. A calendar that does not open again is an error';
COMMENT ON FUNCTION align.next_close(align.calendar, timestamp with time zone) IS
'the end of the open period that contains "at", or else of the next one. An error if there is none or it never ends';
COMMENT ON FUNCTION align.end_of_working_day(align.calendar, timestamp with time zone, integer) IS
'closing time of a working day: for n = 0 the day of "at" if it has yet to close, else the next one; for n > 0 the nth working day after the date of "at". A negative n and a calendar that does not open again are errors';
COMMENT ON FUNCTION align.open_periods(align.calendar, tstzrange) IS
'the open periods within a range, clipped to it; empty for an empty range. A missing or infinite bound and more than 1,000,000 periods are errors';
COMMENT ON FUNCTION align.with_holidays(align.calendar, date[]) IS
'the calendar, closed on these dates, too. NULL or infinite dates and years outside 1800 to 2299 are errors';
COMMENT ON FUNCTION align.stages(funnel align.funnel) IS
'one row per stage, in the order of declaration; stage_position counts from 1 and is NULL off the success path, team is NULL if no team holds the stage';
COMMENT ON FUNCTION align.moves(funnel align.funnel) IS
'one row per legal move, in the order of the stages; needs is what this move needs in addition to the stage that it enters';
COMMENT ON FUNCTION align.handoffs(funnel align.funnel) IS
'one row per handoff: the stage that submits a lead, both teams, the accepting and rejecting stages, and the reasons for a rejection (empty: any); due and warn are NULL if no time is promised';
COMMENT ON FUNCTION align.service_levels(funnel align.funnel) IS
'one row per service level, handoffs first: the promising team, the stages that start, stop and pause the clock, when it is due and when it warns; due and warn are NULL if no time is promised';
COMMENT ON FUNCTION align.targets(funnel align.funnel) IS
'one row per target: team, metric (a stage, a handoff or sla, or "STAGE to STAGE" for a conversion), goal, unit (leads or %), period of a count and window of a conversion; NULL where one does not apply';
COMMENT ON FUNCTION align.stage_name(funnel align.funnel, label text) IS
'the stage that a name or label stands for; an unknown label is an error';
COMMENT ON FUNCTION align.stage_kind(funnel align.funnel, label text) IS
'open, won or lost; an unknown label is an error';
COMMENT ON FUNCTION align.stage_position(funnel align.funnel, label text) IS
'position of the stage on the success path, from 1, NULL off it; an unknown label is an error';
COMMENT ON FUNCTION align.stage_team(funnel align.funnel, label text) IS
'the team that holds the stage, NULL if none does; an unknown label is an error';
COMMENT ON FUNCTION align.can_move(funnel align.funnel, from_stage text, to_stage text) IS
'true if a lead may move from one stage to the other, false for a stage and itself; an unknown label is an error';
COMMENT ON FUNCTION align.next_stages(funnel align.funnel, from_stage text) IS
'the stages to which a lead may move, in the order of declaration; an unknown label is an error';
COMMENT ON FUNCTION align.route(funnel align.funnel, from_stage text, to_stage text) IS
'the shortest legal route, without its start and with its end, empty from a stage to itself and NULL if there is none; an unknown label is an error';
COMMENT ON FUNCTION align.hours(funnel align.funnel) IS
'the common working hours; NULL if the agreement has none';
COMMENT ON FUNCTION align.hours(funnel align.funnel, team text) IS
'the working hours of a team, its own or else the common ones, NULL if there are neither; a team that is not part of the agreement is an error';
COMMENT ON FUNCTION align.diff(old_funnel align.funnel, new_funnel align.funnel) IS
'one row per change from one agreement to the other (added, removed or changed), with its form before and after; no row if and only if both are equal';
COMMENT ON FUNCTION align.mermaid(funnel align.funnel) IS
'the agreement as a Mermaid state diagram, for Markdown';
COMMENT ON FUNCTION align.funnel_to_jsonb(align.funnel) IS
'the agreement as a JSON object; empty members are left out';
COMMENT ON FUNCTION align.jsonb_to_funnel(jsonb) IS
'an agreement from a JSON object such as that of funnel_to_jsonb, with the checks of the text form; errors name the member';
COMMENT ON AGGREGATE align.lead_agg(timestamptz, text) IS
'one lead''s journey from its stage entries in any order; rows with a NULL time or stage are ignored, infinite times are an error; NULL if no row is left';
COMMENT ON AGGREGATE align.lead_agg(timestamptz, text, text, text) IS
'the same as lead_agg(at, stage) with the team that made each change and its reason, which may be NULL';
COMMENT ON AGGREGATE align.lead_agg(timestamptz, text, text, text, text, numeric) IS
'the same as lead_agg(at, stage, team, reason) with campaigns and amounts; a row with a campaign and no stage is a touch, one with neither is ignored, and an amount that is NaN or infinite is an error';
COMMENT ON AGGREGATE align.rollup(align.lead) IS
'merges partial journeys of one lead, without exact duplicates; NULLs are ignored; NULL if there is nothing else';
COMMENT ON FUNCTION align.stage_at(align.lead, timestamptz) IS
'the stage that the lead was in at a time, NULL before its first entry; an entry at that time counts, and infinity gives the current stage';
COMMENT ON FUNCTION align.since(align.lead) IS
'when the lead entered its current stage, without regard to repeated entries; NULL if it has only touches';
COMMENT ON FUNCTION align.reached(align.lead, text) IS
'true if the lead ever entered the stage; names are compared by bytes';
COMMENT ON FUNCTION align.time_in(align.lead, text, timestamptz) IS
'elapsed time of all visits of the lead to a stage up to as_of, in hours and smaller units, zero if there is none; as_of must be finite';
COMMENT ON FUNCTION align.time_between(align.lead, text, text) IS
'elapsed time from the first entry into from_stage to the first entry into to_stage at or after it, in hours and smaller units; NULL if there is no such pair';
COMMENT ON FUNCTION align.path(align.lead) IS
'the stages of the lead in order, without repeated entries; empty if it has only touches';
COMMENT ON FUNCTION align.working_time_between(align.lead, text, text, align.calendar) IS
'working time of the calendar in the span of time_between(lead, from_stage, to_stage), in hours and smaller units; NULL if there is no such span';
COMMENT ON FUNCTION align.touchless(align.lead, align.funnel) IS
'true if at most one team held the lead; stages that no team holds, and labels that the agreement does not have, do not count; NULL if it has only touches';
COMMENT ON FUNCTION align.entries(align.lead) IS
'one row per entry of the lead, numbered from 1 in its order; NULL for absent fields';
COMMENT ON FUNCTION align.touches(align.lead) IS
'one row per campaign touch of the lead (an entry with a campaign and no stage), numbered from 1';
COMMENT ON FUNCTION align.transitions(align.lead) IS
'one row per move of the lead from one stage to another, numbered from 1, with the elapsed time in from_stage; the first entry and repeated entries are not moves';
COMMENT ON FUNCTION align.jsonb_to_lead(jsonb) IS
'a lead from an array of entries such as that of lead_to_jsonb, in any order; null members are absent, unknown ones are an error';
COMMENT ON FUNCTION align.violations(align.lead, align.funnel) IS
'one row per rule of the agreement that an entry of the lead breaks: number and time of the entry, rule, stages by name (unknown ones by label) and the text of the trigger''s error; no row if an argument is NULL';
COMMENT ON FUNCTION align.fits(align.lead, align.funnel) IS
'true if the lead breaks no rule of the agreement, that is, if violations() returns no row; NULL if an argument is NULL';
COMMENT ON FUNCTION align.fitness(align.lead, align.funnel) IS
'legal moves / moves of the lead, from 0 to 1, where moves from or to unknown stages are not legal; 1 for a lead that never moved, NULL if an argument is NULL';
COMMENT ON FUNCTION align.sla_clocks(align.lead, align.funnel, timestamptz) IS
'the service-level clocks of the lead (handoffs included) as of a finite time, one row per cycle in the order of start. elapsed and remaining are working or elapsed time as promised, in hours and smaller units; no row if an argument is NULL';
COMMENT ON FUNCTION align.advance(align.lead, align.funnel, text, timestamptz, text, text) IS
'the lead after a move to a stage (a name or label) at a time not before its last entry, or the error of the trigger (SQLSTATE class AL). For a NULL lead the move is its entry; a NULL agreement, stage or time is an error';
COMMENT ON FUNCTION align.progress(align.lead, text[], interval, text, timestamptz) IS
'how far the lead got along steps by as_of: level, times of the steps, last amount, and status (open, converted, dropped); within is the window from the first step (NULL: none), mode is ordered. NULL for a NULL lead; NULL steps or as_of are an error';
COMMENT ON FUNCTION align.funnel_progress(align.lead, align.funnel, timestamptz) IS
'how far the lead got along the success path of the agreement by as_of: level, first entry into each stage, last amount, and status (open, converted, dropped). NULL for a NULL lead or agreement; a NULL as_of is an error';
COMMENT ON AGGREGATE align.infer_agg(align.lead, text[], text[], float8) IS
'Draft agreement that the journeys follow, as text for type funnel: won and lost list labels (won is guessed if NULL or empty), and moves below min_share (0 to 1, NULL is 0.01) are only comments. These three must be the same for all rows; NULL if no lead ever entered a stage';
COMMENT ON AGGREGATE align.conversion_agg(align.lead, text[], interval, text, timestamptz) IS
'summarises how far leads got along steps by as_of, a finite time; within is the window from the first step (NULL: none), mode is ordered. steps, within and mode must be the same in all rows and steps and as_of not NULL; NULL leads are ignored, NULL if there are no others';
COMMENT ON AGGREGATE align.funnel_conversion_agg(align.lead, align.funnel, timestamptz) IS
'summarises how far leads got along the success path of an agreement by as_of, a finite time. The agreement must be the same in all rows and, like as_of, not NULL; NULL leads are ignored, NULL if there are no others';
COMMENT ON AGGREGATE align.rollup(align.conversion) IS
'merges summaries of disjoint leads into the summary of all those leads; NULLs are ignored, different steps, funnels, windows or modes are an error; NULL if there is nothing else';
COMMENT ON FUNCTION align.steps(align.conversion) IS
'one row per step: counts of leads, rates with Wilson bounds at 95 percent confidence, times from the previous step (percentiles within 0.79 percent, mean exact), and the sum of amounts; no row for NULL';
COMMENT ON FUNCTION align.steps(align.conversion, float8) IS
'the same as steps(conversion) with Wilson bounds at another confidence, greater than 0 and less than 1';
COMMENT ON FUNCTION align.conversion_to_jsonb(align.conversion) IS
'the summary as an object with the members funnel or mode and within, steps, as_of, leads and levels';
COMMENT ON FUNCTION align.jsonb_to_conversion(jsonb) IS
'a summary from an object such as that of conversion_to_jsonb, with the checks of the text form; unknown members, and leads that disagree with levels, are an error';
COMMENT ON TABLE align.agreement IS
'every version of every agreement, written only by align.agree() and align.set_agreement_owner() and never changed; the highest version whose valid_from is not in the future is in force';
COMMENT ON COLUMN align.agreement.valid_from IS
'when the version takes effect; not before it was agreed';
COMMENT ON COLUMN align.agreement.owner IS
'name of the role that owns the agreement as of this version; the owner of the latest version counts';
COMMENT ON COLUMN align.agreement.note IS
'reason for the version, null if none was given';
COMMENT ON TABLE align.team IS
'database roles to which teams of agreements are tied, written only by align.assign_team()';
COMMENT ON COLUMN align.team.role IS
'name of the role whose members are the team; if the role does not exist, the team has no members';
COMMENT ON TABLE align.admission IS
'roles besides the owner whose tables can be attached to an agreement, written only by align.admit() and align.dismiss()';
COMMENT ON COLUMN align.admission.agreement IS
'name of the agreement';
COMMENT ON COLUMN align.admission.role IS
'name of the role';
COMMENT ON COLUMN align.admission.dismissed_after IS
'null while the role is admitted; else the latest version when it was dismissed';
COMMENT ON FUNCTION align.agreement_guard() IS
'trigger on align.agreement: refuses UPDATE, DELETE and TRUNCATE, and invalidates the caches of all sessions after INSERT';
COMMENT ON TRIGGER agreement_append_only ON align.agreement IS
'refuses to change or delete versions';
COMMENT ON TRIGGER agreement_no_truncate ON align.agreement IS
'refuses to truncate the table';
COMMENT ON TRIGGER agreement_announce ON align.agreement IS
'invalidates the caches of all sessions';
COMMENT ON FUNCTION align.agree(text, align.funnel, timestamptz, text) IS
'agrees on a new version of an agreement, in force from valid_from (not before now()), and returns its number; the first version makes the current user the owner, later ones need the owner''s privileges; only note may be null';
COMMENT ON FUNCTION align.agree(text, text, timestamptz, text) IS
'agrees on a new version of an agreement from its text, which must be a valid funnel and is kept as written, comments included; otherwise like agree(text, funnel, timestamptz, text)';
COMMENT ON FUNCTION align.agreed(text) IS
'the version of an agreement that is in force at now(); an error if there is none';
COMMENT ON FUNCTION align.agreed(text, timestamptz) IS
'the version of an agreement that is in force at an instant: the highest one whose valid_from is not later; an error if there is none or the instant is infinite';
COMMENT ON FUNCTION align.set_agreement_owner(text, regrole) IS
'changes the owner of an agreement, as a new version with the same content, and returns its number; needs the privileges of the owner and the right to SET ROLE to the new one; nulls are refused';
COMMENT ON FUNCTION align.assign_team(text, text, regrole) IS
'ties a team of an agreement to a database role, replacing any previous one; a null role unties it; needs the privileges of the agreement''s owner';
COMMENT ON FUNCTION align.admit(text, regrole) IS
'lets tables whose owner has the privileges of a role be attached to an agreement; needs the privileges of the agreement''s owner; nulls are refused';
COMMENT ON FUNCTION align.dismiss(text, text) IS
'ends the admission of a role, which need not exist: its tables stay under the last version that fits them, and new versions are not checked against them; needs the privileges of the agreement''s owner; nulls are refused';
COMMENT ON VIEW align.agreements IS
'every version of every agreement and when it is in force; readable by all users';
COMMENT ON COLUMN align.agreements.valid_from IS
'when the version takes effect';
COMMENT ON COLUMN align.agreements.valid_to IS
'when a later version replaces it, null if none does yet; equal to valid_from if the version never takes effect';
COMMENT ON COLUMN align.agreements.owner IS
'owner of the agreement as of this version, null if that role does not exist; the owner of the latest version counts';
COMMENT ON COLUMN align.agreements.note IS
'reason for the version, null if none was given';
COMMENT ON COLUMN align.agreements.owner_name IS
'name of the owner, whether the role exists or not';
COMMENT ON VIEW align.teams IS
'database roles to which teams of agreements are tied; readable by all users';
COMMENT ON COLUMN align.teams.role IS
'role whose members are the team; null if the role does not exist, in which case the team has no members';
COMMENT ON COLUMN align.teams.role_name IS
'name of the role, whether it exists or not';
COMMENT ON VIEW align.admissions IS
'roles besides the owner whose tables can be attached to an agreement; readable by all users';
COMMENT ON COLUMN align.admissions.agreement IS
'name of the agreement';
COMMENT ON COLUMN align.admissions.role IS
'role that is admitted; null if it does not exist';
COMMENT ON COLUMN align.admissions.role_name IS
'name of the role, whether it exists or not';
COMMENT ON FUNCTION align.backtest(text, align.funnel) IS
'what an agreement would have refused or missed in existing data: the query returns (lead, at, stage [, team [, reason]]) by position and runs read-only with the caller''s privileges; one row per broken rule and move and per missed service level, with the leads and entries concerned, their share of all leads and up to 5 keys; nulls are refused';
COMMENT ON FUNCTION align.attachment() IS
'function of the triggers that store the arguments of align.attach(); they never fire, and calling it is an error';
COMMENT ON FUNCTION align.record_row() IS
'row trigger of attached tables: judges a change by the agreement and collects it for the history; a violation is an error in mode enforce, a warning in mode warn';
COMMENT ON FUNCTION align.record_statement() IS
'statement trigger of attached tables: writes the changes that the row triggers collected to history and clocks, and records TRUNCATE';
COMMENT ON FUNCTION align.history_guard() IS
'statement trigger of history and clock tables: refuses all writes except those of align';
COMMENT ON FUNCTION align.in_present_life(oid, oid, integer, timestamptz, "any") IS
'for the policies on history and clock tables under row-level security: whether an entry or a clock, given by its key, its number and its recorded_at or started_at, exists and belongs to the present life of its lead';
COMMENT ON FUNCTION align.attach(regclass, text, name, name[], name, name, name, name, name, name, name, name, text, text, text, boolean) IS
'attaches a table to an agreement, or changes how it is attached: creates or adopts its history and clock table, creates its triggers, records an opening entry for every lead in a stage, and returns their number; needs ownership of the table, and locks it in SHARE ROW EXCLUSIVE mode';
COMMENT ON FUNCTION align.detach(regclass) IS
'detaches a table from its agreement: drops the triggers of align, and keeps history and clocks; needs ownership of the table, and locks it in ACCESS EXCLUSIVE mode';
COMMENT ON VIEW align.attachments IS
'the attached tables and the arguments of align.attach(), with the current names of tables and columns; readable by every role';
COMMENT ON COLUMN align.attachments.mode IS
'enforce: violations are refused; warn: they are recorded, with a warning; observe: they are recorded';
COMMENT ON COLUMN align.attachments.stage IS
'column of the stage';
COMMENT ON COLUMN align.attachments.key IS
'key columns, which identify a lead';
COMMENT ON COLUMN align.attachments.team IS
'column of the team that holds the lead, NULL if none';
COMMENT ON COLUMN align.attachments.assignee IS
'column of the person who holds the lead, NULL if none';
COMMENT ON COLUMN align.attachments.actor IS
'column of the person who made the change, NULL if none';
COMMENT ON COLUMN align.attachments.reason IS
'column of the reason of a move, NULL if none';
COMMENT ON COLUMN align.attachments.note IS
'column of the note on a change, NULL if none';
COMMENT ON COLUMN align.attachments.campaign IS
'column of the campaign, NULL if none';
COMMENT ON COLUMN align.attachments.amount IS
'column of the amount, NULL if none';
COMMENT ON COLUMN align.attachments.changed_at IS
'column of the time of a change, NULL if none (then it is the time of recording)';
COMMENT ON COLUMN align.attachments.history IS
'history table';
COMMENT ON COLUMN align.attachments.sla IS
'clock table';
COMMENT ON COLUMN align.attachments.live IS
'condition that is true of live rows, NULL if all rows are live';
COMMENT ON COLUMN align.attachments.notify IS
'true if the writing transaction itself announces handoffs';
COMMENT ON FUNCTION align.team_announce() IS
'trigger function of align.team and align.admission: makes every session read their rows again';
COMMENT ON TRIGGER team_announce ON align.team IS
'makes every session read the roles of teams again';
COMMENT ON TRIGGER admission_announce ON align.admission IS
'makes every session read the admissions again';
COMMENT ON FUNCTION align.explain_move(regclass, "any", text, text) IS
'whether a lead may move to a stage under the version of the agreement that judges now: one row with allowed = true, or one row per broken rule, the gravest first. A NULL stage asks whether the lead may leave the funnel; a NULL reason stands for the one in its row';
COMMENT ON FUNCTION align.journeys(regclass) IS
'the recorded journeys of an attached table, one row per lead in order of the key: stage entries and touches at their effective_at, with entry_no as ordinal. Reads the history with the privileges of the caller; NULL is an error';
COMMENT ON TYPE align.journeys_row IS
'row type of journeys(regclass, "any")';
COMMENT ON FUNCTION align.journeys(regclass, "any") IS
'the recorded journey of one lead, as journeys(regclass) returns it, read through an index; no row if it has none. NULLs are errors';
COMMENT ON FUNCTION align.clocks(regclass, timestamptz) IS
'the open service-level clocks of an attached table as of a time, with elapsed and remaining in working or elapsed time as promised, and the state running, at_risk, overdue or paused. A time before the last event of a clock counts as that event; NULLs and an infinite as_of are errors';
COMMENT ON TYPE align.clocks_row IS
'row type of clocks(regclass, timestamptz, "any")';
COMMENT ON FUNCTION align.clocks(regclass, timestamptz, "any") IS
'the open service-level clocks of one lead, as clocks(regclass, timestamptz) returns them, read through an index. NULLs and an infinite as_of are errors';
COMMENT ON FUNCTION align.check(regclass) IS
'the differences between an attached table, its history and its clocks, one row each; there are none unless triggers were bypassed. The caller must be able to see all rows of the three tables; NULL is an error';
COMMENT ON FUNCTION align.backtest(regclass, align.funnel) IS
'what an agreement would have refused or missed in the recorded history of an attached table, as backtest(text, align.funnel) returns it for a query. Who moved a lead is not judged; NULLs are errors';
COMMENT ON FUNCTION align.notify_handoffs(regclass) IS
'sends NOTIFY align_handoff for every handoff of an attached table that has not been announced yet, in the order in which they were recorded, and returns their number. For the owner of the table; NULL is an error';
COMMENT ON FUNCTION align.notify_due(regclass) IS
'sends NOTIFY align_sla for every open clock of an attached table that is at risk or overdue and has not been announced as such, and returns their number. For the owner of the table; NULL is an error';
COMMENT ON FUNCTION align.merge_leads(regclass, "any", "any") IS
'merges the recorded journey of a duplicate into that of the lead that survives, recomputes its clocks, and returns the number of entries moved; the rows of the table are not changed. For the owner of the table; NULLs are errors';
COMMENT ON FUNCTION align.erase(regclass, "any") IS
'deletes entries and clocks of a lead whose row has been deleted, removes its key from the entries of other leads, and returns the number of entries and clocks deleted. For the owner of the table; NULLs are errors';
COMMENT ON FUNCTION align.purge(regclass, timestamptz) IS
'deletes entries and clocks of leads whose last life ended before a time that is not in the future, and returns the number of entries and clocks deleted. A life ends when the row is deleted, truncated or no longer live; for the owner of the table; NULLs are errors';
COMMENT ON FUNCTION align.rebuild_clocks(regclass) IS
'replaces the clocks of an attached table by those that follow from its history, for use after a change of time zone rules or of the history, and returns their number. For the owner of the table, which is locked in SHARE ROW EXCLUSIVE mode; NULL is an error';
