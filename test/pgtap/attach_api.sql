-- The public face of attach, detach and the view of attachments.
\set QUIET on
\pset format unaligned
\pset tuples_only on
\set ON_ERROR_STOP on
BEGIN;
SET LOCAL client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS pgtap;
CREATE EXTENSION IF NOT EXISTS align;
SELECT plan(44);

-- the functions
SELECT is(pg_get_function_arguments('align.attach'::regproc),
    'relation regclass, agreement text, stage text DEFAULT ''stage''::text, key name[] DEFAULT NULL::name[], team text DEFAULT NULL::text, assignee text DEFAULT NULL::text, actor text DEFAULT NULL::text, reason text DEFAULT NULL::text, note text DEFAULT NULL::text, campaign text DEFAULT NULL::text, amount text DEFAULT NULL::text, changed_at text DEFAULT NULL::text, history text DEFAULT NULL::text, mode text DEFAULT ''enforce''::text, live text DEFAULT NULL::text, notify boolean DEFAULT false, opened_at text DEFAULT NULL::text, time_zone text DEFAULT NULL::text, rules jsonb DEFAULT NULL::jsonb, reload boolean DEFAULT false, reason_must_change boolean DEFAULT false, replace boolean DEFAULT false, stage_labels text DEFAULT NULL::text, team_labels text DEFAULT NULL::text, assignee_labels text DEFAULT NULL::text, reason_labels text DEFAULT NULL::text, campaign_labels text DEFAULT NULL::text',
    'the arguments of attach()');
SELECT is(pg_get_function_result('align.attach'::regproc), 'bigint', 'attach() returns how many leads were there');
SELECT function_returns('align', 'detach', ARRAY['regclass'], 'void');
SELECT is((SELECT string_agg(DISTINCT provolatile::text || proparallel::text, '') FROM pg_proc WHERE oid IN ('align.attach'::regproc, 'align.detach'::regproc)), 'vu', 'both write');
SELECT is((SELECT count(*)::int FROM pg_proc WHERE pronamespace = 'align'::regnamespace AND prosecdef), 0, 'nothing is security definer');
SELECT columns_are('align', 'attachments', ARRAY['relation', 'agreement', 'mode', 'stage', 'key', 'team', 'assignee', 'actor', 'reason', 'note', 'campaign', 'amount', 'changed_at', 'history', 'sla', 'live', 'notify', 'opened_at', 'time_zone', 'rules', 'reload', 'reason_must_change', 'expressions', 'labels']);
SELECT col_type_is('align', 'attachments', 'key', 'name[]', 'the key is a list of columns');
SELECT ok(has_table_privilege('pg_monitor', 'align.attachments', 'SELECT'), 'everybody may read attachments');
SELECT function_returns('align', f, ARRAY[]::text[], 'trigger') FROM unnest('{attachment,record_row,record_statement,history_guard}'::text[]) AS f;

-- a table
SELECT align.agree('tap_attach', 'stage new, busy held by sales; won done; success path new -> busy -> done; entry new, busy;');
CREATE TABLE tap_leads (id bigint PRIMARY KEY, region varchar(20) NOT NULL, stage text, owner text, UNIQUE (region, id));
INSERT INTO tap_leads SELECT g, 'emea', CASE WHEN g > 3 THEN 'new' END FROM generate_series(1, 10) AS g;
SELECT is(align.attach('tap_leads', 'tap_attach'), 7::bigint, 'rows in a stage are leads');
SELECT is((SELECT a::text FROM align.attachments AS a WHERE relation = 'tap_leads'::regclass),
    '(tap_leads,tap_attach,enforce,stage,{id},,,,,,,,,tap_leads_history,tap_leads_sla,,f,,,{},f,f,,)', 'the defaults');
SELECT columns_are('public', 'tap_leads_history', ARRAY['id', 'entry_no', 'event', 'effective_at', 'recorded_at', 'from_stage', 'stage', 'from_team', 'team', 'assignee', 'actor', 'db_role', 'reason', 'note', 'campaign', 'amount', 'agreement', 'version', 'violation', 'source', 'branch', 'handoff', 'notified_at', 'segments']);
SELECT columns_are('public', 'tap_leads_sla', ARRAY['id', 'sla', 'cycle', 'team', 'assignee_at_start', 'assignee_at_due', 'assignee_at_stop', 'started_at', 'due_at', 'warn_at', 'paused', 'elapsed', 'stopped_at', 'outcome', 'agreement', 'version', 'warn_notified_at', 'due_notified_at']);
SELECT col_is_pk('public', 'tap_leads_history', ARRAY['id', 'entry_no'], 'entries are numbered per lead');
SELECT col_is_pk('public', 'tap_leads_sla', ARRAY['id', 'sla', 'cycle'], 'cycles are numbered per lead and service level');
SELECT is((SELECT count(*)::int FROM pg_attribute WHERE attrelid IN ('tap_leads_history'::regclass, 'tap_leads_sla'::regclass) AND attnum > 0
    AND col_description(attrelid, attnum) IS NULL), 0, 'every column has a comment');
SELECT is((SELECT count(*)::int FROM pg_trigger WHERE tgname LIKE 'align%' AND tgrelid::regclass::text LIKE 'tap_leads%' AND obj_description(oid, 'pg_trigger') IS NULL), 0, 'every trigger has a comment');
SELECT is((SELECT count(*)::int FROM pg_depend AS d JOIN pg_type AS t ON d.refclassid = 'pg_type'::regclass AND d.refobjid = t.oid
    WHERE d.objid IN ('tap_leads_history'::regclass, 'tap_leads_sla'::regclass) AND t.typnamespace = 'align'::regnamespace), 0, 'their columns are of built-in types');
SELECT bag_eq($$SELECT event, stage, from_stage, team FROM tap_leads_history$$, $$SELECT 'opening'::text AS a, 'new'::text AS b, NULL::text AS c, 'sales'::text AS d FROM generate_series(1, 7)$$, 'opening entries');

-- attaching again
SELECT is(align.attach('tap_leads', 'tap_attach', mode => 'warn', notify => true, assignee => 'owner'), 0::bigint, 'attaching again finds nothing new');
SELECT is((SELECT (mode, notify, assignee)::text FROM align.attachments WHERE relation = 'tap_leads'::regclass), '(warn,t,owner)', 'and changes how the table is attached');
SELECT throws_ok($$SELECT align.attach('tap_leads', 'tap_attach', key => '{region,id}')$$, '42P16', NULL, 'another key does not fit the history');
CREATE TABLE tap_other_sla (LIKE tap_leads_sla INCLUDING ALL);
SELECT throws_like($$SELECT align.attach('tap_leads', 'tap_attach', key => '{region,id}', history => 'tap_other')$$, 'relation public.tap_other_sla cannot be used as clock table', 'nor the clock table');
SELECT is(align.attach('tap_leads', 'tap_attach', key => '{region,id}', history => 'tap_other_history', replace => true), 7::bigint, 'so it needs another one');
SELECT columns_are('public', 'tap_other_history', ARRAY['region', 'id', 'entry_no', 'event', 'effective_at', 'recorded_at', 'from_stage', 'stage', 'from_team', 'team', 'assignee', 'actor', 'db_role', 'reason', 'note', 'campaign', 'amount', 'agreement', 'version', 'violation', 'source', 'branch', 'handoff', 'notified_at', 'segments']);
SELECT col_type_is('public', 'tap_other_history', 'region', 'character varying(20)', 'key columns have the types of the table');
SELECT is((SELECT (history, sla)::text FROM align.attachments WHERE relation = 'tap_leads'::regclass), '(tap_other_history,tap_other_history_sla)', 'the clock table is named after the history');

-- errors
SELECT throws_ok($$SELECT align.attach('tap_leads', 'tap_nothing')$$, '42704', 'agreement "tap_nothing" does not exist', 'an unknown agreement');
SELECT throws_ok($$SELECT align.attach('tap_leads', 'tap_attach', mode => 'Enforce')$$, '22023', 'unknown mode "Enforce"', 'an unknown mode');
SELECT throws_ok($$SELECT align.attach('pg_class', 'tap_attach')$$, '42809', NULL, 'a catalog');
SELECT throws_ok($$SELECT align.attach('tap_leads', 'tap_attach', stage => 'status')$$, '42703', NULL, 'an unknown column');
SELECT throws_ok($$SELECT align.attach('tap_leads', 'tap_attach', changed_at => 'owner')$$, '42804', NULL, 'a column of the wrong type');
SELECT throws_ok($$SELECT align.agree('tap_attach', 'stage busy held by sales; won done; success path busy -> done;')$$, '55006', NULL, 'a stage that leads are in stays');
SELECT throws_ok($$INSERT INTO tap_other_history SELECT * FROM tap_other_history$$, '55000', NULL, 'history is append-only');

-- leaving
SELECT throws_ok($$DROP EXTENSION align$$, '2BP01', NULL, 'the extension stays while a table is attached');
SELECT lives_ok($$SELECT align.detach('tap_leads')$$, 'detached');
SELECT is((SELECT count(*)::int FROM pg_trigger WHERE tgname LIKE 'align%' AND tgrelid::regclass::text LIKE 'tap_%'), 0, 'no trigger is left');
SELECT is((SELECT count(*)::int FROM tap_leads_history) + (SELECT count(*)::int FROM tap_other_history), 14, 'all history is');
SELECT align.attach('tap_leads', 'tap_attach');
DROP EXTENSION align CASCADE;
SELECT is((SELECT count(*)::int FROM pg_trigger WHERE tgname LIKE 'align%' AND tgrelid::regclass::text LIKE 'tap_%'), 0, 'DROP EXTENSION CASCADE drops triggers');
SELECT is((SELECT count(*)::int FROM tap_leads_history), 7, 'and nothing else');
CREATE EXTENSION align;
SELECT align.agree('tap_attach', 'stage new, busy held by sales; won done; success path new -> busy -> done; entry new, busy;');
SELECT is(align.attach('tap_leads', 'tap_attach'), 0::bigint, 'the history is taken over');
SELECT * FROM finish();
ROLLBACK;
