\echo Use "ALTER EXTENSION align UPDATE TO '0.4.0'" to load this file. \quit

-- attach(): roles may be expressions, which are longer than a name.

DROP FUNCTION align.attach(regclass, text, name, name[], name, name, name, name, name, name, name, name, text, text, text, boolean);

CREATE FUNCTION align.attach(relation regclass, agreement text, stage text DEFAULT 'stage',
                             key name[] DEFAULT NULL, team text DEFAULT NULL,
                             assignee text DEFAULT NULL, actor text DEFAULT NULL,
                             reason text DEFAULT NULL, note text DEFAULT NULL,
                             campaign text DEFAULT NULL, amount text DEFAULT NULL,
                             changed_at text DEFAULT NULL, history text DEFAULT NULL,
                             mode text DEFAULT 'enforce', live text DEFAULT NULL,
                             notify boolean DEFAULT false, opened_at text DEFAULT NULL,
                             time_zone text DEFAULT NULL, rules jsonb DEFAULT NULL,
                             reload boolean DEFAULT false,
                             reason_must_change boolean DEFAULT false,
                             replace boolean DEFAULT false, stage_labels text DEFAULT NULL,
                             team_labels text DEFAULT NULL, assignee_labels text DEFAULT NULL,
                             reason_labels text DEFAULT NULL, campaign_labels text DEFAULT NULL)
    RETURNS bigint
    AS 'MODULE_PATHNAME', 'align_attach'
    LANGUAGE C VOLATILE PARALLEL UNSAFE COST 100000;

-- The view align.attachments has new columns at its end.

CREATE FUNCTION align.attachment_details()
    RETURNS TABLE (relation regclass, agreement text, mode text, stage name, key name[],
                   team name, assignee name, actor name, reason name, note name, campaign name,
                   amount name, changed_at name, history regclass, sla regclass, live text,
                   notify boolean, opened_at name, time_zone text, rules jsonb, reload boolean,
                   reason_must_change boolean, expressions jsonb, labels jsonb)
    AS 'MODULE_PATHNAME', 'align_attached_tables_rows'
    LANGUAGE C STABLE PARALLEL SAFE COST 1000 ROWS 10;

CREATE OR REPLACE VIEW align.attachments AS
    SELECT relation, agreement, mode, stage, key, team, assignee, actor, reason, note, campaign,
           amount, changed_at, history, sla, live, notify, opened_at, time_zone, rules, reload,
           reason_must_change, expressions, labels
    FROM align.attachment_details();

-- canonical(): stages by the agreement's names of today.

CREATE FUNCTION align.canonical(lead align.lead, funnel align.funnel) RETURNS align.lead
    AS 'MODULE_PATHNAME', 'align_lead_canonical'
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 5;

-- Leads with a log's own numbers and segments; segments and targets of agreements.

CREATE FUNCTION align.lead_agg_trans(internal, timestamptz, text, bigint) RETURNS internal
	AS 'MODULE_PATHNAME', 'align_lead_agg_ordinal_trans'
	LANGUAGE C IMMUTABLE PARALLEL SAFE COST 2;

CREATE FUNCTION align.lead_agg_trans(internal, timestamptz, text, text, text, text, numeric, bigint, text[]) RETURNS internal
	AS 'MODULE_PATHNAME', 'align_lead_agg_trans'
	LANGUAGE C IMMUTABLE PARALLEL SAFE COST 2;

CREATE AGGREGATE align.lead_agg(at timestamptz, stage text, ordinal bigint) (
	SFUNC = align.lead_agg_trans, STYPE = internal, SSPACE = 1200,
	FINALFUNC = align.lead_agg_final, FINALFUNC_MODIFY = READ_ONLY,
	COMBINEFUNC = align.lead_agg_combine,
	SERIALFUNC = align.lead_agg_serialise, DESERIALFUNC = align.lead_agg_deserialise,
	PARALLEL = SAFE
);

CREATE AGGREGATE align.lead_agg(at timestamptz, stage text, team text, reason text, campaign text, amount numeric, ordinal bigint, segments text[]) (
	SFUNC = align.lead_agg_trans, STYPE = internal, SSPACE = 1800,
	FINALFUNC = align.lead_agg_final, FINALFUNC_MODIFY = READ_ONLY,
	COMBINEFUNC = align.lead_agg_combine,
	SERIALFUNC = align.lead_agg_serialise, DESERIALFUNC = align.lead_agg_deserialise,
	PARALLEL = SAFE
);

CREATE FUNCTION align.entry_segments(lead align.lead) RETURNS TABLE (
		entry integer, at timestamptz, stage text, segments text[])
	AS 'MODULE_PATHNAME', 'align_lead_entry_segments'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 10 ROWS 5;

CREATE FUNCTION align.agreed_targets(funnel align.funnel) RETURNS TABLE (
	team text,
	kind text,
	stage text,
	from_stage text,
	sla text,
	goal numeric,
	unit text,
	per text,
	within interval
)
	AS 'MODULE_PATHNAME', 'align_funnel_agreed_targets'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 100 ROWS 5;

CREATE FUNCTION align.segments(funnel align.funnel) RETURNS TABLE (
	segment text,
	condition text
)
	AS 'MODULE_PATHNAME', 'align_funnel_segments'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 100 ROWS 5;

-- Keys as text, for parameters of drivers; forget(); dry_run().

CREATE FUNCTION align.explain_move(relation regclass, key text, stage text, reason text DEFAULT NULL)
    RETURNS TABLE (allowed boolean, rule text, message text, detail text, hint text)
    AS 'MODULE_PATHNAME', 'align_explain_move'
    LANGUAGE C STABLE PARALLEL UNSAFE COST 1000 ROWS 1;

CREATE FUNCTION align.journeys(relation regclass, key text)
    RETURNS SETOF align.journeys_row
    AS 'MODULE_PATHNAME', 'align_journeys_of_key'
    LANGUAGE C STABLE PARALLEL UNSAFE COST 100 ROWS 1;

CREATE FUNCTION align.clocks(relation regclass, as_of timestamptz, key text)
    RETURNS SETOF align.clocks_row
    AS 'MODULE_PATHNAME', 'align_clocks_of_key'
    LANGUAGE C STABLE PARALLEL UNSAFE COST 100 ROWS 2;

CREATE FUNCTION align.merge_leads(relation regclass, from_key text, into_key text) RETURNS bigint
    AS 'MODULE_PATHNAME', 'align_merge_leads'
    LANGUAGE C VOLATILE PARALLEL UNSAFE COST 10000;

CREATE FUNCTION align.erase(relation regclass, key text) RETURNS bigint
    AS 'MODULE_PATHNAME', 'align_erase'
    LANGUAGE C VOLATILE PARALLEL UNSAFE COST 10000;

CREATE FUNCTION align.forget(relation regclass, key "any") RETURNS bigint
    AS 'MODULE_PATHNAME', 'align_forget'
    LANGUAGE C VOLATILE PARALLEL UNSAFE COST 10000;

CREATE FUNCTION align.forget(relation regclass, key text) RETURNS bigint
    AS 'MODULE_PATHNAME', 'align_forget'
    LANGUAGE C VOLATILE PARALLEL UNSAFE COST 10000;

CREATE FUNCTION align.dry_run(relation regclass, query text)
    RETURNS TABLE (row_no bigint, key jsonb, rule text, mode text, from_stage text, stage text,
                   message text, detail text, hint text)
    AS 'MODULE_PATHNAME', 'align_dry_run'
    LANGUAGE C VOLATILE PARALLEL UNSAFE COST 100000 ROWS 50;

-- History from elsewhere, and clocks that follow the version in force.

CREATE FUNCTION align.rebuild_clocks(relation regclass, to_version_in_force boolean) RETURNS bigint
    AS 'MODULE_PATHNAME', 'align_rebuild_clocks_to_version'
    LANGUAGE C VOLATILE PARALLEL UNSAFE COST 100000;

CREATE FUNCTION align.import_history(relation regclass, query text) RETURNS bigint
    AS 'MODULE_PATHNAME', 'align_import_history'
    LANGUAGE C VOLATILE PARALLEL UNSAFE COST 1000000;

-- Comments that are new or read otherwise ("make delta").

COMMENT ON FUNCTION align.agreed_targets(funnel align.funnel) IS
'the targets of an agreement in the order of the document, with what each measures in columns: kind is count (leads that enter stage), service_level (sla) or conversion (from from_stage to stage)';
COMMENT ON FUNCTION align.segments(funnel align.funnel) IS
'the segments of an agreement in the order of the document, each with its condition on the row';
COMMENT ON FUNCTION align.lead_agg_trans(internal, timestamptz, text, bigint) IS
'transition function of the aggregate lead_agg(at, stage, ordinal)';
COMMENT ON FUNCTION align.lead_agg_trans(internal, timestamptz, text, text, text, text, numeric, bigint, text[]) IS
'transition function of the aggregate lead_agg(at, stage, team, reason, campaign, amount, ordinal, segments)';
COMMENT ON AGGREGATE align.lead_agg(timestamptz, text, bigint) IS
'the same as lead_agg(at, stage) with a number that decides between equal times, such as the id of a log; it must be positive, and NULL sorts first';
COMMENT ON AGGREGATE align.lead_agg(timestamptz, text, text, text, text, numeric, bigint, text[]) IS
'the same as lead_agg(at, stage, team, reason, campaign, amount) with a number that decides between equal times and the names of the segments that held of the row, in any order; NULL names, and an array without names, are the same as NULL';
COMMENT ON AGGREGATE align.rollup(align.lead) IS
'merges partial journeys of one lead, without exact duplicates; an entry without segments is a duplicate of the same one with them; NULLs are ignored; NULL if there is nothing else';
COMMENT ON FUNCTION align.canonical(align.lead, align.funnel) IS
'the lead with its stages by the names that the agreement has for them, where it has another label; labels that the agreement does not have stay';
COMMENT ON FUNCTION align.entry_segments(align.lead) IS
'one row per entry of the lead that has segments, with its number in entries(lead) and the sorted names of the segments that held of the row';
COMMENT ON FUNCTION align.lead_to_jsonb(align.lead) IS
'the lead as an array of entries, each an object with at, stage, team, reason, campaign, amount, ordinal, version and segments where present';
COMMENT ON FUNCTION align.attach(regclass, text, text, name[], text, text, text, text, text, text, text, text, text, text, text, boolean, text, text, jsonb, boolean, boolean, boolean, text, text, text, text, text) IS
'attaches a table to an agreement, or changes how it is attached: creates or adopts its history and clock table, creates its triggers, records an opening entry for every lead in a stage (or, in an existing history, for every lead whose stage it does not have, an opening or a move), and returns the number of these entries; needs ownership of the table, and locks it in SHARE ROW EXCLUSIVE mode';
COMMENT ON FUNCTION align.attached_tables() IS
'the attached tables, with the columns that the view align.attachments had until 0.3';
COMMENT ON FUNCTION align.attachment_details() IS
'the attached tables, as read from their triggers; see the view align.attachments';
COMMENT ON COLUMN align.attachments.stage IS
'column of the stage, NULL if it is an expression';
COMMENT ON COLUMN align.attachments.opened_at IS
'column of the time since which a lead that is found in a stage has been there, NULL if none (then changed_at)';
COMMENT ON COLUMN align.attachments.time_zone IS
'time zone of changed_at and opened_at where their types have none';
COMMENT ON COLUMN align.attachments.rules IS
'modes of single rules, as an object; {} if all have the mode of the attachment';
COMMENT ON COLUMN align.attachments.reload IS
'true if DELETE and INSERT of one key in one transaction are one change';
COMMENT ON COLUMN align.attachments.reason_must_change IS
'true if a reason counts only if its value changed';
COMMENT ON COLUMN align.attachments.expressions IS
'the roles that are expressions, as an object by role; NULL if all are columns';
COMMENT ON COLUMN align.attachments.labels IS
'the views in which labels are looked up, as an object by role; NULL if there are none';
COMMENT ON FUNCTION align.explain_move(regclass, "any", text, text) IS
'whether a lead may move to a stage under the version of the agreement that judges now: one row with allowed = true, or one row per broken rule, the gravest first. A NULL stage asks whether the lead may leave the funnel; a NULL reason is none: the one in its row is that of an earlier change';
COMMENT ON FUNCTION align.explain_move(regclass, text, text, text) IS
'the same with the key as text, and for parameters without a type';
COMMENT ON FUNCTION align.dry_run(regclass, text) IS
'the rules that a load would break: a query returns rows with columns of an attached table, by name, which are judged as if each were inserted, or updated the row with its key; one row per broken rule, with its mode. Nothing is written; NULLs are errors';
COMMENT ON FUNCTION align.journeys(regclass) IS
'the recorded journeys of an attached table, one row per lead in order of the key: stage entries and touches at their effective_at, with entry_no as ordinal, and stages by their names of today. Reads the history with the privileges of the caller; NULL is an error';
COMMENT ON FUNCTION align.journeys(regclass, text) IS
'the same with the key as text, and for parameters without a type';
COMMENT ON FUNCTION align.clocks(regclass, timestamptz) IS
'the service-level clocks of an attached table that were open at a time, by what is recorded now, as they were then: with elapsed and remaining in working or elapsed time as promised, and the state running, at_risk, overdue or paused; NULLs and an infinite as_of are errors';
COMMENT ON FUNCTION align.clocks(regclass, timestamptz, "any") IS
'the service-level clocks of one lead that were open at a time, as clocks(regclass, timestamptz) returns them, read through an index. NULLs and an infinite as_of are errors';
COMMENT ON FUNCTION align.clocks(regclass, timestamptz, text) IS
'the same with the key as text, and for parameters without a type';
COMMENT ON FUNCTION align.merge_leads(regclass, text, text) IS
'the same with the keys as text, and for parameters without a type';
COMMENT ON FUNCTION align.erase(regclass, text) IS
'the same with the key as text, and for parameters without a type';
COMMENT ON FUNCTION align.forget(regclass, "any") IS
'removes persons and free text from the entries and clocks of a lead that stays, anonymised: assignees, actors, notes, campaigns, former keys, and reasons that the agreement does not list. Stages and times stay. Returns the number of entries and clocks changed. For the owner of the table; NULLs are errors';
COMMENT ON FUNCTION align.forget(regclass, text) IS
'the same with the key as text, and for parameters without a type';
COMMENT ON FUNCTION align.rebuild_clocks(regclass, boolean) IS
'the same as rebuild_clocks(regclass); if to_version_in_force is true, open clocks follow the version of the agreement that is in force now, which they record as theirs. NULLs are errors';
COMMENT ON FUNCTION align.import_history(regclass, text) IS
'adds what happened to the leads of an attached table before it was recorded: the query, run read-only as the caller, returns the key columns, at and stage, and may return ordinal, team, assignee, actor, reason, note, campaign and amount. Violations are recorded, clocks computed, and the number of rows that became entries is returned. For the owner of the table, which is locked in SHARE ROW EXCLUSIVE mode; NULLs are errors';
