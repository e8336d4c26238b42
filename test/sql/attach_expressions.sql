-- Roles that are expressions on the row.
SET TimeZone = 'UTC';
\set VERBOSITY default
CREATE SCHEMA exprs;
SET search_path = exprs;
SELECT align.agree('exprs', $$
    stage new, qualified held by sales; won won; lost lost;
    success path new -> qualified -> won; path any -> lost; path lost -> new; entry new, qualified;
    new known as '1'; qualified known as '2'; won known as '4';
    qualified -> lost needs reason (price, stock);
$$);

-- Lost is a flag beside the stage, 1 is nobody, reasons are numbers.
CREATE TABLE leads (id int PRIMARY KEY, stage_id int, active boolean DEFAULT true, owner_id int, reason_id int, note text, total numeric, parts int DEFAULT 1, changed timestamptz, color int);
INSERT INTO leads (id, stage_id, active, owner_id) VALUES (1, 1, true, 5), (2, 2, false, 1), (3, NULL, true, 1);
SELECT align.attach('leads', 'exprs', stage => $$CASE WHEN active THEN stage_id::text ELSE 'lost' END$$, assignee => 'nullif(owner_id, 1)',
	reason => $$CASE reason_id WHEN 7 THEN 'price' WHEN 8 THEN 'fun' END$$, note => $$note || '!'$$, amount => 'total / parts', changed_at => 'coalesce(changed, ''2026-01-01Z'')');
SELECT stage, key, assignee, reason, amount, changed_at, jsonb_pretty(expressions) FROM align.attachments WHERE agreement = 'exprs';
SELECT pg_get_triggerdef(oid) FROM pg_trigger WHERE tgrelid = 'leads'::regclass AND tgname ~ 'align_(attachment|insert|update|expressions)' ORDER BY tgname;
UPDATE leads SET color = 1;
UPDATE leads SET stage_id = 2, note = 'well', changed = '2026-02-01Z', total = 6, parts = 4 WHERE id = 1;
UPDATE leads SET active = false WHERE id = 1;
UPDATE leads SET active = false, reason_id = 8 WHERE id = 1;
UPDATE leads SET active = false, reason_id = 7 WHERE id = 1;
UPDATE leads SET owner_id = 7 WHERE id = 2;
UPDATE leads SET owner_id = 1 WHERE id = 2;
UPDATE leads SET stage_id = 17 WHERE id = 2;	-- still lost
UPDATE leads SET stage_id = 2 WHERE id = 3;
UPDATE leads SET stage_id = 1 WHERE id = 3;
UPDATE leads SET stage_id = NULL WHERE id = 3;
INSERT INTO leads (id, stage_id) VALUES (4, 17);
INSERT INTO leads (id, stage_id) VALUES (4, NULL), (5, 1);
DELETE FROM leads WHERE id IN (2, 4);
SELECT id, entry_no, event, from_stage, stage, assignee, reason, note, amount, nullif(effective_at < '2026-03-01Z', false) AS given FROM leads_history ORDER BY 1, 2;
SELECT * FROM align.check('leads');

-- explain_move() says what would be recorded.
SELECT * FROM align.explain_move('leads', 3, 'lost');
SELECT * FROM align.explain_move('leads', 3, 'lost', 'stock');
SELECT * FROM align.explain_move('leads', 1, 'new');
SELECT * FROM align.explain_move('leads', 1, 'new', 'why');

-- A new version may not forget a stage that only the expression gives.
SELECT align.agree('exprs', 'stage new, qualified; won won; new known as ''1''; qualified known as ''2''; success path new -> qualified -> won;');

-- An expression that raises fails the write in every mode.
SELECT align.attach('leads', 'exprs', mode => mode, stage => $$CASE WHEN active THEN stage_id::text ELSE 'lost' END$$, assignee => 'nullif(owner_id, 1)', amount => 'total / parts', note => 'color::smallint')
	FROM unnest('{observe,warn,enforce}'::text[]) AS mode;
UPDATE leads SET parts = 0, total = 1, stage_id = 2, active = true WHERE id = 5;
UPDATE leads SET color = 40000, stage_id = 2 WHERE id = 5;
SELECT align.attach('leads', 'exprs', mode => 'observe', stage => $$CASE WHEN active THEN (12 / stage_id)::text ELSE 'lost' END$$, assignee => '12 / owner_id');
INSERT INTO leads (id, stage_id) VALUES (6, 0);
UPDATE leads SET stage_id = 0, active = true WHERE id = 5;
UPDATE leads SET owner_id = 0 WHERE id = 5;
UPDATE leads SET color = 3 WHERE id = 5;
SELECT * FROM align.check('leads');
UPDATE leads SET stage_id = 0;
\set SHOW_CONTEXT never

-- Columns that expressions use are renamed, and are neither dropped nor retyped.
SELECT align.attach('leads', 'exprs', mode => 'observe', stage => $$CASE WHEN active THEN stage_id::text ELSE 'lost' END$$, assignee => 'nullif(owner_id, 1)');
ALTER TABLE leads DROP active;
ALTER TABLE leads ALTER owner_id TYPE bigint;
ALTER TABLE leads RENAME active TO "Is active?";
ALTER TABLE leads RENAME TO "the leads";
UPDATE "the leads" SET "Is active?" = false WHERE id = 3;
SELECT expressions FROM align.attachments WHERE agreement = 'exprs';
SELECT id, entry_no, event, stage FROM leads_history WHERE id = 3 ORDER BY 2 DESC LIMIT 1;
SELECT * FROM align.check('"the leads"');
TRUNCATE "the leads";
SELECT id, event, entry_no FROM leads_history WHERE event = 'truncated' ORDER BY 1;
SELECT * FROM align.check('"the leads"');

-- A trigger that is replaced or dropped is found: writes are refused.
BEGIN;
CREATE OR REPLACE TRIGGER align_expressions AFTER DELETE ON "the leads" FOR EACH ROW WHEN (false AND (ROW(old.note, NULLIF(old.owner_id, 1)) IS NULL)) EXECUTE FUNCTION align.attachment('stage', 'assignee');
SAVEPOINT a;
INSERT INTO "the leads" (id, stage_id) VALUES (7, 1);
ROLLBACK TO a;
SELECT * FROM align.check('"the leads"');
ROLLBACK;
BEGIN;
DROP TRIGGER align_expressions ON "the leads";
SAVEPOINT a;
INSERT INTO "the leads" (id, stage_id) VALUES (7, 1);
ROLLBACK TO a;
SELECT align.attach('"the leads"', 'exprs', stage => 'stage_id', history => 'leads_history');
INSERT INTO "the leads" (id, stage_id) VALUES (7, 1);
SELECT expressions FROM align.attachments WHERE agreement = 'exprs';
SELECT * FROM align.check('"the leads"');
ROLLBACK;
BEGIN;
CREATE TRIGGER align_other AFTER DELETE ON "the leads" FOR EACH ROW EXECUTE FUNCTION align.attachment();
SELECT problem, recorded FROM align.check('"the leads"');
ROLLBACK;
BEGIN;
ALTER TABLE "the leads" DROP "Is active?" CASCADE;
INSERT INTO "the leads" (id, stage_id) VALUES (7, 1);
ROLLBACK;
SELECT align.detach('"the leads"');
SELECT count(*) FROM pg_trigger WHERE tgrelid = 'exprs."the leads"'::regclass;

-- Partitions that number their columns otherwise; rows move between them.  The
-- default key keeps a column that the stage uses and the table is partitioned
-- by: it may distinguish leads.
CREATE TABLE parts (gone_by int, id bigint NOT NULL, stage_id int, active boolean NOT NULL, who text, PRIMARY KEY (id, active)) PARTITION BY LIST (active);
ALTER TABLE parts DROP gone_by;
CREATE TABLE parts_t PARTITION OF parts FOR VALUES IN (true);
CREATE TABLE parts_f (who text, x int, active boolean NOT NULL, stage_id int, id bigint NOT NULL);
ALTER TABLE parts_f DROP x;
ALTER TABLE parts ATTACH PARTITION parts_f FOR VALUES IN (false);
INSERT INTO parts (id, stage_id, active, who) VALUES (1, 1, true, 'ann'), (2, 2, false, '-');
CREATE TABLE regions (region text, id int, a text, b text, PRIMARY KEY (region, id)) PARTITION BY LIST (region);
CREATE TABLE regions_all PARTITION OF regions DEFAULT;
INSERT INTO regions VALUES ('eu', 1, 'new', NULL), ('us', 1, NULL, 'won');
SELECT align.attach('regions', 'exprs', stage => $$CASE region WHEN 'eu' THEN a ELSE b END$$, mode => 'warn');
SELECT * FROM align.check('regions');
SELECT region, id, entry_no, stage FROM regions_history ORDER BY 1, 2, 3;
SELECT align.detach('regions');
SELECT align.attach('parts', 'exprs', stage => $$CASE WHEN active THEN stage_id::text ELSE 'lost' END$$, key => '{id}', assignee => 'nullif(who, ''-'')', mode => 'warn');
SELECT key FROM align.attachments WHERE agreement = 'exprs';
UPDATE parts SET active = false, who = '-' WHERE id = 1;
UPDATE parts SET active = true, stage_id = 1, who = 'bob' WHERE id = 1;
UPDATE parts_f SET who = 'cyd';
INSERT INTO parts_f (id, active, stage_id) VALUES (3, false, 1);
DELETE FROM parts WHERE id = 3;
TRUNCATE parts_f;
SELECT id, entry_no, event, from_stage, stage, assignee, violation FROM parts_history ORDER BY 1, 2;
SELECT * FROM align.check('parts');
SELECT align.detach('parts');

-- Every type that an expression may have, and what equality does not see.
CREATE TYPE mood AS ENUM ('new', 'qualified', 'won');
CREATE DOMAIN word AS varchar(20) CHECK (VALUE <> '');
CREATE DOMAIN enumerated AS mood;
CREATE COLLATION nocase (provider = icu, locale = 'und-u-ks-level2', deterministic = false);
CREATE TABLE typed (id int PRIMARY KEY, t text, v varchar(20), n name, c char(9), m mood, w word, e enumerated, i2 int2, i8 int8, num numeric, j jsonb, js json, nc text COLLATE nocase, f float8, b boolean, at timestamp, day date, u uuid);
CREATE FUNCTION attach_as(role text, expression text, change text) RETURNS TABLE (entry text) LANGUAGE plpgsql AS $$
BEGIN
	INSERT INTO typed (id, t, v, n, c, m, w, e, i2, i8, num, j, js, nc, f, b, at, day, u)
		VALUES (1, 'new', 'new', 'new', 'new', 'new', 'new', 'new', 1, 1, 1.0, '{"stage": "new", "x": 1.0}', '{"stage": "new"}', 'x', 1.5, true, '2026-01-01', '2026-01-01', '6ecd8c99-4036-403d-bf84-cf8400f67836');
	EXECUTE format('SELECT align.attach(''typed'', ''exprs'', mode => ''observe'', %s%s => %L)', CASE WHEN role <> 'stage' THEN 'stage => ''t'', ' END, role, expression);
	EXECUTE format('UPDATE typed SET %s', change);
	RETURN QUERY SELECT format('%s %s', h.event, CASE role WHEN 'stage' THEN h.stage WHEN 'amount' THEN h.amount::text WHEN 'changed_at' THEN h.effective_at::text ELSE to_jsonb(h) ->> role END)
		FROM typed_history AS h ORDER BY h.entry_no;
	RETURN QUERY SELECT format('%s', d) FROM align.check('typed') AS d;
	PERFORM align.detach('typed');
	TRUNCATE typed;
	DROP TABLE typed_history, typed_sla;
EXCEPTION WHEN OTHERS THEN
	RETURN QUERY SELECT format('%s %s', SQLSTATE, SQLERRM);
END
$$;
SELECT expression, string_agg(entry, ', ') FROM (VALUES (1, $$CASE WHEN b THEN t END$$, $$t = 'qualified'$$), (2, 'coalesce(v, t)', $$v = 'qualified'$$), (3, 'coalesce(n, '''')', $$n = 'qualified'$$),
	(4, 'nullif(c, '''')', $$c = 'qualified'$$), (5, 'coalesce(m, ''won'')', $$m = 'qualified'$$), (6, $$CASE WHEN b THEN m::text ELSE 'lost' END$$, 'b = false'),
	(7, 'coalesce(w, w)', $$w = 'qualified'$$), (8, 'coalesce(e, e)', $$e = 'qualified'$$), (9, 'e::text', $$e = 'qualified'$$), (10, 'i2 + 0::smallint', 'i2 = 2'), (11, 'i8 + 1', 'i8 = 3'),
	(12, $$j ->> 'stage'$$, $$j = '{"stage": "qualified"}'$$), (13, $$js ->> 'stage'$$, $$js = '{"stage": "qualified"}'$$), (14, 'num::text', 'num = 1.00'), (15, 'nc || ''''', $$nc = 'X'$$), (16, $$j ->> 'x'$$, $$j = '{"x": 1}'$$))
	AS e (n, expression, change), attach_as('stage', expression, change) AS entry GROUP BY n, expression ORDER BY n;
SELECT role, expression, string_agg(entry, ', ') FROM (VALUES (1, 'team', 'i8 + 1', 'i8 = 7'), (2, 'assignee', 'coalesce(u, u)', 'u = NULL'), (3, 'assignee', 'coalesce(m, m)', $$m = 'won'$$), (4, 'actor', 'b AND id > 0', $$t = 'qualified'$$),
	(5, 'campaign', $$'utm_source=' || lower(t)$$, $$t = 'QUALIFIED'$$), (6, 'amount', 'i8 * 2', $$t = 'qualified'$$), (7, 'amount', 'f * 2', $$t = 'qualified'$$), (8, 'changed_at', $$at AT TIME ZONE 'UTC'$$, $$t = 'qualified', at = '2026-03-01'$$))
	AS e (n, role, expression, change), attach_as(role, expression, change) AS entry GROUP BY n, role, expression ORDER BY n;

-- What is refused, leaving nothing behind.
CREATE FUNCTION mine(text) RETURNS text LANGUAGE sql IMMUTABLE AS 'SELECT $1';
CREATE PROCEDURE refuse(arguments text) LANGUAGE plpgsql AS $$
DECLARE
	detail text;
	hint text;
BEGIN
	EXECUTE format('SELECT align.attach(''typed'', ''exprs'', %s)', arguments);
	RAISE EXCEPTION 'attached';
EXCEPTION WHEN OTHERS THEN
	GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
	RAISE INFO E'% %\n\t%\n\t%', SQLSTATE, SQLERRM, detail, hint;
END
$$;
CALL refuse($$stage => 'stade'$$);
CALL refuse($$stage => '"T"'$$);
CALL refuse($$stage => 'coalesce(stade, t)'$$);
CALL refuse($$stage => '''new'''$$);
CALL refuse($$stage => 'T', assignee => 'ctid'$$);
CALL refuse($$stage => 't', assignee => 'coalesce(ctid::text, t)'$$);
CALL refuse($$stage => 'mine(t)'$$);
CALL refuse($$stage => 'exprs.mine(t)'$$);
CALL refuse($$stage => 'lower(t || now())'$$);
CALL refuse($$stage => 'upper(current_user || t)'$$);
CALL refuse($$stage => 't::exprs.word'$$);
CALL refuse($$stage => '(SELECT t)'$$);
CALL refuse($$stage => 'max(t)'$$);
CALL refuse($$stage => 't; DROP TABLE typed'$$);
CALL refuse($$stage => 't || '$$);
CALL refuse($$stage => ''$$);
CALL refuse($$stage => 'at IS NULL'$$);
CALL refuse($$stage => 'num + 1'$$);
CALL refuse($$stage => 't', amount => 't || '''''$$);
CALL refuse($$stage => 't', amount => 'num::text::money'$$);
CALL refuse($$stage => 't', changed_at => 'i8 + 1'$$);
CALL refuse($$stage => 't', changed_at => 'at AT TIME ZONE current_setting(''TimeZone'')'$$);
CALL refuse($$stage => 't', note => 'ROW(t, v)'$$);
CALL refuse($$stage => 't', note => 'day + 1'$$);
CALL refuse($$stage => 't', note => 'ARRAY[t, v]'$$);
SELECT count(*) FROM pg_trigger WHERE tgrelid = 'typed'::regclass;
SELECT to_regclass('typed_history');

-- Values in messages are those of columns that the user may read: all that the
-- expression uses.
CREATE ROLE regress_align_expr_reader;
CREATE TABLE private (id int PRIMARY KEY, stage_id int, active boolean DEFAULT true, reason text);
INSERT INTO private VALUES (1, 1), (2, 2);
SELECT align.attach('private', 'exprs', stage => $$CASE WHEN active THEN stage_id::text ELSE 'lost' END$$, reason => 'lower(reason)');
GRANT USAGE ON SCHEMA exprs TO regress_align_expr_reader;
GRANT UPDATE, SELECT (id, stage_id) ON private TO regress_align_expr_reader;
SET ROLE regress_align_expr_reader;
UPDATE private SET stage_id = 4;
UPDATE private SET active = false, reason = 'Fun' WHERE id = 2;
SELECT * FROM align.check('private');
RESET ROLE;
GRANT SELECT (active, reason) ON private TO regress_align_expr_reader;
SET ROLE regress_align_expr_reader;
UPDATE private SET stage_id = 4;
UPDATE private SET active = false, reason = 'Fun' WHERE id = 2;
RESET ROLE;
