-- Verdicts: the SQLSTATE of each rule, by the triggers and by explain_move().
\set QUIET on
\pset format unaligned
\pset tuples_only on
\set ON_ERROR_STOP on
BEGIN;
SET LOCAL client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS pgtap;
CREATE EXTENSION IF NOT EXISTS align;
SELECT plan(36);

SELECT has_function('align', 'explain_move', ARRAY['regclass', '"any"', 'text', 'text'], 'explain_move()');
SELECT is((SELECT setting FROM pg_settings WHERE name = 'align.override'), '', 'align.override is empty unless somebody sets it');
SELECT is((SELECT context FROM pg_settings WHERE name = 'align.override'), 'superuser', 'align.override needs a superuser or a grant');

CREATE SCHEMA va;
SELECT align.agree('va', $$
    stage inquiry, mql held by marketing;
    stage sal held by sales;
    won customer;
    lost disqualified;
    success path inquiry -> mql -> sal -> customer;
    path any -> disqualified;
    handoff h: mql from marketing to sales, accept sal, reject disqualified with reason (no_budget), within 1 day;
    sal needs email, 'budget > 0';
$$);
CREATE TABLE va.leads (id uuid PRIMARY KEY, stage text, email text, budget int, reason text);
SELECT align.attach('va.leads', 'va', reason => 'reason');
CREATE FUNCTION va.lead(n int) RETURNS uuid LANGUAGE sql IMMUTABLE AS $$ SELECT lpad(n::text, 32, '0')::uuid $$;
INSERT INTO va.leads SELECT va.lead(n), 'inquiry' FROM generate_series(1, 3) n;
UPDATE va.leads SET stage = 'mql' WHERE id IN (va.lead(2), va.lead(3));

-- Each rule by its code.
PREPARE move(int, text) AS UPDATE va.leads SET stage = $2 WHERE id = va.lead($1);
SELECT throws_ok($$EXECUTE move(1, 'lost')$$, '23L01', NULL, 'unknown_stage');
SELECT throws_ok($$EXECUTE move(1, 'sal')$$, '23L02', NULL, 'illegal_move');
SELECT throws_ok($$INSERT INTO va.leads VALUES (va.lead(4), 'mql')$$, '23L03', NULL, 'not_an_entry');
SELECT throws_ok($$EXECUTE move(2, 'sal')$$, '23L04', 'lead (id)=(00000000-0000-0000-0000-000000000002) cannot enter "sal": needs email, "budget > 0"', 'missing_need');
SELECT throws_ok($$EXECUTE move(2, 'disqualified')$$, '23L05', NULL, 'missing_reason');
SELECT throws_ok($$UPDATE va.leads SET stage = 'disqualified', reason = 'bored' WHERE id = va.lead(2)$$, '23L06', NULL, 'unlisted_reason');
SELECT throws_ok($$EXECUTE move(2, NULL)$$, '23L08', NULL, 'left_funnel');
SELECT lives_ok($$UPDATE va.leads SET email = 'a@b', budget = 1, stage = 'sal' WHERE id = va.lead(2)$$, 'what is needed may come in the same statement');
SELECT lives_ok($$EXECUTE move(2, 'sal')$$, 'the same stage once more is no move');

CREATE ROLE align_va_marketing;
CREATE ROLE align_va_user;
GRANT USAGE ON SCHEMA va TO align_va_user;
GRANT SELECT, UPDATE, INSERT ON va.leads TO align_va_user;
SELECT align.assign_team('va', 'marketing', 'align_va_marketing');
SET LOCAL ROLE align_va_user;
SELECT throws_ok($$EXECUTE move(1, 'mql')$$, '23L07', NULL, 'wrong_team');
SELECT throws_ok($$SET LOCAL align.override = 'x'$$, '42501', NULL, 'the override needs a right');
SELECT results_eq($$SELECT rule, message FROM align.explain_move('va.leads', va.lead(1), 'mql')$$,
	$$VALUES ('wrong_team', 'lead (id)=(00000000-0000-0000-0000-000000000001) may not be moved from "inquiry" to "mql" by role "align_va_user"')$$,
	'explain_move() asks who is acting');
RESET ROLE;

-- explain_move() says what the triggers say, and does nothing.
SELECT results_eq($$SELECT rule FROM align.explain_move('va.leads', va.lead(1), 'sal')$$, ARRAY['illegal_move', 'missing_need'],
	'every broken rule, the gravest first');
SELECT results_eq($$SELECT allowed, rule, message, detail, hint FROM align.explain_move('va.leads', va.lead(1), 'mql')$$,
	$$VALUES (true, NULL::text, NULL::text, NULL::text, NULL::text)$$, 'one row if it is allowed');
SELECT results_eq($$SELECT rule FROM align.explain_move('va.leads', va.lead(3), 'disqualified')$$, ARRAY['missing_reason'], 'the reason of the row is none');
SELECT results_eq($$SELECT rule FROM align.explain_move('va.leads', va.lead(3), 'disqualified', 'bored')$$, ARRAY['unlisted_reason'], 'a reason may be tried');
SELECT results_eq($$SELECT allowed FROM align.explain_move('va.leads', va.lead(3), 'disqualified', reason => 'no_budget')$$, ARRAY[true], 'a listed one is good');
SELECT results_eq($$SELECT rule FROM align.explain_move('va.leads', va.lead(3), NULL)$$, ARRAY['left_funnel'], 'a null stage is leaving the funnel');
SELECT results_eq($$SELECT rule FROM align.explain_move('va.leads', va.lead(3), 'x')$$, ARRAY['unknown_stage'], 'an unknown stage');
SELECT is((SELECT stage FROM va.leads WHERE id = va.lead(3)), 'mql', 'nothing is written');
SELECT is((SELECT count(*) FROM va.leads_history), 6::bigint, 'nothing is recorded');

-- Keys in any form, and those that are none.
SELECT results_eq($$SELECT allowed FROM align.explain_move('va.leads', '00000000-0000-0000-0000-000000000001', 'mql')$$, ARRAY[true], 'a key as a literal');
SELECT results_eq($$SELECT allowed FROM align.explain_move('va.leads', '{"id": "00000000-0000-0000-0000-000000000001"}'::jsonb, 'mql')$$, ARRAY[true], 'a key as jsonb');
SELECT throws_ok($$SELECT * FROM align.explain_move('va.leads', va.lead(9), 'mql')$$, 'P0002',
	'could not find lead (id)=(00000000-0000-0000-0000-000000000009) in table va.leads', 'an unknown key');
SELECT throws_ok($$SELECT * FROM align.explain_move('va.leads', 'nine', 'mql')$$, '22P02', NULL, 'a key that its type cannot read');
SELECT throws_ok($$SELECT * FROM align.explain_move('va.leads', NULL::uuid, 'mql')$$, '22004', NULL, 'a null key');
SELECT throws_ok($$SELECT * FROM align.explain_move(NULL, 1, 'mql')$$, '22004', NULL, 'a null relation');
CREATE TABLE va.free (id int PRIMARY KEY);
SELECT throws_ok($$SELECT * FROM align.explain_move('va.free', 1, 'mql')$$, '55000', NULL, 'a table that is not attached');

-- The columns of the row as they would be: conditions may look at the stage.
CREATE TYPE va.status AS ENUM ('1', '2', 'three');
CREATE TABLE va.enums (id int PRIMARY KEY, stage va.status);
CREATE TABLE va.integers (id int PRIMARY KEY, stage smallint);
SELECT align.agree('va2', $$
    stage new, old; won customer; new known as '1'; old known as '2'; customer known as 'three', '3';
    success path new -> old -> customer;
    old needs 'stage IS NOT NULL';
$$);
SELECT align.attach('va.enums', 'va2'), align.attach('va.integers', 'va2');
INSERT INTO va.enums VALUES (1, '1');
INSERT INTO va.integers VALUES (1, 1);
SELECT results_eq($$SELECT allowed FROM align.explain_move('va.enums', 1, 'old')$$, ARRAY[true], 'a stage of an enum column by its name in the agreement');
SELECT results_eq($$SELECT allowed FROM align.explain_move('va.integers', 1, 'old')$$, ARRAY[true], 'of an integer column');
SELECT results_eq($$SELECT allowed FROM align.explain_move('va.integers', 1, '2')$$, ARRAY[true], 'or by its label');

-- The override passes, and is on record.
SET LOCAL align.override = 'because';
SELECT lives_ok($$EXECUTE move(1, 'customer')$$, 'an override');
SELECT results_eq($$SELECT event, violation, note FROM va.leads_history WHERE id = va.lead(1) AND stage = 'customer'$$,
	$$VALUES ('override', 'illegal_move', 'because')$$, 'is recorded as one, with what it broke and why');

SELECT * FROM finish();
ROLLBACK;
