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

CREATE FUNCTION align.attach(relation regclass, agreement text, stage name DEFAULT 'stage',
                             key name[] DEFAULT NULL, team name DEFAULT NULL,
                             assignee name DEFAULT NULL, actor name DEFAULT NULL,
                             reason name DEFAULT NULL, note name DEFAULT NULL,
                             campaign name DEFAULT NULL, amount name DEFAULT NULL,
                             changed_at name DEFAULT NULL, history text DEFAULT NULL,
                             mode text DEFAULT 'enforce', live text DEFAULT NULL,
                             notify boolean DEFAULT false)
    RETURNS bigint
    AS 'MODULE_PATHNAME', 'align_attach'
    LANGUAGE C VOLATILE PARALLEL UNSAFE COST 100000;

COMMENT ON FUNCTION align.attach(regclass, text, name, name[], name, name, name, name, name, name, name, name, text, text, text, boolean) IS
'attaches a table to an agreement, or changes how it is attached: creates or adopts its history and clock table, creates its triggers, records an opening entry for every lead in a stage, and returns their number; needs ownership of the table, and locks it in SHARE ROW EXCLUSIVE mode';

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
'the attached tables, as read from their triggers; see the view align.attachments';

CREATE VIEW align.attachments AS
    SELECT relation, agreement, mode, stage, key, team, assignee, actor, reason, note, campaign,
           amount, changed_at, history, sla, live, notify
    FROM align.attached_tables();

COMMENT ON VIEW align.attachments IS
'the attached tables and the arguments of align.attach(), with the current names of tables and columns; readable by every role';
COMMENT ON COLUMN align.attachments.relation IS 'the attached table';
COMMENT ON COLUMN align.attachments.agreement IS 'name of the agreement';
COMMENT ON COLUMN align.attachments.mode IS 'enforce: violations are refused; warn: they are recorded, with a warning; observe: they are recorded';
COMMENT ON COLUMN align.attachments.stage IS 'column of the stage';
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

GRANT SELECT ON align.attachments TO PUBLIC;
