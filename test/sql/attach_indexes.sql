-- Which indexes of existing history and clock tables attach() uses, and which it creates
-- besides, because those that exist do not serve the purpose.
SET client_min_messages = warning;
CREATE SCHEMA attach_indexes;
SET search_path = attach_indexes;
SELECT align.agree('attach_indexes', $$
    stage a, b held by sales;
    won c;
    success path a -> b -> c;
    sla answer by sales: from b to c within 10 days;
$$);
CREATE TABLE leads (id int PRIMARY KEY, stage text);
SELECT align.attach('leads', 'attach_indexes');
CREATE VIEW indexes AS
    SELECT indexdef FROM pg_indexes WHERE schemaname = 'attach_indexes' AND tablename LIKE 'leads\_%' ORDER BY indexdef COLLATE "C";
CREATE TABLE first AS SELECT * FROM indexes;
SELECT * FROM first;
CREATE PROCEDURE instead(VARIADIC commands text[]) LANGUAGE plpgsql AS $$
DECLARE
    command text;
    index text;
BEGIN
    PERFORM align.detach('leads');
    FOREACH command IN ARRAY commands LOOP
        EXECUTE command;
        RAISE INFO '%', command;
    END LOOP;
    PERFORM align.attach('leads', 'attach_indexes');
    FOR index IN SELECT 'also ' || indexdef FROM indexes WHERE indexdef NOT IN (SELECT indexdef FROM first)
        UNION ALL SELECT 'without ' || indexdef FROM first WHERE indexdef NOT IN (SELECT indexdef FROM indexes) LOOP
        RAISE INFO '    %', index;
    END LOOP;
    ROLLBACK;
END
$$;
-- the same indexes again are not created
CALL instead('SELECT');
-- other access methods, orders, predicates and expressions do not do
CALL instead('ALTER TABLE leads_history DROP CONSTRAINT leads_history_pkey', 'CREATE INDEX brin ON leads_history USING brin (id, entry_no)');
CALL instead('ALTER TABLE leads_sla DROP CONSTRAINT leads_sla_pkey', 'CREATE INDEX descending ON leads_sla (id, sla DESC, cycle)');
CALL instead('ALTER TABLE leads_sla DROP CONSTRAINT leads_sla_pkey', 'CREATE INDEX partial ON leads_sla (id, sla, cycle) WHERE id > 0');
CALL instead('DROP INDEX leads_sla_due_at_idx', 'CREATE INDEX other_predicate ON leads_sla (due_at) WHERE outcome IS NOT NULL');
CALL instead('DROP INDEX leads_sla_due_at_idx', 'CREATE INDEX other_method ON leads_sla USING brin (due_at) WHERE outcome IS NULL');
CALL instead('DROP INDEX leads_history_recorded_at_idx', 'CREATE INDEX other_predicate ON leads_history (recorded_at) WHERE handoff IS NOT NULL');
CALL instead('DROP INDEX leads_history_substring_idx', $$CREATE INDEX other_expression ON leads_history ((lower(note))) WHERE event = 'rekey'$$);
-- more columns, other names and a primary key that is only an index do
CALL instead('ALTER TABLE leads_history DROP CONSTRAINT leads_history_pkey', 'CREATE INDEX longer ON leads_history (id, entry_no, event)');
CALL instead('DROP INDEX leads_history_recorded_at_idx, leads_sla_due_at_idx, leads_history_substring_idx',
    'CREATE INDEX same_1 ON leads_sla (due_at) WHERE outcome IS NULL',
    'CREATE INDEX same_2 ON leads_history (recorded_at, event) WHERE handoff IS NOT NULL AND notified_at IS NULL',
    $$CREATE INDEX same_3 ON leads_history (substring(note, '[)]=([(].*)$')) WHERE event = 'rekey'$$);

-- The functions of an index do not run with the rights of the caller to find out.
CREATE FUNCTION loud(int) RETURNS bool LANGUAGE plpgsql IMMUTABLE AS $$
BEGIN
    IF current_user <> 'attach_indexes_owner' THEN
        RAISE WARNING 'loud(%) as another user', $1;
    END IF;
    RETURN true;
END
$$;
CREATE ROLE attach_indexes_owner;
GRANT ALL ON SCHEMA attach_indexes TO attach_indexes_owner;
SELECT align.admit('attach_indexes', 'attach_indexes_owner');
SET ROLE attach_indexes_owner;
CREATE TABLE theirs (id int PRIMARY KEY, stage text);
SELECT align.attach('theirs', 'attach_indexes');
CREATE UNIQUE INDEX on_theirs ON theirs (id) WHERE loud(1);
CREATE UNIQUE INDEX on_theirs_expression ON theirs (id, loud(2));
CREATE INDEX on_history ON theirs_history (id, entry_no) WHERE loud(3);
CREATE INDEX on_history_expression ON theirs_history (loud(4));
CREATE INDEX on_sla ON theirs_sla (id, sla, cycle) WHERE loud(5);
RESET ROLE;
\c
SET search_path = attach_indexes;
SELECT align.attach('theirs', 'attach_indexes', key => '{id}');
SET ROLE attach_indexes_owner;
INSERT INTO theirs VALUES (1, 'a');
RESET ROLE;
SELECT align.rebuild_clocks('theirs');

DROP TABLE theirs, theirs_history, theirs_sla;
DROP SCHEMA attach_indexes CASCADE;
DROP ROLE attach_indexes_owner;
