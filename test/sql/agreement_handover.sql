-- An agreement that gets another owner, in one session that has its attached tables
-- cached: those of the former owner are no longer asked, and stay under the last version
-- that fits them, at once.
SET TimeZone = 'UTC';
\set SHOW_CONTEXT never
CREATE ROLE regress_align_first;
CREATE ROLE regress_align_second;
CREATE ROLE regress_align_member IN ROLE regress_align_first;
CREATE SCHEMA agreement_handover;
GRANT ALL ON SCHEMA agreement_handover TO PUBLIC;
SET search_path = agreement_handover;
\set base '\'stage inquiry, mql held by marketing; stage sal held by sales; won customer; success path inquiry -> mql -> sal -> customer; entry inquiry, mql, sal; handoff h: mql from marketing to sales, accept sal, within 4 hours; \''
SET ROLE regress_align_first;
SELECT align.agree('handover', :base);
CREATE TABLE leads (id int PRIMARY KEY, stage text);
CREATE TABLE parted (id int PRIMARY KEY, stage text) PARTITION BY RANGE (id);
CREATE TABLE parted_1 PARTITION OF parted FOR VALUES FROM (0) TO (1000);
SELECT align.attach('leads', 'handover'), align.attach('parted', 'handover');
SET ROLE regress_align_member;
CREATE TABLE of_member (id int PRIMARY KEY, stage text);
SELECT align.attach('of_member', 'handover');
SET ROLE regress_align_first;
PREPARE move AS UPDATE leads SET stage = 'sal' WHERE id = $1;
CREATE FUNCTION latest(relation regclass, lead int) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    entry text;
BEGIN
    EXECUTE format('SELECT concat_ws('' '', event, stage, ''version'', version) FROM %s_history WHERE id = $1 ORDER BY entry_no DESC LIMIT 1', relation) INTO entry USING lead;
    RETURN entry;
END $$;
INSERT INTO leads SELECT i, 'mql' FROM generate_series(1, 20) AS i;
INSERT INTO parted SELECT i, 'mql' FROM generate_series(1, 20) AS i;
EXECUTE move(1);
UPDATE parted_1 SET stage = 'sal' WHERE id = 1;
RESET ROLE;
INSERT INTO of_member SELECT i, 'mql' FROM generate_series(1, 20) AS i;
-- a version that does not fit is refused while these tables count
SET ROLE regress_align_first;
SELECT align.agree('handover', :base || 'sal needs phone;');

-- Handed over, and agreed in the same transaction; it is rolled back first.
BEGIN;
RESET ROLE;
SELECT align.set_agreement_owner('handover', 'regress_align_second');
SET ROLE regress_align_second;
SELECT align.agree('handover', :base || 'sal needs phone;');
RESET ROLE;
SET ROLE regress_align_first;
EXECUTE move(2);
UPDATE parted SET stage = 'sal' WHERE id = 2;
SELECT latest('leads', 2), latest('parted', 2);
ROLLBACK;
SET ROLE regress_align_first;
SELECT version FROM align.agreements WHERE name = 'handover';
EXECUTE move(2);
SELECT latest('leads', 2);
SELECT align.agree('handover', :base || 'sal needs phone;');
RESET ROLE;
SELECT align.set_agreement_owner('handover', 'regress_align_second');
SET ROLE regress_align_second;
SELECT align.agree('handover', :base || 'sal needs phone;');
SET ROLE regress_align_first;
EXECUTE move(3);
UPDATE parted SET stage = 'sal' WHERE id = 3;
UPDATE parted_1 SET stage = 'sal' WHERE id = 4;
UPDATE parted SET stage = 'inquiry' WHERE id = 5;
RESET ROLE;
UPDATE of_member SET stage = 'sal' WHERE id = 3;
SELECT latest('leads', 3), latest('parted', 3), latest('parted', 4), latest('of_member', 3);
SELECT * FROM align.explain_move('leads', 4, 'sal');
SELECT t, c.* FROM unnest('{leads,parted,of_member}'::regclass[]) AS t, align.check(t) AS c;
-- the former owner has no say any more: neither in agreeing nor in attaching
SET ROLE regress_align_first;
SELECT align.agree('handover', :base);
SELECT align.attach('leads', 'handover', mode => 'warn');
CREATE TABLE more (id int PRIMARY KEY, stage text);
SELECT align.attach('more', 'handover');
SELECT align.admit('handover', 'regress_align_first');
SELECT align.set_agreement_owner('handover', 'regress_align_first');
-- a version that fits is in force there, too; a column that a version needs makes that fit
SET ROLE regress_align_second;
SELECT align.agree('handover', :base || 'lost gone; path any -> gone;');
SET ROLE regress_align_first;
UPDATE leads SET stage = 'gone' WHERE id = 4;
SELECT latest('leads', 4);
SET ROLE regress_align_second;
SELECT align.agree('handover', :base || 'lost gone; path any -> gone; sal needs fax;');
SET ROLE regress_align_first;
EXECUTE move(5);
SELECT latest('leads', 5);
ALTER TABLE leads ADD COLUMN fax text;
EXECUTE move(6);
UPDATE leads SET fax = '1', stage = 'sal' WHERE id = 6;
SELECT latest('leads', 6);

-- In one command: a function that hands over, agrees and moves.
RESET ROLE;
SELECT align.set_agreement_owner('handover', 'regress_align_first');
SET ROLE regress_align_first;
SELECT align.agree('handover', :base || 'lost gone; path any -> gone;');
RESET ROLE;
DO $$
BEGIN
    UPDATE leads SET stage = 'sal' WHERE id = 7;
    PERFORM align.set_agreement_owner('handover', 'regress_align_second');
    UPDATE leads SET stage = 'sal' WHERE id = 8;
    PERFORM align.agree('handover', document || 'sal needs telex;') FROM align.agreements WHERE name = 'handover' ORDER BY version DESC LIMIT 1;
    UPDATE leads SET stage = 'sal' WHERE id = 9;
    PERFORM align.set_agreement_owner('handover', 'regress_align_first');
    BEGIN
        UPDATE leads SET stage = 'sal' WHERE id = 10;
    EXCEPTION WHEN OTHERS THEN
        RAISE NOTICE '% %', SQLSTATE, SQLERRM;
    END;
    PERFORM align.set_agreement_owner('handover', 'regress_align_second');
    UPDATE leads SET stage = 'sal' WHERE id = 10;
END $$;
SELECT id, latest('leads', id) FROM generate_series(7, 10) AS id;
-- given back: the version in force counts, whether it fits or not, and the next must
SELECT align.set_agreement_owner('handover', 'regress_align_first');
SET ROLE regress_align_first;
EXECUTE move(11);
SELECT align.agree('handover', :base || 'sal needs telegraph;');
SELECT align.agree('handover', :base || 'lost gone; path any -> gone;');
EXECUTE move(11);
SELECT latest('leads', 11);
-- to a role of which the former owner is a member: nothing changes
RESET ROLE;
GRANT regress_align_second TO regress_align_first;
SELECT align.set_agreement_owner('handover', 'regress_align_second');
SET ROLE regress_align_second;
SELECT align.agree('handover', :base || 'lost gone; path any -> gone; sal needs telex;');
-- until he no longer is
RESET ROLE;
REVOKE regress_align_second FROM regress_align_first;
SET ROLE regress_align_second;
SELECT align.agree('handover', :base || 'lost gone; path any -> gone; sal needs telex;');
SET ROLE regress_align_first;
EXECUTE move(12);
SELECT latest('leads', 12);
-- or is admitted
SET ROLE regress_align_second;
SELECT align.admit('handover', 'regress_align_first');
SET ROLE regress_align_first;
EXECUTE move(13);
SET ROLE regress_align_second;
SELECT align.agree('handover', :base || 'lost gone; path any -> gone;');
SELECT align.dismiss('handover', 'regress_align_first');
SELECT align.agree('handover', :base || 'lost gone; path any -> gone; sal needs telex;');
SET ROLE regress_align_first;
EXECUTE move(13);
SELECT latest('leads', 13);
RESET ROLE;
SELECT t, c.* FROM unnest('{leads,parted,of_member}'::regclass[]) AS t, align.check(t) AS c;

-- Versions of the former owner count as they are, also one that gave up a stage in which
-- no lead was.
SET ROLE regress_align_first;
SELECT align.agree('handover_drop', :base);
CREATE TABLE few (id int PRIMARY KEY, stage text);
SELECT align.attach('few', 'handover_drop');
SELECT align.agree('handover_drop', 'stage inquiry, mql held by marketing; won customer; success path inquiry -> mql -> customer; entry inquiry, mql;');
INSERT INTO few SELECT i, 'mql' FROM generate_series(1, 9) AS i;
UPDATE few SET stage = 'customer' WHERE id = 1;
SELECT latest('few', 1);
RESET ROLE;
SELECT align.set_agreement_owner('handover_drop', 'regress_align_second');
SET ROLE regress_align_first;
UPDATE few SET stage = 'customer' WHERE id = 2;
SELECT latest('few', 2);
UPDATE few SET stage = 'sal' WHERE id = 3;
SET ROLE regress_align_second;
SELECT align.agree('handover_drop', 'stage inquiry, mql held by marketing; won customer; success path inquiry -> mql -> customer; entry inquiry, mql; customer needs phone;');
SET ROLE regress_align_first;
UPDATE few SET stage = 'customer' WHERE id = 4;
SELECT latest('few', 4);
SELECT * FROM align.check('few');
-- a role that is a member of the former owner no longer
RESET ROLE;
REVOKE regress_align_first FROM regress_align_member;
UPDATE of_member SET stage = 'sal' WHERE id = 4;
SELECT latest('of_member', 4);

DEALLOCATE move;
RESET search_path;
SET client_min_messages = warning;
DROP SCHEMA agreement_handover CASCADE;
DROP ROLE regress_align_member, regress_align_first, regress_align_second;
