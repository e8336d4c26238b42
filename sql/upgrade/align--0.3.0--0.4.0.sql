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

-- History from elsewhere, and clocks that follow the version in force.

CREATE FUNCTION align.rebuild_clocks(relation regclass, to_version_in_force boolean) RETURNS bigint
    AS 'MODULE_PATHNAME', 'align_rebuild_clocks_to_version'
    LANGUAGE C VOLATILE PARALLEL UNSAFE COST 100000;

CREATE FUNCTION align.import_history(relation regclass, query text) RETURNS bigint
    AS 'MODULE_PATHNAME', 'align_import_history'
    LANGUAGE C VOLATILE PARALLEL UNSAFE COST 1000000;

-- Comments that are new or read otherwise ("make delta").

COMMENT ON FUNCTION align.attach(regclass, text, text, name[], text, text, text, text, text, text, text, text, text, text, text, boolean, text, text, jsonb, boolean, boolean, boolean, text, text, text, text, text) IS
'attaches a table to an agreement, or changes how it is attached: creates or adopts its history and clock table, creates its triggers, records an opening entry for every lead in a stage, and returns their number; needs ownership of the table, and locks it in SHARE ROW EXCLUSIVE mode';
COMMENT ON FUNCTION align.attached_tables() IS
'the attached tables, with the columns that the view align.attachments had until 0.3';
COMMENT ON FUNCTION align.attachment_details() IS
'the attached tables, as read from their triggers; see the view align.attachments';
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
'what align.attach() was given for the roles that are expressions, as an object by role; NULL if all are columns';
COMMENT ON COLUMN align.attachments.labels IS
'look-ups of labels, as an object by role; NULL if there are none';
COMMENT ON FUNCTION align.rebuild_clocks(regclass, boolean) IS
'the same as rebuild_clocks(regclass); if to_version_in_force is true, open clocks follow the version of the agreement that is in force now, which they record as theirs. NULLs are errors';
COMMENT ON FUNCTION align.import_history(regclass, text) IS
'adds what happened to the leads of an attached table before it was recorded: the query, run read-only as the caller, returns the key columns, at and stage, and may return ordinal, team, assignee, actor, reason, note, campaign and amount. Violations are recorded, clocks computed, and the number of rows that became entries is returned. For the owner of the table, which is locked in SHARE ROW EXCLUSIVE mode; NULLs are errors';
