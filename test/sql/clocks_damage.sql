-- Entries and clocks that were damaged: errors, and no crash.
SET client_min_messages = warning;
SET timezone = 'UTC';
CREATE SCHEMA clocks_damage;
SET search_path = clocks_damage;
SELECT align.agree('clocks_damage', $$
    hours 'UTC Mo-Fr 09:00-17:00';
    stage a, b, d held by sales;
    won c;
    success path a -> b -> c;
    path b -> d -> b;
    sla answer by sales: from b to c within 10 working hours, pause d;
$$);
CREATE PROCEDURE after(command text) LANGUAGE plpgsql AS $$
DECLARE
    attempt text;
    detail text;
BEGIN
    CREATE TABLE leads (id int PRIMARY KEY, stage text, at timestamptz);
    PERFORM align.attach('leads', 'clocks_damage', changed_at => 'at');
    INSERT INTO leads VALUES (1, 'a', '2025-01-01');
    UPDATE leads SET stage = 'b', at = '2025-01-02';
    ALTER TABLE leads_history DISABLE TRIGGER USER;
    ALTER TABLE leads_sla DISABLE TRIGGER USER;
    EXECUTE command;
    ALTER TABLE leads_history ENABLE TRIGGER USER;
    ALTER TABLE leads_sla ENABLE TRIGGER USER;
    RAISE INFO '%', command;
    FOREACH attempt IN ARRAY ARRAY[
        $a$SELECT * FROM align.check('leads')$a$,
        $a$SELECT * FROM align.clocks('leads')$a$,
        $a$SELECT align.notify_due('leads')$a$,
        $a$SELECT align.rebuild_clocks('leads')$a$,
        $a$UPDATE leads SET stage = 'd', at = '2025-01-04'$a$
    ] LOOP
        BEGIN
            EXECUTE attempt;
            RAISE 'done';
        EXCEPTION WHEN OTHERS THEN
            GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL;
            RAISE INFO '    %: % % %', attempt, SQLSTATE, SQLERRM, detail;
        END;
    END LOOP;
    ROLLBACK;
END
$$;
CALL after($$UPDATE leads_history SET effective_at = 'infinity'$$);
CALL after($$UPDATE leads_history SET effective_at = '-infinity'$$);
CALL after($$UPDATE leads_sla SET started_at = '-infinity'$$);
CALL after($$UPDATE leads_sla SET started_at = 'infinity'$$);
CALL after($$UPDATE leads_sla SET due_at = '-infinity'$$);
CALL after($$UPDATE leads_sla SET paused = '{(,)}'$$);
CALL after($$UPDATE leads_sla SET paused = '{[2030-01-01,2031-01-01)}'$$);
CALL after($$UPDATE leads_sla SET paused = '{(,2031-01-01)}'$$);
CALL after($$UPDATE leads_sla SET version = 99$$);
CALL after($$UPDATE leads_sla SET sla = 'unknown'$$);

DROP SCHEMA clocks_damage CASCADE;
