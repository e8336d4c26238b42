-- As record_order.sql, of a table that is partitioned by stage: many moves are row
-- movements, a DELETE and an INSERT, and some statements write directly to a partition.
\set SHOW_CONTEXT never
CREATE SCHEMA record_order_partitions;
SET search_path = record_order_partitions;
SET client_min_messages = warning;
SELECT align.agree('record_order_partitions', $$
    stage a, b, c, d held by marketing;
    won w;
    entry a, b, c, d;
    success path a -> b -> c -> d -> w;
    path b, c, d -> a;
    path a, c, d -> b;
    path a, b, d -> c;
    path a, b, c -> d;
    sla s by marketing: from b to c, d within 10 days;
$$);
-- "lead" stays the same when the key changes
CREATE TABLE leads (id int, lead int NOT NULL, stage text, owner text, n int NOT NULL DEFAULT 0, PRIMARY KEY (id, stage)) PARTITION BY LIST (stage);
CREATE TABLE leads_ab PARTITION OF leads FOR VALUES IN ('a', 'b');
CREATE TABLE leads_c PARTITION OF leads FOR VALUES IN ('c');
CREATE TABLE leads_d PARTITION OF leads DEFAULT;
CREATE INDEX ON leads (lead);
INSERT INTO leads SELECT i, i, (ARRAY['a', 'b', 'c', 'd'])[1 + i % 4], 'o' || i % 3 FROM generate_series(1, 900) AS i;
SELECT align.attach('leads', 'record_order_partitions', key => '{id}', assignee => 'owner');

-- the log of versions; the halves of a row movement follow its UPDATE
CREATE FUNCTION in_partition(stage text) RETURNS text LANGUAGE sql IMMUTABLE AS $$ SELECT CASE WHEN stage IN ('a', 'b') THEN 'ab' ELSE stage END $$;
CREATE TABLE log (seq bigint GENERATED ALWAYS AS IDENTITY, lead int, id int, change text);
CREATE INDEX ON log (lead, seq);
CREATE FUNCTION log_version() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    this record;
    moving text;
BEGIN
    IF TG_OP = 'DELETE' THEN
        this := OLD;
    ELSE
        this := NEW;
    END IF;
    moving := 'record_order_partitions.moving_' || this.lead;
    IF TG_OP = 'UPDATE' THEN
        IF in_partition(NEW.stage) <> in_partition(OLD.stage) THEN
            PERFORM set_config(moving, 'deletes', true);
        END IF;
    ELSIF TG_OP = 'DELETE' AND current_setting(moving, true) = 'deletes' THEN
        PERFORM set_config(moving, 'inserts', true);
        RETURN OLD;
    ELSIF TG_OP = 'INSERT' AND current_setting(moving, true) = 'inserts' THEN
        PERFORM set_config(moving, '', true);
        RETURN NEW;
    END IF;
    IF TG_OP = 'DELETE' THEN
        INSERT INTO log (lead, id, change) VALUES (OLD.lead, OLD.id, 'deleted ' || OLD.owner);
        RETURN OLD;
    ELSIF TG_OP = 'INSERT' THEN
        INSERT INTO log (lead, id, change) VALUES (NEW.lead, NEW.id, concat_ws(' ', 'entry', NEW.stage, NEW.owner));
        RETURN NEW;
    END IF;
    IF NEW.id <> OLD.id THEN
        INSERT INTO log (lead, id, change) VALUES (NEW.lead, NEW.id, concat_ws(' ', 'rekey', OLD.stage, OLD.owner));
    END IF;
    IF NEW.stage <> OLD.stage THEN
        INSERT INTO log (lead, id, change) VALUES (NEW.lead, NEW.id, concat_ws(' ', 'move', NEW.stage, NEW.owner));
    ELSIF NEW.owner <> OLD.owner THEN
        INSERT INTO log (lead, id, change) VALUES (NEW.lead, NEW.id, concat_ws(' ', 'owner', NEW.stage, NEW.owner));
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER zzz_log BEFORE INSERT OR UPDATE OR DELETE ON leads FOR EACH ROW EXECUTE FUNCTION log_version();
CREATE VIEW differences AS
WITH recorded AS (
    SELECT id, string_agg(concat_ws(' ', event, stage, assignee), ', ' ORDER BY entry_no) AS recorded
    FROM leads_history WHERE event <> 'opening' GROUP BY id
), made AS (
    SELECT (array_agg(id ORDER BY seq DESC))[1] AS id, string_agg(change, ', ' ORDER BY seq) AS made FROM log GROUP BY lead
)
SELECT * FROM recorded FULL JOIN made USING (id) WHERE recorded IS DISTINCT FROM made;

-- Triggers that change leads.  Those that fire before the row change leads that the outer
-- statements do not reach: PostgreSQL refuses anything else.
CREATE TABLE knobs (active text[], depth int, nested float, undone float, span int);
INSERT INTO knobs VALUES ('{}', 2, 0.1, 0.3, 3);
CREATE SEQUENCE numbers START 901;
CREATE FUNCTION some_stage() RETURNS text LANGUAGE sql VOLATILE AS $$ SELECT (ARRAY['a', 'b', 'c', 'd'])[1 + floor(random() * 4)::int] $$;
CREATE FUNCTION some_owner() RETURNS text LANGUAGE sql VOLATILE AS $$ SELECT 'o' || floor(random() * 3)::int $$;
CREATE FUNCTION insert_missing(target int) RETURNS void LANGUAGE sql VOLATILE AS $$
    INSERT INTO leads (id, lead, stage, owner)
    SELECT coalesce((SELECT id FROM log WHERE lead = target ORDER BY seq DESC LIMIT 1), target), target, some_stage(), some_owner()
    WHERE NOT EXISTS (SELECT FROM leads WHERE lead = target);
$$;
CREATE FUNCTION change_some(target int, last int) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    CASE floor(random() * 12)::int
        WHEN 0 THEN UPDATE leads SET owner = some_owner() WHERE lead BETWEEN target AND last;
        WHEN 1 THEN UPDATE leads SET n = n + 1 WHERE lead BETWEEN target AND last;
        WHEN 2 THEN DELETE FROM leads WHERE lead = target;
                    PERFORM insert_missing(target);
                    UPDATE leads SET stage = some_stage() WHERE lead = target;
        WHEN 3 THEN DELETE FROM leads WHERE lead = target;
        WHEN 4 THEN PERFORM insert_missing(target);
        -- directly in a partition
        WHEN 6 THEN UPDATE leads_ab SET stage = 'b', owner = some_owner() WHERE lead BETWEEN target AND last;
        WHEN 7 THEN DELETE FROM leads_c WHERE lead = target;
        WHEN 8 THEN UPDATE leads_d SET owner = some_owner() WHERE lead BETWEEN target AND last;
        WHEN 5 THEN UPDATE leads SET id = nextval('numbers'), stage = some_stage() WHERE lead = target;
        ELSE UPDATE leads SET stage = some_stage() WHERE lead BETWEEN target AND last;
    END CASE;
END $$;
CREATE FUNCTION nest() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    this record;
    k knobs;
    depth int;
    probability float;
    target int;
    last int;
BEGIN
    IF TG_OP = 'DELETE' THEN
        this := OLD;
    ELSE
        this := NEW;
    END IF;
    SELECT * INTO k FROM knobs;
    depth := CASE TG_WHEN WHEN 'BEFORE' THEN 1 ELSE k.depth END;
    probability := CASE TG_LEVEL WHEN 'STATEMENT' THEN 0.5 ELSE k.nested END;
    IF TG_NAME <> ALL (k.active) OR pg_trigger_depth() > depth OR random() > probability THEN
        RETURN this;
    END IF;
    IF TG_WHEN = 'BEFORE' OR current_setting('record_order_partitions.before') = 'yes' THEN
        target := 751 + floor(random() * 150)::int;
    ELSIF TG_LEVEL = 'STATEMENT' OR random() < 0.5 THEN
        target := 1 + floor(random() * 900)::int;
    ELSE
        target := this.lead;
    END IF;
    last := target + floor(random() * k.span)::int;
    IF TG_WHEN = 'BEFORE' THEN
        PERFORM set_config('record_order_partitions.before', 'yes', true);
    END IF;
    IF random() >= k.undone THEN
        PERFORM change_some(target, last);
    ELSE
        BEGIN
            PERFORM change_some(target, last);
            IF random() < 0.7 THEN
                RAISE EXCEPTION 'undone' USING ERRCODE = 'UE000';
            END IF;
        EXCEPTION WHEN SQLSTATE 'UE000' THEN
            NULL;
        END;
    END IF;
    IF TG_WHEN = 'BEFORE' THEN
        PERFORM set_config('record_order_partitions.before', 'no', true);
    END IF;
    RETURN this;
END $$;
SET record_order_partitions.before = 'no';
CREATE TRIGGER before_row BEFORE INSERT OR UPDATE OR DELETE ON leads FOR EACH ROW EXECUTE FUNCTION nest();
CREATE TRIGGER before_statement BEFORE INSERT OR UPDATE OR DELETE ON leads FOR EACH STATEMENT EXECUTE FUNCTION nest();
CREATE TRIGGER aa_row AFTER INSERT OR UPDATE OR DELETE ON leads FOR EACH ROW EXECUTE FUNCTION nest();
CREATE TRIGGER zz_row AFTER INSERT OR UPDATE OR DELETE ON leads FOR EACH ROW EXECUTE FUNCTION nest();
CREATE TRIGGER aa_statement AFTER INSERT OR UPDATE OR DELETE ON leads FOR EACH STATEMENT EXECUTE FUNCTION nest();
CREATE TRIGGER zz_statement AFTER INSERT OR UPDATE OR DELETE ON leads FOR EACH STATEMENT EXECUTE FUNCTION nest();

-- Were there more than 500 changes since the last call?  Which leads have another history
-- than was logged, and what does check() say?
CREATE TABLE counted (n bigint);
INSERT INTO counted VALUES (0);
CREATE FUNCTION compare() RETURNS TABLE (over_500 boolean, differences text, problems text) LANGUAGE plpgsql AS $$
DECLARE
    before bigint := (SELECT n FROM counted);
BEGIN
    UPDATE counted SET n = (SELECT count(*) FROM log);
    RETURN QUERY SELECT (SELECT n > before + 500 FROM counted),
        (SELECT string_agg(format('%s: %s / %s', id, recorded, made), E'\n') FROM (SELECT * FROM differences ORDER BY id LIMIT 3) AS d),
        (SELECT string_agg(c::text, E'\n') FROM (SELECT * FROM align.check('leads') LIMIT 3) AS c);
END $$;
CREATE TABLE steps (no int GENERATED ALWAYS AS IDENTITY, command text);
INSERT INTO steps (command) VALUES
    ('BEGIN'),
    ('UPDATE leads SET stage = some_stage() WHERE lead <= 300'),
    ('SAVEPOINT a'),
    ('UPDATE leads SET stage = some_stage() WHERE lead <= 700'),
    ('ROLLBACK TO a'),
    ('UPDATE leads SET n = n + 1'),
    ('UPDATE leads SET stage = some_stage()'),
    ('SAVEPOINT b'),
    ('UPDATE leads SET owner = some_owner(), stage = some_stage() WHERE lead <= 750'),
    ('RELEASE b'),
    ('COMMIT'),
    ('SELECT * FROM compare()'),
    ('UPDATE knobs SET active = ''{before_row,before_statement}'''),
    ('UPDATE leads SET stage = some_stage() WHERE lead <= 750'),
    ('SELECT * FROM compare()'),
    ('UPDATE knobs SET active = ''{aa_row}'''),
    ('UPDATE leads SET stage = some_stage()'),
    ('SELECT * FROM compare()'),
    ('UPDATE leads SET owner = some_owner()'),
    ('SELECT * FROM compare()'),
    ('UPDATE knobs SET active = ''{zz_row}'''),
    ('UPDATE leads SET stage = some_stage()'),
    ('SELECT * FROM compare()'),
    ('UPDATE knobs SET active = ''{before_row,aa_row,zz_row,aa_statement,zz_statement}'''),
    ('UPDATE leads SET stage = some_stage() WHERE lead <= 750'),
    ('SELECT * FROM compare()'),
    ('BEGIN'),
    ('UPDATE leads SET id = nextval(''numbers''), stage = some_stage() WHERE lead <= 750'),
    ('SAVEPOINT a'),
    ('UPDATE leads SET owner = some_owner(), id = nextval(''numbers'') WHERE lead <= 750'),
    ('UPDATE leads SET stage = some_stage() WHERE lead <= 750'),
    ('ROLLBACK TO a'),
    ('UPDATE leads SET stage = some_stage() WHERE lead <= 300'),
    ('COMMIT'),
    ('SELECT * FROM compare()'),
    ('UPDATE leads_ab SET stage = CASE stage WHEN ''a'' THEN ''b'' ELSE ''a'' END WHERE lead <= 750'),
    ('DELETE FROM leads_c WHERE lead <= 750'),
    ('INSERT INTO leads_c (id, lead, stage, owner)
      SELECT DISTINCT ON (lead) id, lead, ''c'', some_owner() FROM log
      WHERE lead <= 750 AND NOT EXISTS (SELECT FROM leads WHERE lead = log.lead) ORDER BY lead, seq DESC'),
    ('SELECT * FROM compare()'),
    -- few nested statements, but large ones, three deep
    ('UPDATE knobs SET depth = 3, nested = 0.01, span = 150'),
    ('UPDATE leads SET stage = some_stage() WHERE lead <= 750'),
    ('SELECT * FROM compare()'),
    ('UPDATE leads SET n = n + 1 WHERE lead <= 750'),
    ('SELECT * FROM compare()'),
    ('UPDATE knobs SET depth = 2, nested = 0.1, span = 3'),
    ('DELETE FROM leads WHERE lead <= 750'),
    ('SELECT * FROM compare()'),
    ('INSERT INTO leads (id, lead, stage, owner)
      SELECT DISTINCT ON (lead) id, lead, some_stage(), some_owner() FROM log
      WHERE lead <= 750 AND NOT EXISTS (SELECT FROM leads WHERE lead = log.lead) ORDER BY lead, seq DESC'),
    ('SELECT * FROM compare()'),
    ('UPDATE knobs SET active = ''{}''');

\set seed 0.1
SELECT setseed(:seed);
SELECT command FROM steps ORDER BY no \gexec
\set seed 0.7
SELECT setseed(:seed);
SELECT command FROM steps ORDER BY no \gexec

DROP SCHEMA record_order_partitions CASCADE;
