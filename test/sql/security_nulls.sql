-- Nulls where align.attach() creates NOT NULL columns.  The owner can drop NOT NULL
-- and write what no code expects; that is an error, and must not crash the server.
SET client_min_messages = warning;
CREATE SCHEMA security_nulls;
SET search_path = security_nulls;
\set VERBOSITY terse

SELECT align.agree('security_nulls', $$
    stage a, b held by sales;
    won c;
    entry a, b;
    success path a -> b -> c;
    path b -> a;
    sla answer by sales: from b to a within 10 days;
$$);

CREATE PROCEDURE make_leads() LANGUAGE plpgsql AS $$
BEGIN
    DROP TABLE IF EXISTS leads, leads_history, leads_sla CASCADE;
    CREATE TABLE leads (id text NOT NULL, stage text);
    CREATE UNIQUE INDEX ON leads (id);
    PERFORM align.attach('leads', 'security_nulls', key => '{id}');
    INSERT INTO leads VALUES ('x1', 'a'), ('x2', 'b'), ('x3', 'b');
END
$$;

-- What every function and trigger does after a change of the tables.
CREATE PROCEDURE after(command text) LANGUAGE plpgsql AS $$
DECLARE
    attempt text;
BEGIN
    CALL make_leads();
    ALTER TABLE leads_history DISABLE TRIGGER USER;
    ALTER TABLE leads_sla DISABLE TRIGGER USER;
    EXECUTE command;
    ALTER TABLE leads_history ENABLE TRIGGER USER;
    ALTER TABLE leads_sla ENABLE TRIGGER USER;
    RAISE INFO '%', command;
    FOREACH attempt IN ARRAY ARRAY[
        $a$SELECT count(*) FROM align.check('leads')$a$,
        $a$SELECT count(*) FROM align.clocks('leads')$a$,
        $a$SELECT count(*) FROM align.clocks('leads', now(), 'x2')$a$,
        $a$SELECT count(*) FROM align.journeys('leads')$a$,
        $a$SELECT align.notify_due('leads')$a$,
        $a$SELECT align.rebuild_clocks('leads')$a$,
        $a$SELECT align.purge('leads', now())$a$,
        $a$UPDATE leads SET stage = 'a' WHERE stage = 'b'$a$,
        $a$DELETE FROM leads$a$,
        $a$TRUNCATE leads$a$,
        $a$SELECT align.attach('leads', 'security_nulls', key => '{id}')$a$
    ] LOOP
        BEGIN
            EXECUTE attempt;
            RAISE 'done';
        EXCEPTION WHEN OTHERS THEN
            RAISE INFO '    %: % %', replace(attempt, 'SELECT count(*) FROM ', 'SELECT '), SQLSTATE, SQLERRM;
        END;
    END LOOP;
    ROLLBACK;
END
$$;

CALL after($$ALTER TABLE leads_history DROP CONSTRAINT leads_history_pkey; ALTER TABLE leads_history ALTER id DROP NOT NULL;
    UPDATE leads_history SET id = NULL WHERE id = 'x1'$$);
CALL after($$ALTER TABLE leads_history ALTER effective_at DROP NOT NULL; UPDATE leads_history SET effective_at = NULL$$);
CALL after($$ALTER TABLE leads_sla DROP CONSTRAINT leads_sla_pkey; CREATE INDEX ON leads_sla (id, sla, cycle);
    ALTER TABLE leads_sla ALTER sla DROP NOT NULL; UPDATE leads_sla SET sla = NULL$$);
CALL after($$ALTER TABLE leads_sla ALTER paused DROP NOT NULL; UPDATE leads_sla SET paused = NULL$$);
CALL after($$ALTER TABLE leads_sla ALTER due_at DROP NOT NULL; UPDATE leads_sla SET due_at = NULL$$);

-- The key of the table itself: a row without one is no lead, as long as it is not in a stage.
CALL after($$ALTER TABLE leads ALTER id DROP NOT NULL; INSERT INTO leads VALUES (NULL, NULL)$$);
CALL after($$ALTER TABLE leads ALTER id DROP NOT NULL; ALTER TABLE leads DISABLE TRIGGER align_insert;
    INSERT INTO leads VALUES (NULL, 'b'); ALTER TABLE leads ENABLE TRIGGER align_insert$$);

-- The whole message, and the one for a table that is adopted.
\set VERBOSITY default
CALL make_leads();
ALTER TABLE leads_sla ALTER paused DROP NOT NULL;
SELECT count(*) FROM align.clocks('leads');
SELECT align.detach('leads');
SELECT align.attach('leads', 'security_nulls', key => '{id}');
ALTER TABLE leads_sla ALTER paused SET NOT NULL;
ALTER TABLE leads_history DROP CONSTRAINT leads_history_pkey, ALTER id DROP NOT NULL;
SELECT align.attach('leads', 'security_nulls', key => '{id}');
ALTER TABLE leads_history ALTER id SET NOT NULL;
SELECT align.attach('leads', 'security_nulls', key => '{id}');
SELECT * FROM align.check('leads');

-- A catalog that claims what does not hold, as a NOT NULL constraint that is NOT VALID
-- does since PostgreSQL 18.
CREATE PROCEDURE claim_not_null(relation regclass, attribute name) LANGUAGE sql AS $$
    UPDATE pg_attribute SET attnotnull = true WHERE attrelid = relation AND attname = attribute
$$;
CALL after($$ALTER TABLE leads_history DROP CONSTRAINT leads_history_pkey; ALTER TABLE leads_history ALTER id DROP NOT NULL;
    UPDATE leads_history SET id = NULL WHERE id = 'x1'; CALL claim_not_null('leads_history', 'id')$$);
CALL after($$ALTER TABLE leads_sla DROP CONSTRAINT leads_sla_pkey; CREATE INDEX ON leads_sla (id, sla, cycle);
    ALTER TABLE leads_sla ALTER sla DROP NOT NULL; UPDATE leads_sla SET sla = NULL; CALL claim_not_null('leads_sla', 'sla')$$);
CALL after($$ALTER TABLE leads_sla ALTER paused DROP NOT NULL; UPDATE leads_sla SET paused = NULL; CALL claim_not_null('leads_sla', 'paused')$$);

DROP TABLE leads, leads_history, leads_sla;
DROP PROCEDURE make_leads, after, claim_not_null;
