-- History and clocks belong to their owner, who may alter them; and a marker made
-- by hand may name anything.  Neither must do more harm than an error.
SET TimeZone TO 'UTC';
SELECT align.agree('records', $$
    stage new, mql held by marketing; stage sal held by sales; won customer; lost disqualified;
    entry new, mql; success path new -> mql -> sal -> customer; path any -> disqualified;
    sla answer by sales: from mql to sal within 2 days;
$$);

CREATE TABLE altered (id int PRIMARY KEY, stage text, at timestamptz);
SELECT align.attach('altered', 'records');
INSERT INTO altered VALUES (1, 'mql');

-- another type, a column gone, a key column of another type
ALTER TABLE altered_history ALTER entry_no TYPE text;
UPDATE altered SET stage = 'sal';
TRUNCATE altered;
SELECT * FROM align.check('altered');
SELECT * FROM align.journeys('altered');
SELECT align.notify_handoffs('altered');
SELECT align.erase('altered', 1);
ALTER TABLE altered_history ALTER entry_no TYPE int USING entry_no::int;

ALTER TABLE altered_sla ALTER started_at TYPE text;
UPDATE altered SET stage = 'sal';
SELECT * FROM align.clocks('altered');
SELECT align.notify_due('altered');
ALTER TABLE altered_sla ALTER started_at TYPE timestamptz USING started_at::timestamptz;

ALTER TABLE altered_history ALTER id TYPE text;
UPDATE altered SET stage = 'sal';
ALTER TABLE altered_history ALTER id TYPE int USING id::int;

ALTER TABLE altered_history RENAME branch TO twig;
UPDATE altered SET stage = 'sal';
ALTER TABLE altered_history RENAME twig TO branch;

-- all as it was, but for a column more, which does no harm
ALTER TABLE altered_history ADD COLUMN comment text DEFAULT 'none';
UPDATE altered SET stage = 'sal';
SELECT id, entry_no, event, stage, comment FROM altered_history ORDER BY entry_no;
SELECT * FROM align.check('altered');

-- a view instead of a history, whose code would run as whoever asks
CREATE ROLE records_stranger;
CREATE SCHEMA strange AUTHORIZATION records_stranger;
SET ROLE records_stranger;
CREATE FUNCTION strange.who() RETURNS text LANGUAGE plpgsql AS $$ BEGIN RAISE NOTICE 'called as %', current_user; RETURN 'entry'; END $$;
CREATE TABLE strange.leads (id int, stage text);
CREATE VIEW strange.leads_history AS SELECT 1 AS id, 1 AS entry_no, strange.who() AS event;
CREATE TRIGGER align_attachment AFTER UPDATE OF id, stage ON strange.leads FOR EACH STATEMENT
    WHEN ('strange.leads_history'::regclass IS NULL AND 'strange.leads_history'::regclass IS NULL)
    EXECUTE FUNCTION align.attachment('records', 'enforce', '', 'key', 'stage');
RESET ROLE;
SELECT * FROM align.check('strange.leads');
SELECT * FROM align.journeys('strange.leads');
SELECT * FROM align.clocks('strange.leads');
SELECT align.notify_due('strange.leads');
SELECT * FROM align.backtest('strange.leads'::regclass, align.agreed('records'));

-- what is found when a table is attached again is how its rows stand now, even if
-- they tell an earlier time than the last entry
CREATE TABLE found (id int PRIMARY KEY, stage text, at timestamptz);
SELECT align.attach('found', 'records', changed_at => 'at');
INSERT INTO found VALUES (1, 'mql', '2025-01-05');
SELECT align.detach('found');
UPDATE found SET stage = 'sal', at = '2025-01-03';
SELECT align.attach('found', 'records', changed_at => 'at');
SELECT entry_no, event, stage, source, effective_at FROM found_history ORDER BY entry_no;
SELECT sla, outcome FROM found_sla;
SELECT * FROM align.check('found');

SELECT align.detach('altered');
SELECT align.detach('found');
DROP TABLE altered, altered_history, altered_sla, found, found_history, found_sla;
SET client_min_messages = warning;
DROP SCHEMA strange CASCADE;
DROP ROLE records_stranger;
