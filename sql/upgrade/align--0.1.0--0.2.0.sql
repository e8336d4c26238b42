\echo Use "ALTER EXTENSION align UPDATE TO '0.2.0'" to load this file. \quit

-- The modules that are new, as they are in the install script ("make delta").
-- Tables under an agreement

CREATE FUNCTION align.attachment() RETURNS trigger
    AS 'MODULE_PATHNAME', 'align_attachment_marker'
    LANGUAGE C VOLATILE PARALLEL UNSAFE COST 1;

COMMENT ON FUNCTION align.attachment() IS
'function of the triggers in which align.attach() writes down what it was told; they never fire, and raise if they do';

CREATE FUNCTION align.record_row() RETURNS trigger
    AS 'MODULE_PATHNAME', 'align_record_row'
    LANGUAGE C VOLATILE PARALLEL UNSAFE COST 1;

COMMENT ON FUNCTION align.record_row() IS
'row trigger of attached tables: judges a change by the agreement and hands it to the recorder; raises or warns as the mode says';

CREATE FUNCTION align.record_statement() RETURNS trigger
    AS 'MODULE_PATHNAME', 'align_record_statement'
    LANGUAGE C VOLATILE PARALLEL UNSAFE COST 1;

COMMENT ON FUNCTION align.record_statement() IS
'statement trigger of attached tables: writes what the row triggers handed over to history and clocks, and records TRUNCATE';

CREATE FUNCTION align.history_guard() RETURNS trigger
    AS 'MODULE_PATHNAME', 'align_history_guard'
    LANGUAGE C VOLATILE PARALLEL UNSAFE COST 1;

COMMENT ON FUNCTION align.history_guard() IS
'statement trigger of history and clock tables: refuses every write that is not align''s own';

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
'puts a table under an agreement from now on, or changes how it is: creates or takes over its history and clock table, makes its triggers, and records an opening entry for every row that is in a stage; returns for how many; needs ownership of the table; key defaults to the primary key, history to <table>_history, mode is enforce, warn or observe; holds the table in SHARE ROW EXCLUSIVE mode until the end of the transaction';

CREATE FUNCTION align.detach(relation regclass) RETURNS void
    AS 'MODULE_PATHNAME', 'align_detach'
    LANGUAGE C VOLATILE PARALLEL UNSAFE COST 1000;

COMMENT ON FUNCTION align.detach(regclass) IS
'takes a table out of its agreement: drops the triggers of align and keeps history and clocks; needs ownership of the table; holds it in ACCESS EXCLUSIVE mode until the end of the transaction';

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
'tables under an agreement, and what align.attach() was told about them, under the names that tables and columns have now; for everyone to read';
COMMENT ON COLUMN align.attachments.relation IS 'the attached table';
COMMENT ON COLUMN align.attachments.agreement IS 'name of the agreement';
COMMENT ON COLUMN align.attachments.mode IS 'enforce: offences are refused; warn: recorded, with a warning; observe: recorded';
COMMENT ON COLUMN align.attachments.stage IS 'column that tells the stage';
COMMENT ON COLUMN align.attachments.key IS 'columns by which leads are known';
COMMENT ON COLUMN align.attachments.team IS 'column that tells the team that holds the lead, null if none';
COMMENT ON COLUMN align.attachments.assignee IS 'column that tells the person who holds the lead, null if none';
COMMENT ON COLUMN align.attachments.actor IS 'column that tells who made the change, null if none';
COMMENT ON COLUMN align.attachments.reason IS 'column that tells the reason of a move, null if none';
COMMENT ON COLUMN align.attachments.note IS 'column of a note, null if none';
COMMENT ON COLUMN align.attachments.campaign IS 'column of the campaign, null if none';
COMMENT ON COLUMN align.attachments.amount IS 'column of the amount, null if none';
COMMENT ON COLUMN align.attachments.changed_at IS 'column that tells when a change happened, null if none: then when it was recorded';
COMMENT ON COLUMN align.attachments.history IS 'its history table';
COMMENT ON COLUMN align.attachments.sla IS 'its clock table';
COMMENT ON COLUMN align.attachments.live IS 'condition on rows that count, null if all do';
COMMENT ON COLUMN align.attachments.notify IS 'whether handoffs are announced by the writing transaction itself';

GRANT SELECT ON align.attachments TO PUBLIC;
-- Verdicts: who is acting, dry runs

CREATE FUNCTION align.team_announce() RETURNS trigger
    AS 'MODULE_PATHNAME', 'align_team_announce'
    LANGUAGE C VOLATILE PARALLEL UNSAFE COST 1;

COMMENT ON FUNCTION align.team_announce() IS
'trigger on align.team: has every session read afresh which role stands for which team';

-- by row, so that logical replication fires it too
CREATE TRIGGER team_announce AFTER INSERT OR UPDATE OR DELETE ON align.team
    FOR EACH ROW EXECUTE FUNCTION align.team_announce();
ALTER TABLE align.team ENABLE ALWAYS TRIGGER team_announce;

COMMENT ON TRIGGER team_announce ON align.team IS 'the roles of teams reach the caches of all sessions';

CREATE FUNCTION align.explain_move(relation regclass, key "any", stage text, reason text DEFAULT NULL)
    RETURNS TABLE (allowed boolean, rule text, message text, detail text, hint text)
    AS 'MODULE_PATHNAME', 'align_explain_move'
    LANGUAGE C STABLE PARALLEL UNSAFE COST 1000 ROWS 1;

COMMENT ON FUNCTION align.explain_move(regclass, "any", text, text) IS
'would the agreement in force now let this lead move to this stage, for this reason (null: the one in its row)?  One row with allowed = true, or one per broken rule, the gravest first, in the words of the triggers; reads the row with the caller''s rights, writes nothing; a null stage asks whether the lead may leave the funnel; raises if there is no such lead or the table is not attached';
-- Reading history and clocks

CREATE FUNCTION align.journeys(relation regclass)
    RETURNS TABLE (key jsonb, lead align.lead)
    AS 'MODULE_PATHNAME', 'align_journeys'
    LANGUAGE C STABLE PARALLEL UNSAFE COST 100000 ROWS 10000;

COMMENT ON FUNCTION align.journeys(regclass) IS
'the recorded journeys of an attached table as values of type lead, one row per lead in order of the key: key by column name ({"id": 42}); stage entries and touches of the history at their effective_at, with entry_no as ordinal, team, reason, campaign, amount and version; changes of owner or key, and what was changed in rows that are not live, are left out. Reads the history with the caller''s rights; null is an error';

CREATE FUNCTION align.clocks(relation regclass, as_of timestamptz DEFAULT pg_catalog.now())
    RETURNS TABLE (key jsonb, sla text, cycle int, team text, assignee text,
                   started_at timestamptz, due_at timestamptz, warn_at timestamptz,
                   elapsed interval, remaining interval, overrun interval, state text, version int)
    AS 'MODULE_PATHNAME', 'align_clocks'
    LANGUAGE C STABLE PARALLEL UNSAFE COST 10000 ROWS 500;

COMMENT ON FUNCTION align.clocks(regclass, timestamptz) IS
'the service-level clocks of an attached table that are open, as of an instant (one before a clock''s last event counts as that), in no particular order: team that promised, assignee who holds the lead (once it is overdue: who held it at the due instant), elapsed, remaining (negative once overdue) and overrun (zero until then) in the promise''s own kind of time, state running, at_risk, overdue or paused, version of the agreement it runs under; due_at and warn_at of a paused clock are what they would be if it resumed at as_of. Reads the open clocks alone, with the caller''s rights; null and infinite as_of are errors';

CREATE FUNCTION align.check(relation regclass)
    RETURNS TABLE (key jsonb, problem text, recorded text, expected text)
    AS 'MODULE_PATHNAME', 'align_check'
    LANGUAGE C STABLE PARALLEL UNSAFE COST 1000000 ROWS 1;

COMMENT ON FUNCTION align.check(regclass) IS
'differences between an attached table, its history and its clocks, of which there are none unless something went round the triggers: one row per difference, with the key of the lead (null: of the table as such), what is wrong (missing_trigger, disabled_trigger, missing_history, missing_end, row_stage, row_team, row_assignee, unknown_stage, entry_no, recorded_at, event, version, from_stage, violation, clock, missing_clock, extra_clock, stray_clock), what was recorded and what follows from the rest. Reads all three tables from one snapshot with the caller''s rights, who must see all rows; null is an error';

CREATE FUNCTION align.backtest(relation regclass, funnel align.funnel)
    RETURNS TABLE (rule text, from_stage text, stage text, leads bigint, entries bigint,
                   share float8, examples text[])
    AS 'MODULE_PATHNAME', 'align_backtest_relation'
    LANGUAGE C VOLATILE PARALLEL UNSAFE COST 100000 ROWS 50;

COMMENT ON FUNCTION align.backtest(regclass, align.funnel) IS
'what an agreement would have refused or missed in the recorded history of an attached table: as backtest(text, funnel) of its journeys, without judging who moved the lead; a service level that is open counts as missed if it is overdue at the largest time in the history, unless the lead is gone. Reads the history with the caller''s rights; nulls are refused';
-- Alerts from the outbox

CREATE FUNCTION align.notify_handoffs(relation regclass) RETURNS bigint
    AS 'MODULE_PATHNAME', 'align_notify_handoffs'
    LANGUAGE C VOLATILE PARALLEL UNSAFE COST 10000;

COMMENT ON FUNCTION align.notify_handoffs(regclass) IS
'sends one NOTIFY align_handoff for every handoff of an attached table that has not been announced yet, in the order in which they were recorded, marks them as announced, and returns how many there were; the payload is a JSON object with relation, key, entry_no, handoff, from and to; for the owner of the table; null is refused';

CREATE FUNCTION align.notify_due(relation regclass) RETURNS bigint
    AS 'MODULE_PATHNAME', 'align_notify_due'
    LANGUAGE C VOLATILE PARALLEL UNSAFE COST 10000;

COMMENT ON FUNCTION align.notify_due(regclass) IS
'sends one NOTIFY align_sla for every open clock of an attached table that has become at risk or overdue since it was last announced, marks them as announced, and returns how many there were; the payload is a JSON object with relation, key, sla, cycle, state (at_risk or overdue) and due_at; for the owner of the table; null is refused';
-- Merging and erasing leads

CREATE FUNCTION align.merge_leads(relation regclass, from_key "any", into_key "any") RETURNS bigint
    AS 'MODULE_PATHNAME', 'align_merge_leads'
    LANGUAGE C VOLATILE PARALLEL UNSAFE COST 10000;

COMMENT ON FUNCTION align.merge_leads(regclass, "any", "any") IS
'the recorded journey of a duplicate joins that of the lead that stays, whose clocks are made anew from the whole; returns the number of entries that moved; the rows of the table are left as they are; for the owner of the table; raises if nothing is recorded of from_key or into_key is not in the funnel; nulls are refused';

CREATE FUNCTION align.erase(relation regclass, key "any") RETURNS bigint
    AS 'MODULE_PATHNAME', 'align_erase'
    LANGUAGE C VOLATILE PARALLEL UNSAFE COST 10000;

COMMENT ON FUNCTION align.erase(regclass, "any") IS
'deletes all that is recorded of a lead that is no longer in the table, and its key where other leads'' entries mention it; returns how many entries and clocks it deleted; for the owner of the table; refused while the row is there; nulls are refused';
