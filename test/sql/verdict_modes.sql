-- Modes of single rules.
\set VERBOSITY sqlstate
CREATE SCHEMA verdict_modes;
SET search_path = verdict_modes;
SELECT align.agree('verdict_modes', $$
    stage inquiry, mql held by marketing;
    stage sal held by sales;
    won customer;
    lost disqualified;
    success path inquiry -> mql -> sal -> customer;
    path any -> disqualified;
    disqualified needs reason (price, competitor);
    sal needs email;
$$);
CREATE TABLE leads (id int PRIMARY KEY, stage text, why text, email text);
INSERT INTO leads SELECT i, 'inquiry' FROM generate_series(1, 8) AS i;
INSERT INTO leads VALUES (9, 'hot');
\set VERBOSITY default
-- refused
SELECT align.attach('leads', 'verdict_modes', rules => '["unknown_stage"]');
SELECT align.attach('leads', 'verdict_modes', rules => '"warn"');
SELECT align.attach('leads', 'verdict_modes', rules => 'null');
SELECT align.attach('leads', 'verdict_modes', rules => '{"unknwon_stage": "warn"}');
SELECT align.attach('leads', 'verdict_modes', rules => '{"none": "warn"}');
SELECT align.attach('leads', 'verdict_modes', rules => '{"": "warn"}');
SELECT align.attach('leads', 'verdict_modes', rules => '{"Unknown_Stage": "warn"}');
SELECT align.attach('leads', 'verdict_modes', rules => '{"unknown_stage": "off"}');
SELECT align.attach('leads', 'verdict_modes', rules => '{"unknown_stage": "warn", "illegal_move": null}');
SELECT align.attach('leads', 'verdict_modes', rules => '{"unknown_stage": ["warn"]}');
SELECT align.attach('leads', 'verdict_modes', rules => '{"unknown_stage": {"mode": "warn"}}');
SELECT align.attach('leads', 'verdict_modes', rules => '{"illegal_move": "warn"}');
SELECT count(*) FROM align.attachments WHERE relation = 'leads'::regclass;
-- no rule differs
SELECT align.attach('leads', 'verdict_modes', reason => 'why', mode => 'observe', rules => '{}');
SELECT mode, rules FROM align.attachments WHERE relation = 'leads'::regclass;
SELECT align.detach('leads');
DROP TABLE leads_history, leads_sla;
-- a label that is unknown does not prevent attaching
SELECT align.attach('leads', 'verdict_modes', reason => 'why',
    rules => '{"unknown_stage": "warn", "missing_need": "observe", "left_funnel": "enforce", "missing_reason": "warn"}');
SELECT mode, rules FROM align.attachments WHERE relation = 'leads'::regclass;
SELECT tgname, encode(tgargs, 'escape') LIKE '%unknown\_stage=warn missing\_need=observe missing\_reason=warn left\_funnel=enforce%' AS has_rules
FROM pg_trigger WHERE tgrelid IN ('leads'::regclass, 'leads_history'::regclass, 'leads_sla'::regclass) AND tgfoid = 'align.attachment'::regproc ORDER BY tgrelid;
UPDATE leads SET stage = 'cold' WHERE id = 1;
UPDATE leads SET stage = 'mql' WHERE id = 2;
UPDATE leads SET stage = 'sal' WHERE id = 2;
UPDATE leads SET stage = 'disqualified' WHERE id = 2;
-- enforced rules refuse, whatever else is broken
UPDATE leads SET stage = 'sal' WHERE id = 3;
UPDATE leads SET stage = 'disqualified', why = 'weather' WHERE id = 3;
UPDATE leads SET stage = NULL WHERE id = 3;
INSERT INTO leads VALUES (10, 'sal');
SELECT id, entry_no AS no, event, from_stage, stage, violation FROM leads_history WHERE id IN (1, 2, 3, 9) ORDER BY id, entry_no;
SELECT * FROM align.check('leads');
-- a graver rule in mode warn, another is enforced
SELECT align.attach('leads', 'verdict_modes', reason => 'why', mode => 'warn', rules => '{"missing_need": "enforce"}');
UPDATE leads SET stage = 'sal' WHERE id = 4;
UPDATE leads SET stage = 'sal', email = 'a@b' WHERE id = 4;
-- of two rules one is a warning and one is silent
SELECT align.attach('leads', 'verdict_modes', reason => 'why', mode => 'warn', rules => '{"illegal_move": "observe"}');
UPDATE leads SET stage = 'sal' WHERE id = 5;
SELECT id, entry_no AS no, event, from_stage, stage, violation FROM leads_history WHERE id IN (4, 5) ORDER BY id, entry_no;
-- attaching again without the argument ends it
SELECT align.attach('leads', 'verdict_modes', reason => 'why', mode => 'observe');
SELECT mode, rules FROM align.attachments WHERE relation = 'leads'::regclass;
-- a single rule may be enforced
SELECT align.attach('leads', 'verdict_modes', reason => 'why', mode => 'observe', rules => '{"not_an_entry": "enforce"}');
UPDATE leads SET stage = 'customer' WHERE id = 6;
INSERT INTO leads VALUES (11, 'customer');
SELECT * FROM align.check('leads');
-- the fields of the error, and PL/pgSQL's name of the class's first code
DELETE FROM leads WHERE id IN (1, 9);
CREATE FUNCTION fields(statement text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE s text; c text; t text; co text; sch text;
BEGIN
    EXECUTE statement;
    RETURN 'passed';
EXCEPTION WHEN integrity_constraint_violation THEN
    GET STACKED DIAGNOSTICS s = RETURNED_SQLSTATE, c = CONSTRAINT_NAME, t = TABLE_NAME, co = COLUMN_NAME, sch = SCHEMA_NAME;
    RETURN concat_ws(' ', s, c, sch, t, co);
END $$;
SELECT align.attach('leads', 'verdict_modes', reason => 'why');

SELECT fields(q) FROM (VALUES
    ('UPDATE leads SET stage = ''sold'' WHERE id = 7'),
    ('UPDATE leads SET stage = ''customer'' WHERE id = 7'),
    ('INSERT INTO leads VALUES (12, ''customer'')'),
    ('UPDATE leads SET stage = ''mql'' WHERE id = 8'),
    ('UPDATE leads SET stage = ''sal'' WHERE id = 8'),
    ('UPDATE leads SET stage = ''disqualified'' WHERE id = 7'),
    ('UPDATE leads SET stage = ''disqualified'', why = ''weather'' WHERE id = 7'),
    ('UPDATE leads SET stage = NULL WHERE id = 7'),
    ('SELECT align.advance(NULL, ''stage a; won b; success path a -> b;'', ''b'', now(), NULL, NULL)')) AS v (q);
DROP SCHEMA verdict_modes CASCADE;
