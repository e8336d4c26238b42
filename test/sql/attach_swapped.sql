-- A table that was swapped for a new one is attached to the history of the old one.
\set SHOW_CONTEXT never
SET TimeZone = 'UTC';
CREATE SCHEMA swapped;
SET search_path = swapped;
SELECT align.agree('swapped', $$
    stage new, work held by m; stage busy held by s; won done; lost gone;
    success path new -> work -> busy -> done; path any -> gone;
    busy known as 'in work';
    handoff h: work from m to s, accept busy, reject gone with reason (price, time), within 4 hours;
    sla answer by s: from busy to done within 2 days;
    busy needs who;
$$);
CREATE TABLE leads (id int PRIMARY KEY, stage text, who text, why text, at timestamptz);
INSERT INTO leads SELECT i, 'work', 'ann', NULL, '2026-03-02 09:00Z' FROM generate_series(1, 9) AS i;
SELECT align.attach('leads', 'swapped', assignee => 'who', reason => 'why', changed_at => 'at');
CREATE VIEW trail AS
SELECT id, entry_no AS no, event, from_stage, stage, from_team, assignee, reason, handoff, violation, source FROM leads_history WHERE entry_no > 1 OR id > 9 ORDER BY id, entry_no;
CREATE VIEW promises AS SELECT id, sla, cycle, outcome FROM leads_sla WHERE stopped_at IS NOT NULL OR sla = 'answer' ORDER BY id, sla, cycle;

BEGIN;
CREATE TABLE leads_new (LIKE leads INCLUDING ALL);
INSERT INTO leads_new VALUES
    (1, 'work', 'ann', NULL, '2026-03-02 09:00Z'),
    (2, 'in work', 'ann', NULL, '2026-03-02 10:00Z'),
    (3, 'busy', NULL, NULL, '2026-03-02 10:00Z'),
    (4, 'done', 'ann', NULL, '2026-03-02 10:00Z'),
    (5, 'gone', 'ann', 'price', '2026-03-02 10:00Z'),
    (6, 'gone', 'ann', NULL, '2026-03-01 10:00Z'),
    (7, 'work', 'bob', NULL, '2026-03-02 09:00Z'),
    (8, NULL, 'bob', NULL, '2026-03-02 09:00Z'),
    (10, 'new', 'bob', NULL, '2026-03-02 09:00Z'),
    (11, 'busy', 'bob', NULL, '2026-03-02 09:00Z');
DROP TABLE leads;
ALTER TABLE leads_new RENAME TO leads;
SELECT align.attach('leads', 'swapped', assignee => 'who', reason => 'why', changed_at => 'at');
COMMIT;
TABLE trail;
SELECT id, effective_at FROM leads_history WHERE event = 'move' ORDER BY 1;
TABLE promises;
SELECT * FROM align.check('leads');
-- unchanged: nothing
BEGIN;
CREATE TABLE leads_new (LIKE leads INCLUDING ALL);
INSERT INTO leads_new TABLE leads;
DROP TABLE leads;
ALTER TABLE leads_new RENAME TO leads;
SELECT align.attach('leads', 'swapped', assignee => 'who', reason => 'why', changed_at => 'at');
COMMIT;
SELECT count(*) FROM trail;

-- The old table is kept: it must be detached first.
CREATE TABLE leads_new (LIKE leads INCLUDING ALL);
INSERT INTO leads_new SELECT id, CASE id WHEN 2 THEN 'done' ELSE stage END, who, why, at FROM leads;
BEGIN;
ALTER TABLE leads RENAME TO leads_old;
ALTER TABLE leads_new RENAME TO leads;
SELECT align.attach('leads', 'swapped', assignee => 'who', reason => 'why');
ROLLBACK;
BEGIN;
SELECT align.detach('leads');
ALTER TABLE leads RENAME TO leads_old;
ALTER TABLE leads_new RENAME TO leads;
SELECT align.attach('leads', 'swapped', assignee => 'who', reason => 'why');
COMMIT;
SELECT * FROM trail WHERE id = 2;
SELECT * FROM align.check('leads');

-- A stage that was renamed is the same stage; one that is unknown is a violation.
SELECT align.agree('swapped', $$
    stage new, work held by m; stage active held by s; won done; lost gone;
    success path new -> work -> active -> done; path any -> gone;
    active known as 'busy', 'in work';
    sla answer by s: from active to done within 2 days;
$$);
SELECT align.detach('leads');
UPDATE leads SET stage = 'active' WHERE id = 3;
UPDATE leads SET stage = 'lunch' WHERE id = 7;
SELECT align.attach('leads', 'swapped', assignee => 'who', reason => 'why');
SELECT align.attach('leads', 'swapped', assignee => 'who', reason => 'why', mode => 'warn');
SELECT id, no, event, from_stage, stage, violation, source FROM trail WHERE id IN (3, 7);
SELECT problem, count(*) FROM align.check('leads') GROUP BY 1;

-- Who attaches is not who moved the lead.
CREATE ROLE regress_align_sales;
SELECT align.assign_team('swapped', 's', 'regress_align_sales');
SELECT align.assign_team('swapped', 'm', 'regress_align_sales');
CREATE ROLE regress_align_swapped;
SELECT align.admit('swapped', 'regress_align_swapped');
SELECT align.detach('leads');
ALTER TABLE leads OWNER TO regress_align_swapped;
ALTER TABLE leads_history OWNER TO regress_align_swapped;
ALTER TABLE leads_sla OWNER TO regress_align_swapped;
GRANT USAGE, CREATE ON SCHEMA swapped TO regress_align_swapped;
UPDATE leads SET stage = 'work' WHERE id = 10;
SET ROLE regress_align_swapped;
SELECT align.attach('leads', 'swapped', mode => 'observe');
RESET ROLE;
SELECT id, no, event, from_stage, stage, violation, source FROM trail WHERE id = 10;

-- A stage that was renamed twice: the move is judged from the stage that it is now.
SELECT align.agree('swapped_twice', 'stage new, sal; won done; success path new -> sal -> done; entry new, sal;');
CREATE TABLE twice (id int PRIMARY KEY, stage text);
INSERT INTO twice VALUES (1, 'sal'), (2, 'sal');
SELECT align.attach('twice', 'swapped_twice');
SELECT align.detach('twice');
SELECT align.agree('swapped_twice', 'stage new, accepted; accepted known as ''sal''; won done; success path new -> accepted -> done; entry new, accepted;');
SELECT align.agree('swapped_twice', 'stage new, ok; ok known as ''accepted''; won done; success path new -> ok -> done; entry new, ok;');
UPDATE twice SET stage = CASE id WHEN 1 THEN 'new' ELSE 'done' END;
SELECT align.attach('twice', 'swapped_twice', mode => 'observe');
SELECT id, entry_no, event, from_stage, stage, version, violation FROM twice_history WHERE entry_no > 1 ORDER BY 1, 2;
SELECT j.key, v.entry, v.rule FROM align.journeys('twice') j, align.violations(j.lead, align.agreed('swapped_twice')) v;
SELECT * FROM align.check('twice');

-- Another agreement: a stage is the same if both know it by one name or label.
SELECT align.agree('swapped_a1', 'stage new; stage sal held by s; sal known as ''S1''; won done; success path new -> sal -> done; entry new, sal; sla quick by s: from sal to done within 1 day;');
SELECT align.agree('swapped_a2', 'stage new, accepted, held; accepted known as ''S1''; won done; success path new -> accepted -> held -> done; entry new, accepted;');
CREATE TABLE two (id int PRIMARY KEY, stage text);
INSERT INTO two SELECT i, 'S1' FROM generate_series(1, 4) AS i;
SELECT align.attach('two', 'swapped_a1');
BEGIN;
ALTER TABLE two DISABLE TRIGGER USER;
UPDATE two SET stage = 'held' WHERE id = 4;
ALTER TABLE two ENABLE TRIGGER USER;
SELECT align.attach('two', 'swapped_a2', replace => true);
COMMIT;
SELECT * FROM align.check('two');
UPDATE two SET stage = 'held' WHERE id = 1;
UPDATE two SET stage = 'done' WHERE id = 2;
DELETE FROM two WHERE id = 3;
SELECT id, entry_no, event, from_stage, stage, agreement, violation, source FROM two_history ORDER BY 1, 2;
SELECT * FROM align.check('two');
-- through SQL, not directly
ALTER TABLE two_history ADD extra text DEFAULT 'x';
CREATE FUNCTION nothing() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN new; END';
CREATE TRIGGER nothing BEFORE INSERT ON two_history FOR EACH ROW EXECUTE FUNCTION nothing();
UPDATE two SET stage = 'held' WHERE id = 2;
SELECT id, entry_no, event, from_stage, stage, agreement, source FROM two_history WHERE id = 2 ORDER BY 1, 2;
SELECT * FROM align.check('two');
DROP SCHEMA swapped CASCADE;
DROP ROLE regress_align_swapped, regress_align_sales;
