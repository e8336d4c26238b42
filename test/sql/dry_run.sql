-- dry_run(): every row of a load that breaks a rule, without loading it.
CREATE SCHEMA dry_run;
SET search_path = dry_run;
SELECT align.agree('dry_run', $$
    stage inquiry, mql held by marketing;
    stage sal held by sales;
    won customer;
    lost disqualified;
    success path inquiry -> mql -> sal -> customer;
    path any -> disqualified;
    disqualified needs reason (price, competitor);
    sal needs email, 'budget > 0';
    sal known as 'Sales Accepted';
$$);
CREATE TEMPORARY SEQUENCE s;
CREATE DOMAIN stage_label AS varchar(20);
CREATE TABLE leads (dropped int, id bigint PRIMARY KEY, stage stage_label DEFAULT 'inquiry', why text, email text,
    budget numeric(10,2) DEFAULT 5, gone boolean DEFAULT false, serial int DEFAULT nextval('pg_temp.s'));
ALTER TABLE leads DROP COLUMN dropped;
INSERT INTO leads (id, stage, why) VALUES (1, 'inquiry', 'price'), (2, 'mql', 'price'), (3, 'hot', NULL), (4, 'sal', NULL);
SELECT align.attach('leads', 'dry_run', reason => 'why', live => 'NOT gone', rules => '{"unknown_stage": "warn", "missing_need": "observe"}');
CREATE TABLE staging (id text, stage text, why text, email text, budget text);
INSERT INTO staging VALUES ('1', 'mql', NULL, NULL, NULL), ('1', 'sal', NULL, 'a@b', '0'), ('2', 'Sales Accepted', NULL, 'a@b', '7.005'), ('2', 'Sales Accepted', NULL, ' ', '-1'),
    ('2', 'disqualified', NULL, NULL, NULL), ('2', 'disqualified', 'weather', NULL, NULL), ('2', 'disqualified', 'price', NULL, NULL), ('2', NULL, NULL, NULL, NULL),
    ('3', 'hot', NULL, NULL, NULL), ('3', 'cold', NULL, NULL, NULL), ('3', 'mql', NULL, NULL, NULL), ('4', 'sal', NULL, NULL, NULL),
    ('10', 'inquiry', NULL, NULL, NULL), ('11', 'sal', NULL, NULL, NULL), ('12', 'warm', NULL, NULL, NULL), ('13', NULL, NULL, NULL, NULL), (NULL, 'inquiry', NULL, NULL, NULL);
SELECT row_no, key, rule, mode, from_stage, stage, message FROM align.dry_run('leads', 'TABLE staging');
SELECT row_no, detail, hint FROM align.dry_run('leads', 'SELECT * FROM staging -- all of it') WHERE row_no < 4;
-- an enforced load would do the same
DO $$
DECLARE r record; n bigint := 0; state text; predicted text;
BEGIN
    FOR r IN SELECT * FROM staging LOOP
        n := n + 1;
        state := NULL;
        BEGIN
            INSERT INTO leads (id, stage, why, email, budget) VALUES (r.id::bigint, r.stage, r.why, r.email, r.budget::numeric)
                ON CONFLICT (id) DO UPDATE SET stage = excluded.stage, why = excluded.why, email = excluded.email, budget = excluded.budget;
            RAISE EXCEPTION 'undo' USING ERRCODE = 'ZZZZZ';
        EXCEPTION WHEN SQLSTATE 'ZZZZZ' THEN NULL;
            WHEN integrity_constraint_violation THEN GET STACKED DIAGNOSTICS state = CONSTRAINT_NAME;
        END;
        predicted := (SELECT 'align_' || rule FROM align.dry_run('leads', 'TABLE staging') WHERE row_no = n AND mode = 'enforce' LIMIT 1);
        IF r.id IS NOT NULL AND state IS DISTINCT FROM predicted THEN
            RAISE WARNING 'row %: % instead of %', n, state, predicted;
        END IF;
    END LOOP;
END $$;
SET client_min_messages = notice;
-- nothing was written, and no default has run
SELECT id, stage FROM leads ORDER BY id;
SELECT count(*) FROM leads_history;
-- columns that the query does not have: as they are, or a constant default; an old reason is none
SELECT row_no, key, rule FROM align.dry_run('leads', $$SELECT 2 AS id, 'disqualified' AS stage$$);
SELECT row_no, key, rule FROM align.dry_run('leads', $$SELECT 50 AS id, 'a@b' AS email$$);
SELECT row_no, key, rule, message FROM align.dry_run('leads', $$SELECT 2 AS id, 'sal' AS stage, 'a@b' AS email$$);
SELECT row_no, key, rule FROM align.dry_run('leads', $$SELECT id, 'customer' AS stage, true AS gone FROM leads$$);
SELECT row_no, key, rule FROM align.dry_run('leads', $$SELECT 1 AS id WHERE false$$);
-- refused
SELECT * FROM align.dry_run('leads', $$SELECT 1 AS id, 'mql' AS stagee$$);
SELECT * FROM align.dry_run('leads', $$SELECT 1 AS id, 'mql' AS stage, 'sal' AS stage$$);
SELECT * FROM align.dry_run('leads', $$SELECT 'mql' AS stage$$);
SELECT * FROM align.dry_run('leads', $$SELECT 1, 'mql'$$);
SELECT * FROM align.dry_run('leads', $$SELECT x AS id, 'mql' AS stage FROM unnest('{1,2,three}'::text[]) x$$);
SELECT * FROM align.dry_run('leads', $$SELECT 2 AS id, repeat('x', 21) AS stage$$);
SELECT * FROM align.dry_run('leads', $$DELETE FROM leads RETURNING id$$);
SELECT * FROM align.dry_run('leads', $$SELECT 1 AS id; SELECT 2 AS id$$);
SELECT * FROM align.dry_run('leads', $$SELECT nextval('s') AS id$$);
SELECT * FROM align.dry_run('leads', '');
SELECT * FROM align.dry_run('leads', NULL);
SELECT * FROM align.dry_run(NULL, 'TABLE staging');
SELECT * FROM align.dry_run('staging', 'TABLE staging');
-- with the privileges of the caller, and the reason in no message that may not show it
CREATE ROLE regress_dry_run;
GRANT USAGE ON SCHEMA dry_run TO regress_dry_run;
GRANT SELECT ON staging TO regress_dry_run;
SET ROLE regress_dry_run;
SELECT count(*) FROM align.dry_run('leads', 'TABLE staging');
RESET ROLE;
GRANT SELECT ON leads TO regress_dry_run;
SET ROLE regress_dry_run;
SELECT count(*) FROM align.dry_run('leads', 'TABLE staging');
RESET ROLE;
-- keys of several columns, partitions, many rows
CREATE TABLE deals (region text, id int, stage text, email text, budget int, PRIMARY KEY (region, id)) PARTITION BY LIST (region);
CREATE TABLE deals_eu PARTITION OF deals FOR VALUES IN ('eu');
INSERT INTO deals VALUES ('eu', 1, 'inquiry');
SELECT align.attach('deals', 'dry_run', mode => 'warn');
SELECT row_no, key, rule, mode FROM align.dry_run('deals', $$VALUES (1)$$);
SELECT row_no, key, rule, mode FROM align.dry_run('deals', $$SELECT 'eu' AS region, 1 AS id, 'customer' AS stage$$);
SELECT row_no, key, rule, mode FROM align.dry_run('deals_eu', $$SELECT 'eu' AS region, i AS id, 'mql' AS stage FROM generate_series(1, 2) i$$);
SELECT count(*), max(row_no) FROM align.dry_run('deals', $$SELECT 'us' AS region, i AS id, CASE WHEN i % 2 = 0 THEN 'inquiry' ELSE 'sal' END AS stage FROM generate_series(1, 20000) i$$);
-- generated columns: of the row after the load, by built-in functions only
CREATE FUNCTION seen(text) RETURNS text IMMUTABLE LANGUAGE plpgsql AS $$ BEGIN RAISE WARNING 'run by %', current_user; RETURN $1; END $$;
CREATE DOMAIN positive AS int CHECK (value > 0);
CREATE TABLE orders (id int PRIMARY KEY, state text DEFAULT 'inquiry', lost boolean DEFAULT false, price int, pieces int DEFAULT 1, email text DEFAULT 'a@b', checked text,
    stage text GENERATED ALWAYS AS (CASE WHEN lost THEN 'disqualified' ELSE state END) STORED,
    budget positive GENERATED ALWAYS AS (price * pieces) STORED,
    why text GENERATED ALWAYS AS (seen(checked)) STORED);
SELECT align.attach('orders', 'dry_run', reason => 'why');
SET client_min_messages = error;
INSERT INTO orders VALUES (1), (2);
UPDATE orders SET state = 'mql' WHERE id = 2;
RESET client_min_messages;
SELECT row_no, key, rule, from_stage, stage, message FROM align.dry_run('orders', $$SELECT 1 AS id$$);
SELECT row_no, key, rule, from_stage, stage, message FROM align.dry_run('orders', $$SELECT * FROM (VALUES (1, 'sal', 1, 5), (1, 'mql', 1, 5), (2, 'sal', 0, 5), (2, 'sal', 1, 5), (3, 'sal', 3, 5)) AS load (id, state, price, budget)$$);
SELECT row_no, key, rule, from_stage, stage, message FROM align.dry_run('orders', $$SELECT id, true AS lost, 'price' AS checked FROM orders$$);
SELECT row_no, key, rule, from_stage, stage, message FROM align.dry_run('orders', $$SELECT id, true AS lost, 'price' AS why FROM orders$$);
SELECT * FROM align.dry_run('orders', $$SELECT id, 2000000 AS price, 2000000 AS pieces FROM orders$$);
-- where a move begins: rows that were not live, labels that were renamed, merged leads
SELECT align.agree('dry_run_begin', $$
    stage new, busy; stage sal, held; won done; lost gone;
    success path new -> busy -> sal -> held -> done; path any -> gone; entry new, busy;
$$);
CREATE TYPE mood AS ENUM ('new', 'busy', 'sal', 'held', 'done', 'gone');
CREATE TABLE moods (id int PRIMARY KEY, stage mood, dead boolean NOT NULL DEFAULT false);
SELECT align.attach('moods', 'dry_run_begin', live => 'NOT dead');
INSERT INTO moods SELECT i, 'new', i = 9 FROM generate_series(1, 12) AS i;
UPDATE moods SET stage = 'busy' WHERE id IN (2, 3, 4, 5, 6, 10, 11);
UPDATE moods SET stage = 'sal' WHERE id IN (3, 4, 10, 11);
UPDATE moods SET dead = true WHERE id IN (4, 5);
UPDATE moods SET stage = 'new' WHERE id = 4;
UPDATE moods SET stage = 'held' WHERE id = 11;
UPDATE moods SET stage = 'done' WHERE id = 6;		-- refused
UPDATE moods SET dead = true WHERE id = 6;
DELETE FROM moods WHERE id IN (6, 10);
INSERT INTO moods VALUES (6, 'held', true), (10, 'new', false);
SELECT align.merge_leads('moods', 11, 7);
DELETE FROM moods WHERE id = 11;
ALTER TYPE mood RENAME VALUE 'sal' TO 'accepted';
CREATE TABLE load (no int PRIMARY KEY, id int, stage text, dead boolean);
INSERT INTO load SELECT row_number() OVER (ORDER BY id, s, d), id, s, d
FROM generate_series(1, 13) AS id, unnest(array_append(enum_range(NULL::mood)::text[], NULL)) AS s, unnest('{t,f}'::boolean[]) AS d;
CREATE FUNCTION refused(r load) RETURNS text LANGUAGE plpgsql AS $$
DECLARE state text;
BEGIN
    INSERT INTO moods VALUES (r.id, r.stage::mood, r.dead) ON CONFLICT (id) DO UPDATE SET stage = excluded.stage, dead = excluded.dead;
    RAISE EXCEPTION 'undo' USING ERRCODE = 'ZZZZZ';
EXCEPTION WHEN SQLSTATE 'ZZZZZ' THEN RETURN NULL;
    WHEN integrity_constraint_violation THEN GET STACKED DIAGNOSTICS state = CONSTRAINT_NAME; RETURN state;
END $$;
CREATE TABLE predicted AS
SELECT row_no AS no, (array_agg('align_' || rule))[1] AS rule, (array_agg(from_stage))[1] AS from_stage FROM align.dry_run('moods', 'SELECT id, stage, dead FROM load ORDER BY no') WHERE mode = 'enforce' GROUP BY row_no;
SELECT l.*, p.rule AS predicted, refused(l) AS refused FROM load l LEFT JOIN predicted p USING (no) WHERE p.rule IS DISTINCT FROM refused(l) ORDER BY no;
SELECT rule, count(*) FROM predicted GROUP BY 1 ORDER BY 1;
SELECT l.id, l.stage, p.from_stage, p.rule FROM load l LEFT JOIN predicted p USING (no) WHERE id IN (3, 4, 7) AND NOT dead ORDER BY no;
-- who may not read the history does not learn the stage in it
GRANT SELECT ON moods TO regress_dry_run;
SET ROLE regress_dry_run;
SELECT rule, from_stage FROM align.dry_run('moods', $$SELECT 3 AS id, 'new' AS stage$$);
SELECT rule, from_stage FROM align.dry_run('moods', $$SELECT 4 AS id, 'held' AS stage, false AS dead$$);
RESET ROLE;
-- labels that an earlier statement has looked up
CREATE TABLE stages (id int PRIMARY KEY, name text);
INSERT INTO stages VALUES (1, 'new'), (2, 'busy');
CREATE TABLE coded (id int PRIMARY KEY, stage int);
SELECT align.attach('coded', 'dry_run_begin', stage_labels => 'stages(id, name)');
INSERT INTO coded VALUES (1, 1);
UPDATE stages SET name = 'Brand new' WHERE id = 1;
SELECT key, rule, stage FROM align.dry_run('coded', 'SELECT 2 AS id, 1 AS stage');
SET client_min_messages = warning;
DROP SCHEMA dry_run CASCADE;
DROP ROLE regress_dry_run;
