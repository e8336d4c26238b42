-- Labels that were looked up by an earlier statement are not used by TRUNCATE.
\set SHOW_CONTEXT never
SET TimeZone = 'UTC';
CREATE SCHEMA reload_labels;
SET search_path = reload_labels;
SET client_min_messages = warning;
SELECT align.agree('reload_labels', 'stage New, Qualified, Checked; won Won; entry New, Qualified, Checked; success path New -> Qualified -> Checked -> Won;');
CREATE TABLE crm_stage (id int PRIMARY KEY, name text);
INSERT INTO crm_stage VALUES (4, 'New'), (5, 'Qualified');
CREATE TABLE deals (id int PRIMARY KEY, stage_id int);
SELECT align.attach('deals', 'reload_labels', stage => 'stage_id', stage_labels => 'crm_stage(id, name)', mode => 'observe', reload => true);
INSERT INTO deals VALUES (1, 5), (2, 4);
-- other names, which the agreement knows and does not know, are no moves of the deals
UPDATE crm_stage SET name = CASE id WHEN 4 THEN 'Checked' ELSE 'Vetted' END;
BEGIN;
TRUNCATE deals;
INSERT INTO deals VALUES (1, 5), (2, 4);
COMMIT;
SELECT id, entry_no AS no, event, from_stage, stage, violation FROM deals_history ORDER BY 1, 2;
DROP SCHEMA reload_labels CASCADE;
