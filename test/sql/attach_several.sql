-- Several attachments of one table: how they are made, changed, addressed and
-- detached.
\set SHOW_CONTEXT never
SET TimeZone = 'UTC';
CREATE SCHEMA several;
SET search_path = several;
SELECT align.agree('several_sales', $$
    stage new, mql held by marketing; stage deal held by sales; won won; lost lost;
    success path new -> mql -> deal -> won; path any -> lost; entry new, mql;
    handoff take_up: mql from marketing to sales, accept deal, within 4 hours;
$$);
SELECT align.agree('several_care', $$
    stage new, due held by care; won won; lost lost;
    success path new -> due -> won; path any -> lost; entry new, due;
    sla renew by care: from due to won, lost within 5 days;
$$);
CREATE TABLE deals (id int PRIMARY KEY, pipeline int, stage text, care text, owner text);
SELECT align.attach('deals', 'several_sales', assignee => 'owner');

-- Another agreement under the same history: not without a word.
SELECT align.attach('deals', 'several_care', stage => 'care');
SELECT align.attach('deals', 'several_care', stage => 'care', history => 'deals_history');
-- Another history: a further attachment, with names of its own.
SELECT align.attach('deals', 'several_care', stage => 'care', history => 'deal_renewals_history');
INSERT INTO deals VALUES (1, 7, 'new', 'due', 'ann'), (2, 7, 'mql', NULL, 'bob'), (3, 8, 'new', 'new', 'cyd');
SELECT relation, agreement, mode, stage, assignee, history, sla FROM align.attachments WHERE relation = 'deals'::regclass;
SELECT tgname, tgenabled, replace(encode(tgargs, 'escape'), '\000', ' ') AS arguments FROM pg_trigger
WHERE tgrelid = 'deals'::regclass ORDER BY tgname COLLATE "C";
SELECT tgrelid::regclass, replace(encode(tgargs, 'escape'), '\000', ' ') AS arguments FROM pg_trigger
WHERE tgname = 'align_history_of' AND tgconstrrelid = 'deals'::regclass ORDER BY tgrelid::regclass::text COLLATE "C";
-- Attached again: the agreement, or the history, identifies the attachment.
SELECT align.attach('deals', 'several_care', stage => 'care', mode => 'warn');
SELECT align.attach('deals', 'several_sales', assignee => 'owner', mode => 'observe');
SELECT align.attach('deals', 'several_sales', assignee => 'owner', history => 'several.deals_history');
SELECT relation, agreement, mode, stage, assignee, history, sla FROM align.attachments WHERE relation = 'deals'::regclass;
-- An attachment of the history, or the clock table, of another one.
SELECT align.attach('deals', 'several_sales', history => 'deal_renewals_history');
SELECT align.attach('deals', 'several_sales', history => 'deals_sla');
CREATE TABLE deals2 (LIKE deals INCLUDING ALL);
SELECT align.attach('deals2', 'several_sales', history => 'deal_renewals_history');
SELECT align.attach('deal_renewals_history', 'several_sales', key => '{id}');
-- The clock table of x is x_sla, which may be another attachment's already.
ALTER TABLE deals_sla RENAME TO deal_third_sla;
SELECT align.attach('deals', 'several_sales', history => 'deal_third');
ALTER TABLE deal_third_sla RENAME TO deals_sla;
SELECT count(*) FROM align.attachments WHERE relation = 'deals'::regclass;

-- Which one is meant.
SELECT * FROM align.check('deals');
SELECT * FROM align.clocks('deals', now());
SELECT * FROM align.explain_move('deals', 1, 'won');
SELECT align.purge('deals', now());
SELECT align.detach('deals');
SELECT * FROM align.backtest('several.deals', align.agreed('several_sales'));
SELECT * FROM align.check('deals_history');
SELECT * FROM align.check('deal_renewals_history');
SELECT key, sla, team, assignee, state FROM align.clocks('deals_history', now());
SELECT key, sla, team, assignee, state FROM align.clocks('deal_renewals_history', now());
SELECT key, sla, team, assignee, state FROM align.clocks('deal_renewals_history', now(), 1);
SELECT key, align.path(lead) FROM align.journeys('deals_history');
SELECT key, align.path(lead) FROM align.journeys('deal_renewals_history');
SELECT key, align.path(lead) FROM align.journeys('deal_renewals_history', 3);
SELECT allowed, rule, message FROM align.explain_move('deals_history', 1, 'won');
SELECT allowed, rule, message FROM align.explain_move('deal_renewals_history', 1, 'won');
SELECT rule, stage, leads FROM align.backtest('several.deals_history', align.agreed('several_care'));
SELECT rule, stage, leads FROM align.backtest('several.deal_renewals_history'::regclass, align.agreed('several_sales'));
SELECT align.rebuild_clocks('deals_history'), align.rebuild_clocks('deal_renewals_history');
SELECT align.notify_handoffs('deals_history'), align.notify_handoffs('deal_renewals_history');
SELECT align.notify_due('deals_history'), align.notify_due('deal_renewals_history');
INSERT INTO deals VALUES (4, 7, 'new', 'new', 'dan'), (5, 7, 'new', 'new', 'eve');
SELECT align.merge_leads('deals_history', 4, 5);
SELECT id, entry_no, event, stage FROM deals_history WHERE id IN (4, 5) ORDER BY 1, 2;
SELECT id, entry_no, event, stage FROM deal_renewals_history WHERE id IN (4, 5) ORDER BY 1, 2;
SELECT align.merge_leads('deal_renewals_history', 4, 5);
DELETE FROM deals WHERE id = 4;
SELECT align.erase('deals_history', 4) > 0 AS erased, count(*) FROM deals_history WHERE id = 4;
SELECT count(*) FROM deal_renewals_history WHERE id = 4;
SELECT align.erase('deal_renewals_history', 4) > 0 AS erased;
DELETE FROM deals WHERE id = 5;
SELECT align.purge('deals_history', now());
SELECT count(*) > 0 AS kept FROM deal_renewals_history WHERE id = 5;
-- neither a clock table nor any other table
SELECT * FROM align.check('deals_sla');
SELECT * FROM align.check('deals2');
SELECT * FROM align.check('deals_history') UNION ALL SELECT * FROM align.check('deal_renewals_history');

-- One is detached: the other stays, and is the only one.
SELECT align.detach('deal_renewals_history');
SELECT tgname FROM pg_trigger WHERE tgrelid = 'deals'::regclass ORDER BY tgname COLLATE "C";
SELECT tgrelid::regclass, tgname FROM pg_trigger WHERE tgrelid IN (SELECT oid FROM pg_class WHERE relnamespace = 'several'::regnamespace AND relname ~ '_(history|sla)$') AND NOT tgisinternal
ORDER BY tgrelid::regclass::text COLLATE "C", tgname;
SELECT * FROM align.check('deals');
SELECT align.detach('deal_renewals_history');
UPDATE deals SET care = 'won' WHERE id = 1;
-- back again
SELECT align.attach('deals', 'several_care', stage => 'care', history => 'deal_renewals_history');
SELECT id, entry_no, event, stage, source FROM deal_renewals_history WHERE id = 1 ORDER BY 2;
-- The first is detached: the second keeps its number, and a new one fills the gap.
SELECT align.detach('deals_history');
SELECT tgname FROM pg_trigger WHERE tgrelid = 'deals'::regclass ORDER BY tgname COLLATE "C";
SELECT * FROM align.check('deals');
-- the default history is free
SELECT align.attach('deals', 'several_sales', assignee => 'owner');
SELECT relation, agreement, history FROM align.attachments WHERE relation = 'deals'::regclass;
SELECT align.attach('deals', 'several_care', stage => 'care', history => 'third_history', mode => 'observe');
SELECT relation, agreement, history FROM align.attachments WHERE relation = 'deals'::regclass;
-- two to one agreement: neither history is the default one
SELECT align.attach('deals', 'several_care', stage => 'care');
SELECT align.attach('deals', 'several_sales', history => 'fourth_history', assignee => 'owner');
-- two to one agreement: one has the default history
SELECT align.attach('deals', 'several_sales', assignee => 'owner', mode => 'warn');
SELECT agreement, mode, history FROM align.attachments WHERE relation = 'deals'::regclass;
SELECT align.detach('fourth_history'), align.detach('third_history');

-- Replaced: another agreement, another history.
SELECT align.attach('deals', 'several_care', stage => 'care', history => 'deals_history', replace => true);
SELECT agreement, mode, history FROM align.attachments WHERE relation = 'deals'::regclass;
SELECT align.attach('deals', 'several_sales', assignee => 'owner', replace => true);
SELECT align.attach('deals', 'several_sales', assignee => 'owner', history => 'elsewhere', replace => true);
SELECT align.detach('deal_renewals_history');
SELECT align.attach('deals', 'several_sales', assignee => 'owner', history => 'elsewhere', replace => true);
SELECT agreement, mode, history FROM align.attachments WHERE relation = 'deals'::regclass;
SELECT align.attach('deals', 'several_care', stage => 'care', replace => true);
SELECT agreement, mode, history FROM align.attachments WHERE relation = 'deals'::regclass;
SELECT align.attach('deals', 'several_sales', replace => NULL);
SELECT * FROM align.check('deals');

-- A marker that is lost with a column: the rest refuses writes, until the
-- attachment is made again, or detached; the other one goes on.
SELECT align.attach('deals', 'several_sales', assignee => 'owner', history => 'sales_history');
SELECT agreement, history FROM align.attachments WHERE relation = 'deals'::regclass;
ALTER TABLE deals DROP COLUMN owner CASCADE;
SELECT agreement, history FROM align.attachments WHERE relation = 'deals'::regclass;
UPDATE deals SET stage = 'lost' WHERE id = 3;
SELECT align.attach('deals', 'several_sales', history => 'sales_history');
SELECT agreement, history FROM align.attachments WHERE relation = 'deals'::regclass;
SELECT tgname FROM pg_trigger WHERE tgrelid = 'deals'::regclass AND tgname LIKE 'align_attachment%' ORDER BY 1;
UPDATE deals SET stage = 'lost' WHERE id = 3;
SELECT * FROM align.check('elsewhere') UNION ALL SELECT * FROM align.check('sales_history');
ALTER TABLE deals DROP COLUMN stage CASCADE;
UPDATE deals SET care = 'lost' WHERE id = 3;
SELECT align.detach('sales_history');
UPDATE deals SET care = 'lost' WHERE id = 3;
SELECT * FROM align.check('deals');

-- All attachments of a table are in the way of DROP EXTENSION; none survives the table.
ALTER TABLE deals ADD stage text;
SELECT align.attach('deals', 'several_sales', history => 'sales_history');
BEGIN;
SET LOCAL client_min_messages = error;
\set VERBOSITY terse
DROP EXTENSION align;
\set VERBOSITY default
ROLLBACK;
BEGIN;
SET LOCAL client_min_messages = error;
DROP EXTENSION align CASCADE;
SELECT tgname FROM pg_trigger WHERE tgrelid = 'deals'::regclass;
ROLLBACK;
DROP TABLE deals;
SELECT tgrelid::regclass, tgname FROM pg_trigger WHERE tgrelid IN ('elsewhere'::regclass, 'sales_history'::regclass) AND tgname <> 'align_append_only';

-- Expressions and look-ups of a further attachment are its own.
CREATE TABLE labels (id int PRIMARY KEY, label text);
INSERT INTO labels VALUES (1, 'new'), (2, 'mql'), (11, 'new'), (12, 'due'), (13, 'won');
CREATE TABLE requests (id int PRIMARY KEY, pipeline int, stage_id int, gone boolean);
INSERT INTO requests VALUES (1, 7, 1, false), (2, 8, 11, false), (3, 8, 12, true);
SELECT align.attach('requests', 'several_sales', stage => $$CASE WHEN gone THEN 'lost' ELSE stage_id::text END$$, stage_labels => 'labels(id, label)', live => 'pipeline = 7');
SELECT align.attach('requests', 'several_care', stage => $$CASE WHEN gone THEN 'lost' ELSE stage_id::text END$$, stage_labels => 'labels(id, label)', live => 'pipeline = 8', history => 'requests_care');
SELECT history, expressions, labels FROM align.attachments WHERE relation = 'requests'::regclass ORDER BY history;
SELECT tgname FROM pg_trigger WHERE tgrelid = 'requests'::regclass AND tgname ~ 'labels|expressions' ORDER BY 1;
UPDATE requests SET stage_id = stage_id + 1 WHERE id < 3;
UPDATE requests SET stage_id = 13 WHERE id = 2;
SELECT id, event, stage FROM requests_history UNION ALL SELECT id, event, stage FROM requests_care ORDER BY 1, 2 DESC;
SELECT * FROM align.check('requests_history') UNION ALL SELECT * FROM align.check('requests_care');
SELECT align.attach('requests', 'several_care', stage => 'stage_id', mode => 'observe', live => 'pipeline = 8', history => 'requests_care');
SELECT tgname FROM pg_trigger WHERE tgrelid = 'requests'::regclass AND tgname ~ 'labels|expressions' ORDER BY 1;

SET client_min_messages = warning;
DROP SCHEMA several CASCADE;
