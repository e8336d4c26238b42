-- Foreign keys that cascade to an attached table by two paths.  PostgreSQL then fires
-- BEFORE STATEMENT triggers once and AFTER STATEMENT triggers once or twice, depending on
-- the order in which the foreign keys were made.  The history is exact in any case.
\set SHOW_CONTEXT never
CREATE SCHEMA record_cascades;
SET search_path = record_cascades;
SET client_min_messages = warning;
SELECT align.agree('record_cascades', $$
    stage a, b, c, d, e held by marketing;
    won w;
    entry a, b, c, d, e;
    success path a -> b -> c -> d -> e -> w;
    path any -> a; path any -> b; path any -> c; path any -> d; path any -> e;
    sla s by marketing: from b to c, d within 10 days;
$$);
CREATE TABLE labels (name text PRIMARY KEY);
CREATE TABLE people (name text PRIMARY KEY);
-- (deferred, so that other triggers may change leads between the two; cascades never are)
CREATE TABLE one (id int PRIMARY KEY,
    stage text REFERENCES labels ON UPDATE CASCADE ON DELETE CASCADE DEFERRABLE INITIALLY DEFERRED,
    owner text REFERENCES people ON UPDATE CASCADE ON DELETE SET NULL DEFERRABLE INITIALLY DEFERRED);
ALTER TABLE people ADD FOREIGN KEY (name) REFERENCES labels ON UPDATE CASCADE ON DELETE CASCADE;
CREATE TABLE two (LIKE one INCLUDING INDEXES,
    FOREIGN KEY (stage) REFERENCES labels ON UPDATE CASCADE ON DELETE CASCADE DEFERRABLE INITIALLY DEFERRED,
    FOREIGN KEY (owner) REFERENCES people ON UPDATE CASCADE ON DELETE SET NULL DEFERRABLE INITIALLY DEFERRED);
INSERT INTO labels VALUES ('a'), ('b'), ('c'), ('d');
INSERT INTO people VALUES ('a'), ('b');
INSERT INTO one VALUES (1, 'a', 'a'), (2, 'b', 'b'), (3, 'a', 'b'), (4, 'b', 'a'), (5, 'a', 'a');
INSERT INTO two TABLE one;
SELECT align.attach('one', 'record_cascades', assignee => 'owner'), align.attach('two', 'record_cascades', assignee => 'owner');

-- how the statement triggers fire
CREATE TABLE fired (no int GENERATED ALWAYS AS IDENTITY, relation name, what text);
CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO fired (relation, what) VALUES (TG_TABLE_NAME, lower(TG_WHEN || ' ' || TG_OP));
    RETURN NULL;
END $$;
CREATE TRIGGER aa_note BEFORE UPDATE OR DELETE ON one FOR EACH STATEMENT EXECUTE FUNCTION note();
CREATE TRIGGER zz_note AFTER UPDATE OR DELETE ON one FOR EACH STATEMENT EXECUTE FUNCTION note();
CREATE TRIGGER aa_note BEFORE UPDATE OR DELETE ON two FOR EACH STATEMENT EXECUTE FUNCTION note();
CREATE TRIGGER zz_note AFTER UPDATE OR DELETE ON two FOR EACH STATEMENT EXECUTE FUNCTION note();
UPDATE labels SET name = 'e' WHERE name = 'a';
SELECT relation, string_agg(what, ', ' ORDER BY no) FROM fired GROUP BY relation ORDER BY relation;
SELECT h.id, h.entry_no AS no, h.event, h.from_stage, h.stage, h.assignee, h.source FROM one_history AS h WHERE event <> 'opening' ORDER BY 1, 2;
CREATE VIEW unequal AS
(SELECT id, entry_no, event, from_stage, stage, assignee, source FROM one_history EXCEPT SELECT id, entry_no, event, from_stage, stage, assignee, source FROM two_history)
UNION ALL (SELECT id, entry_no, event, from_stage, stage, assignee, source FROM two_history EXCEPT SELECT id, entry_no, event, from_stage, stage, assignee, source FROM one_history);
SELECT * FROM unequal;
SELECT * FROM align.check('one') UNION ALL SELECT * FROM align.check('two');

-- A trigger of a row that the second path has changed changes another one that it has changed, too.
CREATE FUNCTION follow() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF new.id = 4 AND pg_trigger_depth() = 1 THEN
        EXECUTE format('UPDATE %I SET stage = ''d'' WHERE id = 5', TG_TABLE_NAME);
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER aa_follow AFTER UPDATE OF owner ON one FOR EACH ROW EXECUTE FUNCTION follow();
CREATE TRIGGER aa_follow AFTER UPDATE OF owner ON two FOR EACH ROW EXECUTE FUNCTION follow();
UPDATE labels SET name = 'a' WHERE name = 'e';
SELECT id, entry_no AS no, event, from_stage, stage, assignee, source FROM one_history WHERE entry_no > 3 ORDER BY 1, 2;
SELECT * FROM unequal;
SELECT * FROM align.check('one') UNION ALL SELECT * FROM align.check('two');
-- rows are deleted by one path, and lose their owner by the other
TRUNCATE fired;
UPDATE one SET owner = 'a';
UPDATE two SET owner = 'a';
DELETE FROM labels WHERE name = 'a';
SELECT relation, string_agg(what, ', ' ORDER BY no) FROM fired GROUP BY relation ORDER BY relation;
SELECT id, string_agg(concat_ws(' ', event, stage, assignee), ', ' ORDER BY entry_no) FROM one_history WHERE entry_no > 3 GROUP BY id ORDER BY id;
SELECT * FROM unequal;
SELECT * FROM one ORDER BY id;
SELECT * FROM align.check('one') UNION ALL SELECT * FROM align.check('two');
DROP TRIGGER aa_follow ON one;
DROP TRIGGER aa_follow ON two;

-- Many rows, and triggers that change any of them meanwhile: as in record_order.sql.
TRUNCATE one, two;
INSERT INTO labels VALUES ('a');
INSERT INTO people VALUES ('a'), ('d');
CREATE TABLE log (seq bigint GENERATED ALWAYS AS IDENTITY, relation name, id int, change text);
CREATE FUNCTION log_version() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' THEN
        INSERT INTO log (relation, id, change) VALUES (TG_TABLE_NAME, OLD.id, concat_ws(' ', 'deleted', OLD.owner));
        RETURN OLD;
    ELSIF TG_OP = 'INSERT' THEN
        INSERT INTO log (relation, id, change) VALUES (TG_TABLE_NAME, NEW.id, concat_ws(' ', 'entry', NEW.stage, NEW.owner));
    ELSIF NEW.stage <> OLD.stage THEN
        INSERT INTO log (relation, id, change) VALUES (TG_TABLE_NAME, NEW.id, concat_ws(' ', 'move', NEW.stage, NEW.owner));
    ELSIF NEW.owner IS DISTINCT FROM OLD.owner THEN
        INSERT INTO log (relation, id, change) VALUES (TG_TABLE_NAME, NEW.id, concat_ws(' ', 'owner', NEW.stage, NEW.owner));
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER zzz_log BEFORE INSERT OR UPDATE OR DELETE ON one FOR EACH ROW EXECUTE FUNCTION log_version();
CREATE TRIGGER zzz_log BEFORE INSERT OR UPDATE OR DELETE ON two FOR EACH ROW EXECUTE FUNCTION log_version();
INSERT INTO one SELECT i, (ARRAY['a', 'b'])[1 + i % 2], (ARRAY['a', 'b'])[1 + i / 2 % 2] FROM generate_series(11, 1410) AS i;
INSERT INTO two TABLE one;
CREATE FUNCTION disturb() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    target int := 11 + floor(random() * 1400)::int;
BEGIN
    IF pg_trigger_depth() > 2 OR random() > 0.1 THEN
        RETURN NULL;
    END IF;
    CASE floor(random() * 4)::int
        WHEN 0 THEN
            EXECUTE format('UPDATE %I SET owner = nullif(''d'', owner) WHERE id BETWEEN $1 AND $1 + 2', TG_TABLE_NAME) USING target;
        WHEN 1 THEN
            EXECUTE format('DELETE FROM %I WHERE id = $1', TG_TABLE_NAME) USING target;
            EXECUTE format('INSERT INTO %I VALUES ($1, ''c'', ''d'')', TG_TABLE_NAME) USING target;
        ELSE
            EXECUTE format('UPDATE %I SET stage = CASE stage WHEN ''c'' THEN ''d'' ELSE ''c'' END WHERE id BETWEEN $1 AND $1 + 2', TG_TABLE_NAME) USING target;
    END CASE;
    RETURN NULL;
END $$;
CREATE TRIGGER aa_row AFTER UPDATE ON one FOR EACH ROW EXECUTE FUNCTION disturb();
CREATE TRIGGER zz_row AFTER UPDATE ON one FOR EACH ROW EXECUTE FUNCTION disturb();
CREATE TRIGGER aa_row AFTER UPDATE ON two FOR EACH ROW EXECUTE FUNCTION disturb();
CREATE TRIGGER zz_row AFTER UPDATE ON two FOR EACH ROW EXECUTE FUNCTION disturb();
CREATE VIEW differences AS
WITH recorded AS (
    SELECT relation, id, string_agg(concat_ws(' ', event, stage, assignee), ', ' ORDER BY entry_no) AS recorded
    FROM (SELECT 'one' AS relation, * FROM one_history UNION ALL SELECT 'two', * FROM two_history) AS h WHERE id > 10 GROUP BY 1, 2
), made AS (
    SELECT relation, id, string_agg(change, ', ' ORDER BY seq) AS made FROM log GROUP BY 1, 2
)
SELECT * FROM recorded FULL JOIN made USING (relation, id) WHERE recorded IS DISTINCT FROM made;
CREATE FUNCTION differences() RETURNS TABLE (differences text, problems text) LANGUAGE sql AS $$
    SELECT (SELECT string_agg(format('%s %s: %s / %s', relation, id, recorded, made), E'\n') FROM (SELECT * FROM differences ORDER BY id LIMIT 3) AS d),
        (SELECT string_agg(c::text, E'\n') FROM (SELECT * FROM align.check('one') UNION ALL SELECT * FROM align.check('two') LIMIT 3) AS c)
$$;
\set seed 0.3
SELECT setseed(:seed);
UPDATE labels SET name = 'e' WHERE name = 'a';
SELECT * FROM differences();
\set seed -0.6
SELECT setseed(:seed);
UPDATE labels SET name = 'a' WHERE name = 'b';
SELECT * FROM differences();
BEGIN;
UPDATE labels SET name = 'b' WHERE name = 'a';
SAVEPOINT a;
UPDATE labels SET name = 'a' WHERE name = 'b';
ROLLBACK TO a;
DELETE FROM labels WHERE name = 'e';
COMMIT;
SELECT * FROM differences();
SELECT count(*) > 5000 AS many FROM log;

DROP SCHEMA record_cascades CASCADE;
