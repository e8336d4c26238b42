-- Stage columns of every kind that holds a label.
\set VERBOSITY sqlstate
CREATE SCHEMA roads_stages;
SET search_path = roads_stages;
SET client_min_messages = warning;
SELECT align.agree('roads_stages', $$
    stage inquiry, mql held by marketing;
    stage sal held by sales;
    won customer;
    lost disqualified;
    success path inquiry -> mql -> sal -> customer;
    path any -> disqualified;
    inquiry known as '1';
    mql known as '2', '-2';
    sal known as '3', 'Sales Accepted', 'S-ACC';
    customer known as '4';
    disqualified known as '5';
    handoff speed_to_lead: mql from marketing to sales, accept sal, within 4 hours;
$$);
CREATE TYPE status AS ENUM ('inquiry', 'mql', 'Sales Accepted', 'customer', 'disqualified', 'hot');
CREATE DOMAIN short_text AS text CHECK (length(value) < 30);
CREATE DOMAIN status_domain AS status;
CREATE DOMAIN nested AS short_text NOT NULL;
CREATE DOMAIN number_domain AS int;
CREATE TABLE s_text (id int PRIMARY KEY, stage text);
CREATE TABLE s_varchar (id int PRIMARY KEY, stage varchar(20));
CREATE TABLE s_name (id int PRIMARY KEY, stage name);
CREATE TABLE s_enum (id int PRIMARY KEY, stage status);
CREATE TABLE s_domain (id int PRIMARY KEY, stage short_text);
CREATE TABLE s_enum_domain (id int PRIMARY KEY, stage status_domain);
CREATE TABLE s_nested (id int PRIMARY KEY, stage nested);
CREATE TABLE s_int (id int PRIMARY KEY, stage int);
CREATE TABLE s_smallint (id int PRIMARY KEY, stage smallint);
CREATE TABLE s_bigint (id int PRIMARY KEY, stage bigint);
CREATE TABLE s_int_domain (id int PRIMARY KEY, stage number_domain);
CREATE TABLE kinds (t regclass, inquiry text, mql text, sal text, customer text, foreign_label text);
INSERT INTO kinds SELECT t::regclass, 'inquiry', 'mql', 'Sales Accepted', 'customer', 'hot'
    FROM unnest('{s_text,s_varchar,s_name,s_enum,s_domain,s_enum_domain,s_nested}'::text[]) AS t;
INSERT INTO kinds SELECT t::regclass, '1', '2', '3', '4', '9'
    FROM unnest('{s_int,s_smallint,s_bigint,s_int_domain}'::text[]) AS t;
SELECT t, align.attach(t, 'roads_stages') FROM kinds;
\set VERBOSITY terse
DO $$
DECLARE
    k record;
    told text;
    refused text;
BEGIN
    FOR k IN SELECT * FROM kinds LOOP
        EXECUTE format('INSERT INTO %s SELECT g, %L FROM generate_series(1, 3) AS g', k.t, k.inquiry);
        EXECUTE format('UPDATE %s SET stage = %L', k.t, k.mql);
        EXECUTE format('UPDATE %s SET stage = %L WHERE id = 1', k.t, k.sal);
        EXECUTE format('UPDATE %s SET stage = %L WHERE id = 1', k.t, k.customer);
        refused := '';
        FOR told IN SELECT unnest(ARRAY[
            format('UPDATE %s SET stage = %L WHERE id = 2', k.t, k.customer),
            format('UPDATE %s SET stage = %L WHERE id = 2', k.t, k.foreign_label),
            format('UPDATE %s SET stage = NULL WHERE id = 2', k.t),
            format('INSERT INTO %s VALUES (4, %L)', k.t, k.mql)])
        LOOP
            BEGIN
                EXECUTE told;
                refused := refused || ' passed';
            EXCEPTION WHEN OTHERS THEN
                refused := refused || ' ' || sqlstate;
            END;
        END LOOP;
        EXECUTE format('SELECT string_agg(concat_ws('' '', id, entry_no, event, from_stage, stage), ''; '' ORDER BY id, entry_no) FROM %s_history', k.t) INTO told;
        RAISE INFO '%:% / %', k.t, refused, told;
        EXECUTE format('SELECT string_agg(concat_ws('' '', id, sla, cycle, outcome), ''; '' ORDER BY id, sla, cycle) FROM %s_sla', k.t) INTO told;
        RAISE INFO '%: %', k.t, told;
        SELECT string_agg(c::text, '; ') FROM align.check(k.t) AS c INTO told;
        RAISE INFO '%: check %', k.t, coalesce(told, 'is empty');
    END LOOP;
END $$;
\set VERBOSITY sqlstate
-- another label of the same stage is no move
UPDATE s_text SET stage = '2' WHERE id = 2;
UPDATE s_int SET stage = -2 WHERE id = 2;
UPDATE s_varchar SET stage = 'S-ACC' WHERE id = 2;
UPDATE s_varchar SET stage = 'Sales Accepted' WHERE id = 2;
UPDATE s_varchar SET stage = '3' WHERE id = 2;
SELECT entry_no, event, from_stage, stage FROM s_text_history WHERE id = 2 ORDER BY 1;
SELECT entry_no, event, from_stage, stage FROM s_int_history WHERE id = 2 ORDER BY 1;
SELECT entry_no, event, from_stage, stage FROM s_varchar_history WHERE id = 2 ORDER BY 1;
SELECT t, c.* FROM kinds, align.check(t) AS c;
-- labels that an enum gets, and loses the name of, while it is in use
ALTER TYPE status ADD VALUE 'S-ACC';
UPDATE s_enum SET stage = 'S-ACC' WHERE id = 3;
SELECT entry_no, event, from_stage, stage FROM s_enum_history WHERE id = 3 ORDER BY 1;
ALTER TYPE status RENAME VALUE 'mql' TO '2';
UPDATE s_enum SET stage = 'customer' WHERE id = 3;
INSERT INTO s_enum VALUES (5, 'inquiry');
UPDATE s_enum SET stage = '2' WHERE id = 5;
ALTER TYPE status RENAME VALUE 'S-ACC' TO '5';
UPDATE s_enum SET stage = '5' WHERE id = 5;
SELECT entry_no, event, from_stage, stage FROM s_enum_history WHERE id = 5 ORDER BY 1;
SELECT t, c.* FROM kinds, align.check(t) AS c;
-- what holds no label
CREATE TABLE s_bool (id int PRIMARY KEY, stage boolean);
CREATE TABLE s_json (id int PRIMARY KEY, stage jsonb);
CREATE TABLE s_array (id int PRIMARY KEY, stage text[]);
SELECT align.attach('s_bool', 'roads_stages');
SELECT align.attach('s_json', 'roads_stages');
SELECT align.attach('s_array', 'roads_stages');

DROP SCHEMA roads_stages CASCADE;
