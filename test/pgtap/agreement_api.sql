-- The public face of agreements by name and of backtest.
\set QUIET on
\pset format unaligned
\pset tuples_only on
\set ON_ERROR_STOP on
BEGIN;
SET LOCAL client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS pgtap;
CREATE EXTENSION IF NOT EXISTS align;
SELECT plan(63);

-- the table
SELECT has_table('align', 'agreement', 'agreement is a table');
SELECT columns_are('align', 'agreement', ARRAY['name', 'version', 'valid_from', 'funnel', 'document', 'owner', 'agreed_by', 'note']);
SELECT col_type_is('align', 'agreement', 'owner', 'name', 'owner is the name of a role');
SELECT col_type_is('align', 'agreement', 'valid_from', 'timestamp with time zone', 'valid_from is an instant');
SELECT col_is_pk('align', 'agreement', ARRAY['name', 'version'], 'a version of a name stands once');
SELECT columns_are('align', 'team', ARRAY['agreement', 'team', 'role']);
SELECT col_type_is('align', 'team', 'role', 'name', 'and so is that of a team');
SELECT columns_are('align', 'admission', ARRAY['agreement', 'role', 'dismissed_after']);
SELECT col_is_pk('align', 'admission', ARRAY['agreement', 'role'], 'a role is admitted once');
SELECT col_type_is('align', 'admission', 'role', 'name', 'by its name');
SELECT col_is_pk('align', 'team', ARRAY['agreement', 'team'], 'a team has one role');
SELECT columns_are('align', 'agreements', ARRAY['name', 'version', 'valid_from', 'valid_to', 'in_force', 'owner', 'agreed_by', 'note', 'funnel', 'document', 'owner_name']);
SELECT col_type_is('align', 'agreements', 'owner', 'regrole', 'the view resolves the owner');
SELECT columns_are('align', 'teams', ARRAY['agreement', 'team', 'role', 'role_name']);
SELECT col_type_is('align', 'teams', 'role', 'regrole', 'and the role of a team');
SELECT columns_are('align', 'admissions', ARRAY['agreement', 'role', 'role_name']);
SELECT ok(has_table_privilege('pg_monitor', 'align.admissions', 'SELECT') AND NOT has_table_privilege('pg_monitor', 'align.admissions', 'INSERT,UPDATE,DELETE'), 'everybody sees who is admitted');
SELECT set_eq(
    $$SELECT c::regclass::text FROM pg_extension, unnest(extconfig) AS c WHERE extname = 'align'$$,
    ARRAY['align.agreement', 'align.team', 'align.admission'], 'the tables are dumped');
SELECT ok(NOT has_any_column_privilege('pg_monitor', 'align.agreement', 'SELECT,INSERT,UPDATE,REFERENCES')
    AND NOT has_table_privilege('pg_monitor', 'align.agreement', 'SELECT,INSERT,UPDATE,DELETE,TRUNCATE,REFERENCES,TRIGGER'), 'nobody has rights on agreement');
SELECT ok(NOT has_any_column_privilege('pg_monitor', 'align.team', 'SELECT,INSERT,UPDATE,REFERENCES')
    AND NOT has_table_privilege('pg_monitor', 'align.team', 'SELECT,INSERT,UPDATE,DELETE,TRUNCATE,REFERENCES,TRIGGER'), 'nor on team');
SELECT ok(NOT has_any_column_privilege('pg_monitor', 'align.admission', 'SELECT,INSERT,UPDATE,REFERENCES')
    AND NOT has_table_privilege('pg_monitor', 'align.admission', 'SELECT,INSERT,UPDATE,DELETE,TRUNCATE,REFERENCES,TRIGGER'), 'nor on admission');
SELECT is((SELECT count(*)::int FROM pg_trigger WHERE tgrelid IN ('align.team'::regclass, 'align.admission'::regclass) AND tgenabled = 'A' AND NOT tgisinternal), 2, 'the triggers of both fire always');
SELECT is((SELECT count(*)::int FROM pg_trigger WHERE tgrelid = 'align.agreement'::regclass AND tgenabled = 'A' AND NOT tgisinternal), 3, 'its triggers fire always');

-- the functions
SELECT function_returns('align', 'admit', ARRAY['text', 'regrole'], 'void');
SELECT function_returns('align', 'dismiss', ARRAY['text', 'text'], 'void');
SELECT function_returns('align', 'agree', ARRAY['text', 'text', 'timestamp with time zone', 'text'], 'integer');
SELECT function_returns('align', 'agree', ARRAY['text', 'align.funnel', 'timestamp with time zone', 'text'], 'integer');
SELECT function_returns('align', 'agreed', ARRAY['text'], 'align.funnel');
SELECT function_returns('align', 'agreed', ARRAY['text', 'timestamp with time zone'], 'align.funnel');
SELECT volatility_is('align', 'agreed', ARRAY['text'], 'stable', 'agreed() is stable');
SELECT volatility_is('align', 'agreed', ARRAY['text', 'timestamp with time zone'], 'stable', 'agreed() at an instant is stable');
SELECT volatility_is('align', 'agree', ARRAY['text', 'text', 'timestamp with time zone', 'text'], 'volatile', 'agree() is volatile');
SELECT is((SELECT string_agg(DISTINCT proparallel::text, '') FROM pg_proc WHERE pronamespace = 'align'::regnamespace AND proname = 'agreed'), 's', 'agreed() is parallel safe');
SELECT is((SELECT string_agg(DISTINCT proparallel::text, '') FROM pg_proc WHERE pronamespace = 'align'::regnamespace AND proname IN ('agree', 'backtest', 'assign_team', 'set_agreement_owner', 'admit', 'dismiss')), 'u', 'what writes or runs a query is not');
SELECT is((SELECT count(*)::int FROM pg_proc WHERE pronamespace = 'align'::regnamespace AND proname IN ('agree', 'agreed', 'backtest', 'assign_team', 'set_agreement_owner', 'admit', 'dismiss') AND prosecdef), 0, 'none lends its owner''s rights to its caller');
SELECT is(pg_get_function_result('align.backtest(text, align.funnel)'::regprocedure),
    'TABLE(rule text, from_stage text, stage text, leads bigint, entries bigint, share double precision, examples text[])', 'backtest() names its columns');

-- agreeing
SELECT is(align.agree('tap_a', 'stage one; won deal; success path one -> deal; -- note'), 1, 'the first version is 1');
SELECT is(align.agree('tap_a', 'stage two; won deal; success path two -> deal;', now() + interval '1 day', 'soon'), 2, 'the next is 2');
SELECT is(align.agree('tap_b', align.agreed('tap_a')), 1, 'another name begins at 1');
SELECT is(align.agreed('tap_a')::text, align.agreed('tap_b')::text, 'what was agreed is what is read');
SELECT is((SELECT document FROM align.agreements WHERE name = 'tap_a' AND version = 1), 'stage one; won deal; success path one -> deal; -- note', 'the document is kept as written');
SELECT is((SELECT valid_from FROM align.agreements WHERE name = 'tap_a' AND version = 1), now(), 'valid_from is now');
SELECT is((SELECT valid_to FROM align.agreements WHERE name = 'tap_a' AND version = 1), now() + interval '1 day', 'until the next version');
SELECT is((SELECT version FROM align.agreements WHERE name = 'tap_a' AND in_force), 1, 'the version in force');
SELECT is(align.agreed('tap_a', now() + interval '1 day')::text, (SELECT funnel::text FROM align.agreements WHERE name = 'tap_a' AND version = 2), 'the version in force tomorrow');
SELECT throws_ok($$SELECT align.agreed('tap_nowhere')$$, '42704', 'agreement "tap_nowhere" does not exist', 'an unknown name');
SELECT throws_ok($$SELECT align.agreed('tap_a', now() - interval '1 second')$$, '55000', NULL, 'before the first version');
SELECT throws_ok($$SELECT align.agree('tap_a', 'stage one; won deal; success path one -> deal;', now() - interval '1 second')$$, '22023', 'an agreement cannot be backdated', 'backdated');
SELECT throws_ok($$SELECT align.agree('tap_a', 'nonsense')$$, '22P02', NULL, 'a document that is none');
SELECT throws_ok($$SELECT align.agree(NULL, 'stage one; won deal; success path one -> deal;')$$, '22004', NULL, 'no name');
SELECT lives_ok($$SELECT align.admit('tap_a', 'pg_monitor')$$, 'a role is admitted');
SELECT results_eq($$SELECT role, role_name FROM align.admissions WHERE agreement = 'tap_a'$$, $$VALUES ('pg_monitor'::regrole, 'pg_monitor'::name)$$, 'and shown');
SELECT lives_ok($$SELECT align.dismiss('tap_a', 'pg_monitor')$$, 'and dismissed');
SELECT is_empty($$SELECT FROM align.admissions WHERE agreement = 'tap_a'$$, 'and shown no more');
SELECT throws_ok($$SELECT align.dismiss('tap_a', 'pg_monitor')$$, '42704', 'role "pg_monitor" is not admitted to agreement "tap_a"', 'once');
SELECT throws_ok($$SELECT align.admit('tap_nowhere', 'pg_monitor')$$, '42704', 'agreement "tap_nowhere" does not exist', 'to an agreement that exists');
SELECT throws_ok($$SELECT align.admit('tap_a', NULL)$$, '22004', 'role must not be null', 'a role');
SELECT throws_ok($$SELECT align.dismiss('tap_a', 'a.b')$$, '42602', 'invalid role name: "a.b"', 'by its name');
SELECT throws_ok($$DELETE FROM align.agreement$$, '55000', 'versions of an agreement cannot be deleted', 'versions stay');
SELECT throws_ok($$UPDATE align.agreement SET note = 'x'$$, '55000', 'versions of an agreement cannot be changed', 'as they are');
SELECT throws_ok($$TRUNCATE align.agreement$$, '55000', NULL, 'also against TRUNCATE');

-- backtest
SELECT results_eq(
    $$SELECT rule, from_stage, stage, leads, entries, share, examples
      FROM align.backtest('VALUES (1, now(), ''one''), (2, now(), ''two'')', align.agreed('tap_a'))$$,
    $$VALUES ('unknown_stage', NULL, 'two', 1::bigint, 1::bigint, 0.5::float8, '{2}'::text[])$$, 'what an agreement would have refused');
SELECT throws_ok($$SELECT align.backtest('SELECT setval(''x'', 1), now(), ''one''', NULL)$$, '22004', NULL, 'no agreement to test');

SELECT * FROM finish();
ROLLBACK;
