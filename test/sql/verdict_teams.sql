-- Who may move a lead: teams tied to roles.
\a
CREATE ROLE regress_vt_marketing;
CREATE ROLE regress_vt_sales;
CREATE ROLE regress_vt_sub_sales IN ROLE regress_vt_sales;
CREATE ROLE regress_vt_amy IN ROLE regress_vt_marketing;
CREATE ROLE regress_vt_sam NOINHERIT IN ROLE regress_vt_sub_sales;
CREATE ROLE regress_vt_eve;
CREATE ROLE regress_vt_root SUPERUSER;
CREATE SCHEMA vt;
GRANT USAGE ON SCHEMA vt TO PUBLIC;
SELECT align.agree('vteams', $$
    stage inquiry, mql, contacted held by marketing;
    stage sal, sql held by sales;
    stage nurture held by marketing;
    stage parked, waiting;
    won customer;
    lost disqualified;
    success path inquiry -> mql -> sal -> sql -> customer;
    path mql -> contacted -> sal;
    path mql, sal, sql -> nurture -> mql;
    path sql -> parked -> waiting -> sql;
    path any -> disqualified;
    handoff speed_to_lead: mql from marketing to sales, accept sal, reject nurture, within 4 hours;
$$);
CREATE TABLE vt.leads (id int PRIMARY KEY, stage text, team text, reason text DEFAULT 'why not');
SELECT align.attach('vt.leads', 'vteams', team => 'team', reason => 'reason');
GRANT SELECT, INSERT, UPDATE ON vt.leads TO PUBLIC;

-- Each role tries each move: who may?
CREATE FUNCTION vt.who_may(VARIADIC stages text[]) RETURNS TABLE (from_stage text, stage text, may text) LANGUAGE plpgsql AS $$
DECLARE
	who text;
	verdict record;
BEGIN
	FOR i IN 1 .. cardinality(stages) / 2 LOOP
		from_stage := stages[2 * i - 1];
		stage := stages[2 * i];
		may := '';
		PERFORM set_config('align.override', 'test', true);
		DELETE FROM vt.leads;
		INSERT INTO vt.leads VALUES (1, from_stage);
		PERFORM set_config('align.override', '', true);
		FOREACH who IN ARRAY '{amy,sam,sub_sales,eve,root}'::text[] LOOP
			EXECUTE 'SET LOCAL ROLE regress_vt_' || who;
			SELECT * INTO verdict FROM align.explain_move('vt.leads', 1, stage, (SELECT reason FROM vt.leads));
			IF verdict.allowed THEN
				may := may || ' ' || who;
			ELSIF verdict.rule <> 'wrong_team' THEN
				may := may || ' ' || verdict.rule;
			END IF;
			-- the trigger says the same
			BEGIN
				UPDATE vt.leads SET stage = who_may.stage, reason = reason WHERE id = 1;
				IF NOT verdict.allowed THEN RAISE 'explain_move() and the trigger disagree'; END IF;
				RAISE SQLSTATE 'XXXXX';
			EXCEPTION WHEN SQLSTATE '23L07' THEN
				IF verdict.allowed THEN RAISE 'explain_move() and the trigger disagree'; END IF;
			WHEN SQLSTATE 'XXXXX' THEN NULL;
			END;
			RESET ROLE;
		END LOOP;
		RETURN NEXT;
	END LOOP;
END $$;
CREATE FUNCTION vt.who_may_all() RETURNS TABLE (from_stage text, stage text, may text) LANGUAGE sql AS $$
SELECT * FROM vt.who_may('inquiry', 'mql', 'mql', 'sal', 'mql', 'nurture', 'mql', 'contacted', 'contacted', 'sal', 'sal', 'sql', 'sql', 'nurture',
						 'sql', 'parked', 'parked', 'waiting', 'waiting', 'sql', 'sql', 'customer', 'mql', 'disqualified') $$;

-- Nobody is tied: everybody may.
SELECT * FROM vt.who_may_all();
-- One is: moves that concern the other team, or that it may answer, are open.
SELECT align.assign_team('vteams', 'marketing', 'regress_vt_marketing');
SELECT * FROM vt.who_may_all();
-- Both are.
SELECT align.assign_team('vteams', 'sales', 'regress_vt_sales');
SELECT * FROM vt.who_may_all();

-- Words, and that changes of members and teams are seen at once.
TRUNCATE vt.leads;
INSERT INTO vt.leads VALUES (1, 'inquiry');
SET ROLE regress_vt_eve;
UPDATE vt.leads SET stage = 'mql';
SELECT rule, message, detail, hint FROM align.explain_move('vt.leads', 1, 'customer');
-- the team column is no evidence
UPDATE vt.leads SET stage = 'mql', team = 'marketing';
RESET ROLE;
GRANT regress_vt_marketing TO regress_vt_eve;
SET ROLE regress_vt_eve;
UPDATE vt.leads SET stage = 'mql';
UPDATE vt.leads SET stage = 'sal';
UPDATE vt.leads SET stage = 'sql';
RESET ROLE;
REVOKE regress_vt_marketing FROM regress_vt_eve;
BEGIN;
SELECT align.assign_team('vteams', 'sales', 'regress_vt_eve');
SET LOCAL ROLE regress_vt_eve;
UPDATE vt.leads SET stage = 'sql';
ROLLBACK;
SET ROLE regress_vt_eve;
UPDATE vt.leads SET stage = 'sql';
-- entries are not checked
INSERT INTO vt.leads VALUES (2, 'inquiry');
RESET ROLE;

-- Security definer: the owner of the function or who calls it.
CREATE FUNCTION vt.move_it(to_stage text) RETURNS void SECURITY DEFINER LANGUAGE sql AS $$ UPDATE vt.leads SET stage = to_stage WHERE id = 1 $$;
CREATE SCHEMA vt_amy AUTHORIZATION regress_vt_amy;
ALTER FUNCTION vt.move_it OWNER TO regress_vt_amy;
SET ROLE regress_vt_eve;
SELECT vt.move_it('sql');
SET ROLE regress_vt_sam;
SELECT vt.move_it('sql');
RESET ROLE;
ALTER FUNCTION vt.move_it OWNER TO regress_vt_sam;
SET ROLE regress_vt_eve;
SELECT vt.move_it('parked');
SELECT vt.move_it('waiting');
RESET ROLE;
-- a cascade, which some majors judge as the owner of the table, others as who began it
CREATE TABLE vt.stages (stage text PRIMARY KEY);
INSERT INTO vt.stages VALUES ('inquiry'), ('waiting');
ALTER TABLE vt.leads ADD FOREIGN KEY (stage) REFERENCES vt.stages ON UPDATE CASCADE;
GRANT ALL ON vt.stages TO PUBLIC;
CREATE ROLE regress_vt_owner;
GRANT USAGE, CREATE ON SCHEMA vt TO regress_vt_owner;
ALTER TABLE vt.leads OWNER TO regress_vt_owner;
ALTER TABLE vt.leads_history OWNER TO regress_vt_owner;
ALTER TABLE vt.leads_sla OWNER TO regress_vt_owner;
SET ROLE regress_vt_eve;
UPDATE vt.stages SET stage = 'sql' WHERE stage = 'waiting';
SET ROLE regress_vt_sam;
UPDATE vt.stages SET stage = 'sql' WHERE stage = 'waiting';
RESET ROLE;

-- A role that is gone has no members: its team is not everybody, but nobody.
REVOKE regress_vt_sales FROM regress_vt_sub_sales;
DROP ROLE regress_vt_sales;
ALTER TABLE vt.leads DROP CONSTRAINT leads_stage_fkey;
SET ROLE regress_vt_eve;
UPDATE vt.leads SET stage = 'customer' WHERE id = 1;
RESET ROLE;

SELECT id, stage, db_role, violation FROM vt.leads_history WHERE id = 1 ORDER BY entry_no DESC LIMIT 8;
SET client_min_messages = warning;
SELECT align.team_announce();
DROP SCHEMA vt, vt_amy CASCADE;
DROP OWNED BY regress_vt_amy, regress_vt_sam, regress_vt_eve, regress_vt_root;
DROP ROLE regress_vt_amy, regress_vt_sam, regress_vt_eve, regress_vt_root, regress_vt_sub_sales, regress_vt_marketing, regress_vt_owner;
