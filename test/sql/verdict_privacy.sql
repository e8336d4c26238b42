-- What a message tells of a row, and whom; and align.override.
\a
CREATE ROLE regress_vp_writer;
CREATE ROLE regress_vp_reader;
CREATE ROLE regress_vp_columns;
CREATE ROLE regress_vp_sales;
CREATE ROLE regress_vp_granted;
CREATE SCHEMA vp;
GRANT USAGE ON SCHEMA vp TO PUBLIC;
SELECT align.agree('vpriv', $$
    stage inquiry, mql held by marketing;
    stage sal held by sales;
    won customer;
    lost disqualified;
    success path inquiry -> mql -> sal -> customer;
    path any -> disqualified;
    sal needs budget, 'budget > 5';
    inquiry -> disqualified needs reason (early);
$$);
SELECT align.assign_team('vpriv', 'marketing', 'regress_vp_sales'), align.assign_team('vpriv', 'sales', 'regress_vp_sales');
CREATE TABLE vp.leads (id int, region text, stage text, budget int, secret_reason text, PRIMARY KEY (region, id)) PARTITION BY LIST (region);
CREATE TABLE vp.eu (budget int, secret_reason text, stage text, region text NOT NULL, id int NOT NULL);
ALTER TABLE vp.leads ATTACH PARTITION vp.eu FOR VALUES IN ('eu');
SELECT align.attach('vp.leads', 'vpriv', key => '{id}', reason => 'secret_reason');
INSERT INTO vp.leads VALUES (4711, 'eu', 'inquiry', 1, NULL);
-- a reason that is not given by those who must not see it
CREATE FUNCTION vp.because() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN new.secret_reason := 'hush'; RETURN new; END $$;
CREATE TRIGGER because BEFORE UPDATE ON vp.leads FOR EACH ROW EXECUTE FUNCTION vp.because();
GRANT UPDATE, INSERT ON vp.leads, vp.eu TO PUBLIC;
GRANT SELECT ON vp.leads TO regress_vp_reader, regress_vp_granted;
GRANT SELECT (id, region, stage) ON vp.leads TO regress_vp_columns;

-- Every rule as somebody sees it, by way of the table and of the partition;
-- enforce_as says what came, and whether it told what it should not.
CREATE FUNCTION vp.sees(who text, via text DEFAULT 'vp.leads') RETURNS TABLE (said text) LANGUAGE plpgsql AS $$
DECLARE
	command text;
	message text;
	detail text;
	hint text;
BEGIN
	FOREACH command IN ARRAY ARRAY[
		'SET stage = ''customer''', 'SET stage = ''elsewhere''', 'SET stage = ''disqualified''', 'SET stage = NULL', 'SET stage = ''mql''',
		'SET stage = ''sal''' ] LOOP
		BEGIN
			EXECUTE 'SET LOCAL ROLE regress_vp_' || who;
			EXECUTE format('UPDATE %s %s', via, command);
			RAISE 'not refused';
		EXCEPTION WHEN OTHERS THEN
			GET STACKED DIAGNOSTICS message = MESSAGE_TEXT, detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
			said := concat_ws(' / ', SQLSTATE || ' ' || message, detail, nullif(hint, ''));
			RETURN NEXT;
		END;
	END LOOP;
END $$;
\t
-- may read the table
SELECT * FROM vp.sees('reader');
-- may read the key and the stage, but not the reason
SELECT * FROM vp.sees('columns');
-- may write only
SELECT * FROM vp.sees('writer');
-- the partition is open to a reader of it, also when he writes there
SELECT * FROM vp.sees('writer', 'vp.eu') LIMIT 1;
GRANT SELECT ON vp.eu TO regress_vp_writer;
SELECT * FROM vp.sees('writer', 'vp.eu') LIMIT 1;
-- row-level security: nobody it applies to is shown anything; owners and superusers are
REVOKE SELECT ON vp.eu FROM regress_vp_writer;
ALTER TABLE vp.leads ENABLE ROW LEVEL SECURITY;
CREATE POLICY all_rows ON vp.leads USING (true);
SELECT * FROM vp.sees('reader');
\t
UPDATE vp.leads SET stage = 'customer';
SET ROLE regress_vp_reader;
SELECT rule, message, detail, hint FROM align.explain_move('vp.leads', 4711, 'customer');
RESET ROLE;
ALTER POLICY all_rows ON vp.leads USING (budget > 1);
SET ROLE regress_vp_reader;
-- a row that he may not see is not there
SELECT * FROM align.explain_move('vp.leads', 4711, 'customer');
RESET ROLE;
ALTER TABLE vp.leads DISABLE ROW LEVEL SECURITY;
-- rights of explain_move are those of its caller
SET ROLE regress_vp_columns;
SELECT * FROM align.explain_move('vp.leads', 4711, 'customer');
SET ROLE regress_vp_writer;
SELECT * FROM align.explain_move('vp.leads', 4711, 'customer');
RESET ROLE;

-- align.override: superusers and those who were granted it.
SELECT align.assign_team('vpriv', 'marketing', NULL), align.assign_team('vpriv', 'sales', NULL);
SET ROLE regress_vp_granted;
SET align.override = 'I want to';
RESET ROLE;
GRANT SET ON PARAMETER align.override TO regress_vp_granted;
SET ROLE regress_vp_granted;
BEGIN;
SET LOCAL align.override = 'the board says so';
SELECT allowed, rule FROM align.explain_move('vp.leads', 4711, 'sal');
UPDATE vp.leads SET stage = 'sal';
UPDATE vp.leads SET stage = 'customer';
COMMIT;
UPDATE vp.leads SET stage = 'mql';
SET align.override = '';
UPDATE vp.leads SET stage = 'mql';
RESET ROLE;
SET align.nosuch = 1;
SELECT entry_no, event, from_stage, stage, violation, note, db_role FROM vp.leads_history ORDER BY 1;
-- somebody who sets it before the library is there does not get away with it
\c -
SET ROLE regress_vp_writer;
SET align.override = 'sneaky';
SHOW align.override;
UPDATE vp.eu SET stage = 'mql';
RESET ROLE;
\c -
SET ROLE regress_vp_granted;
-- set in a transaction that is over, before the library is there
SET align.override = 'granted';
UPDATE vp.leads SET stage = 'mql';
-- and with another value in this transaction
\c -
SET ROLE regress_vp_granted;
SET align.override = 'earlier';
BEGIN;
SET LOCAL align.override = 'granted';
SAVEPOINT s;
SET LOCAL align.override = 'granted, too';
UPDATE vp.leads SET stage = 'mql';
ROLLBACK TO s;
UPDATE vp.leads SET stage = 'mql';
COMMIT;
SHOW align.override;
UPDATE vp.leads SET stage = 'customer';
RESET ROLE;
SELECT event, stage, violation, note FROM vp.leads_history ORDER BY entry_no DESC LIMIT 1;

SET client_min_messages = warning;
DROP SCHEMA vp CASCADE;
REVOKE SET ON PARAMETER align.override FROM regress_vp_granted;
DROP ROLE regress_vp_writer, regress_vp_reader, regress_vp_columns, regress_vp_sales, regress_vp_granted;
