-- Tables under an agreement

CREATE FUNCTION align.attachment() RETURNS trigger
    AS 'MODULE_PATHNAME', 'align_attachment_marker'
    LANGUAGE C VOLATILE PARALLEL UNSAFE COST 1;

COMMENT ON FUNCTION align.attachment() IS
'function of the triggers that store the arguments of align.attach(); they never fire, and calling it is an error';

CREATE FUNCTION align.record_row() RETURNS trigger
    AS 'MODULE_PATHNAME', 'align_record_row'
    LANGUAGE C VOLATILE PARALLEL UNSAFE COST 1;

COMMENT ON FUNCTION align.record_row() IS
'row trigger of attached tables: judges a change by the agreement and collects it for the history; a violation is an error in mode enforce, a warning in mode warn';

CREATE FUNCTION align.record_statement() RETURNS trigger
    AS 'MODULE_PATHNAME', 'align_record_statement'
    LANGUAGE C VOLATILE PARALLEL UNSAFE COST 1;

COMMENT ON FUNCTION align.record_statement() IS
'statement trigger of attached tables: writes the changes that the row triggers collected to history and clocks, and records TRUNCATE';

CREATE FUNCTION align.history_guard() RETURNS trigger
    AS 'MODULE_PATHNAME', 'align_history_guard'
    LANGUAGE C VOLATILE PARALLEL UNSAFE COST 1;

COMMENT ON FUNCTION align.history_guard() IS
'statement trigger of history and clock tables: refuses all writes except those of align';

CREATE FUNCTION align.in_present_life(history oid, record_table oid, number int, at timestamptz,
                                      VARIADIC key "any")
    RETURNS boolean
    AS 'MODULE_PATHNAME', 'align_in_present_life'
    LANGUAGE C STABLE STRICT PARALLEL RESTRICTED COST 1000;

COMMENT ON FUNCTION align.in_present_life(oid, oid, integer, timestamptz, "any") IS
'for the policies on history and clock tables under row-level security: whether an entry or a clock, given by its key, its number and its recorded_at or started_at, exists and belongs to the present life of its lead';

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

COMMENT ON FUNCTION align.attach(regclass, text, text, name[], text, text, text, text, text, text, text, text, text, text, text, boolean, text, text, jsonb, boolean, boolean, boolean, text, text, text, text, text) IS
'attaches a table to an agreement, or changes how it is attached: creates or adopts its history and clock table, creates its triggers, records an opening entry for every lead in a stage (or, in an existing history, for every lead whose stage it does not have, an opening or a move), and returns the number of these entries; needs ownership of the table, and locks it in SHARE ROW EXCLUSIVE mode';

CREATE FUNCTION align.detach(relation regclass) RETURNS void
    AS 'MODULE_PATHNAME', 'align_detach'
    LANGUAGE C VOLATILE PARALLEL UNSAFE COST 1000;

COMMENT ON FUNCTION align.detach(regclass) IS
'detaches a table from its agreement: drops the triggers of align, and keeps history and clocks; needs ownership of the table, and locks it in ACCESS EXCLUSIVE mode';

CREATE FUNCTION align.attached_tables()
    RETURNS TABLE (relation regclass, agreement text, mode text, stage name, key name[],
                   team name, assignee name, actor name, reason name, note name, campaign name,
                   amount name, changed_at name, history regclass, sla regclass, live text,
                   notify boolean)
    AS 'MODULE_PATHNAME', 'align_attached_tables_rows'
    LANGUAGE C STABLE PARALLEL SAFE COST 1000 ROWS 10;

COMMENT ON FUNCTION align.attached_tables() IS
'the attached tables, with the columns that the view align.attachments had until 0.3';

CREATE FUNCTION align.attachment_details()
    RETURNS TABLE (relation regclass, agreement text, mode text, stage name, key name[],
                   team name, assignee name, actor name, reason name, note name, campaign name,
                   amount name, changed_at name, history regclass, sla regclass, live text,
                   notify boolean, opened_at name, time_zone text, rules jsonb, reload boolean,
                   reason_must_change boolean, expressions jsonb, labels jsonb)
    AS 'MODULE_PATHNAME', 'align_attached_tables_rows'
    LANGUAGE C STABLE PARALLEL SAFE COST 1000 ROWS 10;

COMMENT ON FUNCTION align.attachment_details() IS
'the attached tables, as read from their triggers; see the view align.attachments';

CREATE VIEW align.attachments AS
    SELECT relation, agreement, mode, stage, key, team, assignee, actor, reason, note, campaign,
           amount, changed_at, history, sla, live, notify, opened_at, time_zone, rules, reload,
           reason_must_change, expressions, labels
    FROM align.attachment_details();

COMMENT ON VIEW align.attachments IS
'the attached tables and the arguments of align.attach(), with the current names of tables and columns; readable by every role';
COMMENT ON COLUMN align.attachments.relation IS 'the attached table';
COMMENT ON COLUMN align.attachments.agreement IS 'name of the agreement';
COMMENT ON COLUMN align.attachments.mode IS 'enforce: violations are refused; warn: they are recorded, with a warning; observe: they are recorded';
COMMENT ON COLUMN align.attachments.stage IS 'column of the stage, NULL if it is an expression';
COMMENT ON COLUMN align.attachments.key IS 'key columns, which identify a lead';
COMMENT ON COLUMN align.attachments.team IS 'column of the team that holds the lead, NULL if none';
COMMENT ON COLUMN align.attachments.assignee IS 'column of the person who holds the lead, NULL if none';
COMMENT ON COLUMN align.attachments.actor IS 'column of the person who made the change, NULL if none';
COMMENT ON COLUMN align.attachments.reason IS 'column of the reason of a move, NULL if none';
COMMENT ON COLUMN align.attachments.note IS 'column of the note on a change, NULL if none';
COMMENT ON COLUMN align.attachments.campaign IS 'column of the campaign, NULL if none';
COMMENT ON COLUMN align.attachments.amount IS 'column of the amount, NULL if none';
COMMENT ON COLUMN align.attachments.changed_at IS 'column of the time of a change, NULL if none (then it is the time of recording)';
COMMENT ON COLUMN align.attachments.history IS 'history table';
COMMENT ON COLUMN align.attachments.sla IS 'clock table';
COMMENT ON COLUMN align.attachments.live IS 'condition that is true of live rows, NULL if all rows are live';
COMMENT ON COLUMN align.attachments.notify IS 'true if the writing transaction itself announces handoffs';
COMMENT ON COLUMN align.attachments.opened_at IS 'column of the time since which a lead that is found in a stage has been there, NULL if none (then changed_at)';
COMMENT ON COLUMN align.attachments.time_zone IS 'time zone of changed_at and opened_at where their types have none';
COMMENT ON COLUMN align.attachments.rules IS 'modes of single rules, as an object; {} if all have the mode of the attachment';
COMMENT ON COLUMN align.attachments.reload IS 'true if DELETE and INSERT of one key in one transaction are one change';
COMMENT ON COLUMN align.attachments.reason_must_change IS 'true if a reason counts only if its value changed';
COMMENT ON COLUMN align.attachments.expressions IS 'the roles that are expressions, as an object by role; NULL if all are columns';
COMMENT ON COLUMN align.attachments.labels IS 'the views in which labels are looked up, as an object by role; NULL if there are none';

GRANT SELECT ON align.attachments TO PUBLIC;
