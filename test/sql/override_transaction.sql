-- The setting align.override counts in the transaction that sets it, and in no other.
\set VERBOSITY terse
CREATE SCHEMA override_transaction;
SET search_path = override_transaction;
SELECT align.agree('override_transaction', $$
    stage inquiry, mql;
    won customer;
    success path inquiry -> mql -> customer;
$$);
CREATE TABLE leads (id int PRIMARY KEY, stage text);
INSERT INTO leads SELECT i, 'inquiry' FROM generate_series(1, 20) AS i;
SELECT align.attach('leads', 'override_transaction');
-- of a session
SET align.override = 'for good';
UPDATE leads SET stage = 'customer' WHERE id = 1;
SHOW align.override;
SELECT set_config('align.override', 'for good', false);
UPDATE leads SET stage = 'customer' WHERE id = 1;
-- in the same statement, or the same transaction
SELECT set_config('align.override', 'at once', false) \; UPDATE leads SET stage = 'customer' WHERE id = 2;
BEGIN;
UPDATE leads SET stage = 'customer' WHERE id = 3;
ROLLBACK;
BEGIN;
SET align.override = 'in a block';
UPDATE leads SET stage = 'customer' WHERE id = 4;
COMMIT;
UPDATE leads SET stage = 'customer' WHERE id = 5;
-- what a savepoint takes back
BEGIN;
SAVEPOINT s;
SET LOCAL align.override = 'taken back';
UPDATE leads SET stage = 'customer' WHERE id = 6;
ROLLBACK TO s;
UPDATE leads SET stage = 'customer' WHERE id = 7;
ROLLBACK;
BEGIN;
SET LOCAL align.override = 'kept';
SAVEPOINT s;
SET LOCAL align.override = 'taken back';
ROLLBACK TO s;
UPDATE leads SET stage = 'customer' WHERE id = 8;
COMMIT;
-- of a function, and around it
CREATE FUNCTION skip(lead int) RETURNS void LANGUAGE plpgsql SET align.override = 'by function' AS $$
BEGIN
    UPDATE leads SET stage = 'customer' WHERE id = lead;
END $$;
SELECT skip(9);
UPDATE leads SET stage = 'customer' WHERE id = 10;
BEGIN;
SELECT skip(10);
UPDATE leads SET stage = 'customer' WHERE id = 11;
ROLLBACK;
BEGIN;
SET LOCAL align.override = 'around';
SELECT skip(11);
UPDATE leads SET stage = 'customer' WHERE id = 12;
COMMIT;
-- a procedure that commits
CREATE PROCEDURE skip_two(lead int) LANGUAGE plpgsql AS $$
BEGIN
    SET align.override = 'first';
    UPDATE leads SET stage = 'customer' WHERE id = lead;
    COMMIT;
    UPDATE leads SET stage = 'customer' WHERE id = lead + 1;
END $$;
CALL skip_two(13);
-- nothing, and RESET
BEGIN;
SET LOCAL align.override = '';
UPDATE leads SET stage = 'customer' WHERE id = 15;
ROLLBACK;
BEGIN;
SET LOCAL align.override = 'reset';
RESET align.override;
UPDATE leads SET stage = 'customer' WHERE id = 15;
ROLLBACK;
-- of the database
DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET align.override = ''all of us''', current_database()); END $$;
\c -
SHOW align.override;
UPDATE override_transaction.leads SET stage = 'customer' WHERE id = 16;
SHOW align.override;
UPDATE override_transaction.leads SET stage = 'customer' WHERE id = 16;
DO $$ BEGIN EXECUTE format('ALTER DATABASE %I RESET align.override', current_database()); END $$;
\c -
SELECT id, stage, violation, note FROM override_transaction.leads_history WHERE event = 'override' ORDER BY id;
SELECT * FROM align.check('override_transaction.leads');
SET client_min_messages = warning;
DROP SCHEMA override_transaction CASCADE;
