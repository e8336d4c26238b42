-- Attaching again with look-ups: a view that fits is left alone.
SET client_min_messages = warning;
\set SHOW_CONTEXT never
CREATE ROLE regress_align_views;
CREATE SCHEMA attach_label_views;
GRANT USAGE, CREATE ON SCHEMA attach_label_views TO regress_align_views;
SET search_path = attach_label_views;
SELECT align.agree('attach_label_views', 'stage new, busy; won deal; success path new -> busy -> deal; new known as ''n'';');
SELECT align.admit('attach_label_views', 'regress_align_views');
SET ROLE regress_align_views;
CREATE TABLE stages (id int PRIMARY KEY, code varchar(8) UNIQUE, name jsonb, uid uuid UNIQUE, word varchar(20) COLLATE "C");
INSERT INTO stages VALUES (1, 'n', '{"en": "new"}'), (2, 'b', '{"en": "busy"}'), (3, 'd', '{"en": "deal"}');
CREATE TABLE leads (id int PRIMARY KEY, stage_id int, owner_id int);
INSERT INTO leads VALUES (1, 1, 1);
PREPARE attach(text, text) AS SELECT align.attach('leads', 'attach_label_views', stage => 'stage_id', stage_labels => $1, history => $2, rules => '{"unknown_stage": "observe"}');
EXECUTE attach('stages(id, name ->> ''en'')', NULL);
COMMENT ON VIEW leads_history_stage_labels IS 'mine';
SELECT * FROM align.check('leads');

-- without CREATE, all that fits
RESET ROLE;
REVOKE CREATE ON SCHEMA attach_label_views FROM regress_align_views;
SET ROLE regress_align_views;
EXECUTE attach('stages(id, name ->> ''en'')', NULL);
EXECUTE attach('attach_label_views.stages(id, (name->>''en''::text))', 'leads_history');
SELECT obj_description('leads_history_stage_labels'::regclass, 'pg_class');
INSERT INTO leads VALUES (2, 1, 1);
-- and nothing else
EXECUTE attach('stages(id, name ->> ''de'')', NULL);
EXECUTE attach('stages(id, name ->> ''en'' || '''')', NULL);
SELECT align.attach('leads', 'attach_label_views', stage => 'stage_id', stage_labels => 'stages(id, name ->> ''en'')', assignee => 'owner_id', assignee_labels => 'stages(id, code)');
ALTER VIEW leads_history_stage_labels SET (security_invoker = false);
EXECUTE attach('stages(id, name ->> ''en'')', NULL);
RESET ROLE;
GRANT CREATE ON SCHEMA attach_label_views TO regress_align_views;
SET ROLE regress_align_views;

-- what the owner has made of it is replaced
CREATE FUNCTION replaced(query text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
	EXECUTE 'CREATE OR REPLACE VIEW leads_history_stage_labels WITH (security_invoker = true) AS ' || query;
	PERFORM align.attach('leads', 'attach_label_views', stage => 'stage_id', stage_labels => 'stages(id, name ->> ''en'')');
	RETURN regexp_replace(regexp_replace(pg_get_viewdef('leads_history_stage_labels'), '\s+', ' ', 'g'), '\yt\.', '', 'g');
END
$$;
CREATE TABLE others (LIKE stages);
SELECT replaced(query) FROM unnest(ARRAY[
	'SELECT id AS key, name ->> ''en'' AS label FROM stages',
	'SELECT id AS key, name ->> ''en'' AS label FROM stages WHERE id > 1',
	'SELECT id AS key, name ->> ''en'' AS label FROM ONLY stages',
	'SELECT id AS key, name ->> ''en'' AS label FROM stages LIMIT 1',
	'SELECT DISTINCT id AS key, name ->> ''en'' AS label FROM stages',
	'SELECT id AS key, name ->> ''de'' AS label FROM stages',
	'SELECT id AS key, name ->> ''en'' AS label FROM others',
	'SELECT id + 0 AS key, name ->> ''en'' AS label FROM stages',
	'SELECT s.id AS key, s.name ->> ''en'' AS label FROM stages AS s, stages AS t',
	'SELECT id AS key, name ->> ''en'' AS label FROM stages UNION ALL SELECT 9, ''x'' WHERE false',
	'SELECT id AS key, ''en'' AS label FROM stages']) AS query;
-- a varchar is cast to text in the view
EXECUTE attach('stages(id, code)', NULL);
SELECT * FROM leads_history_stage_labels ORDER BY key;

-- a key of another type
EXECUTE attach('stages(uid, code)', NULL);
EXECUTE attach('stages(code, code)', NULL);
ALTER TABLE stages ALTER COLUMN id TYPE bigint;
SELECT align.detach('leads');
DROP VIEW leads_history_stage_labels;
EXECUTE attach('stages(code, name ->> ''en'')', NULL);
SELECT key, label FROM leads_history_stage_labels ORDER BY key;
ALTER TABLE others ADD UNIQUE (word);
EXECUTE attach('others(word, word)', NULL);
EXECUTE attach('others(code, word)', NULL);
ALTER TABLE others ADD UNIQUE (code);
EXECUTE attach('others(code, word)', NULL);
EXECUTE attach('others(code, word COLLATE "default")', NULL);
RESET ROLE;
DROP SCHEMA attach_label_views CASCADE;
DROP ROLE regress_align_views;
