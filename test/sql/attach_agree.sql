-- agree() and the tables that are attached.
\set SHOW_CONTEXT never
SET TimeZone = 'UTC';
CREATE ROLE regress_align_revops;
CREATE ROLE regress_align_crm;
CREATE SCHEMA crm AUTHORIZATION regress_align_crm;
SET ROLE regress_align_revops;
SELECT align.agree('attach_agree', $$
    stage new, busy held by sales; stage parked held by sales; won done; lost gone;
    success path new -> busy -> done; path busy -> parked -> busy; path any -> gone;
    parked known as 'on ice';
$$);
SELECT align.admit('attach_agree', 'regress_align_crm');
SET ROLE regress_align_crm;
-- Nobody but the owner may read these tables.
CREATE TABLE crm.leads (id int PRIMARY KEY, state text, budget int, dead bool DEFAULT false);
CREATE TABLE crm.deals (id int, state text, budget numeric, PRIMARY KEY (id, state)) PARTITION BY LIST (state);
CREATE TABLE crm.deals_rest PARTITION OF crm.deals DEFAULT;
ALTER TABLE crm.leads ENABLE ROW LEVEL SECURITY;
ALTER TABLE crm.leads FORCE ROW LEVEL SECURITY;
INSERT INTO crm.deals VALUES (1, 'parked', 1), (2, 'busy', 2);
RESET ROLE;
INSERT INTO crm.leads (id, state, dead) VALUES (1, 'on ice', false), (2, 'parked', false), (3, 'parked', false), (4, 'busy', false), (5, 'new', false), (6, 'gone', true);
SET ROLE regress_align_crm;
SELECT align.attach('crm.leads', 'attach_agree', stage => 'state', live => 'NOT dead');
SELECT align.attach('crm.deals', 'attach_agree', stage => 'state');
-- row-level security is forced on the owner, who sees no row of the table either
SELECT count(*) FROM crm.leads_history;
RESET ROLE;
SELECT count(*) FROM crm.leads_history;
SET ROLE regress_align_revops;
-- Needs must fit every table.
\set new '\'stage new, busy held by sales; stage parked held by sales; won done; lost gone; success path new -> busy -> done; path busy -> parked -> busy; path any -> gone; parked known as \'\'on ice\'\'; \''
SELECT align.agree('attach_agree', :new || 'done needs budget;');
SELECT align.agree('attach_agree', :new || 'done needs phone;');
SELECT align.agree('attach_agree', :new || $$done needs 'budget > 0.5';$$);
SELECT align.agree('attach_agree', :new || $$done needs 'lower(budget) = ''x''';$$);
SELECT align.agree('attach_agree', :new || $$done needs 'NOT dead';$$);
SELECT align.agree('attach_agree', :new || $$busy -> gone needs 'random() < 1';$$);
-- A stage cannot be given up while leads are in it, as label or as name.
SELECT align.agree('attach_agree', 'stage new, busy held by sales; won done; lost gone; success path new -> busy -> done; path any -> gone;');
-- The label alone.
SELECT align.agree('attach_agree', 'stage new, busy held by sales; stage parked held by sales; won done; lost gone; success path new -> busy -> done; path busy -> parked -> busy; path any -> gone;');
-- Renamed, it stays known.
SELECT align.agree('attach_agree', 'stage new, busy held by sales; stage waiting held by sales; won done; lost gone; success path new -> busy -> done; path busy -> waiting -> busy; path any -> gone; waiting known as ''on ice'', ''parked'';');
-- A stage with dead rows only may go.
SELECT align.agree('attach_agree', 'stage new, busy held by sales; stage waiting held by sales; won done; success path new -> busy -> done; path busy -> waiting -> busy; waiting known as ''on ice'', ''parked'';');
-- And with nobody left in it.
RESET ROLE;
UPDATE crm.leads SET state = 'busy' WHERE state IN ('parked', 'on ice');
UPDATE crm.deals SET state = 'busy' WHERE state = 'parked';
SET ROLE regress_align_revops;
SELECT align.agree('attach_agree', 'stage new, busy held by sales; won done; success path new -> busy -> done;');
-- Other names are not concerned, and names without tables neither.
SELECT align.agree('attach_agree_2', 'stage a; won b; success path a -> b;');
SELECT align.agree('attach_agree_2', 'stage c; won d; success path c -> d; d needs nothing_there;');
-- What is agreed for later must fit, too.
SELECT align.agree('attach_agree', 'stage new, busy held by sales; won done; success path new -> busy -> done; done needs phone;', now() + interval '1 year');
SELECT align.agree('attach_agree_3', 'stage new, busy; won done; success path new -> busy -> done;');
SELECT align.agree('attach_agree_3', 'stage new, busy; won done; success path new -> busy -> done; done needs phone;', now() + interval '1 year');
SELECT align.admit('attach_agree_3', 'regress_align_crm');
SET ROLE regress_align_crm;
SELECT align.attach('crm.leads', 'attach_agree_3', stage => 'state');
-- A version that will never take force is nobody's concern.
SET ROLE regress_align_revops;
\set VERBOSITY terse
SELECT align.agree('attach_agree_3', 'stage new, busy; won done; success path new -> busy -> done;');
SET ROLE regress_align_crm;
SELECT align.attach('crm.leads', 'attach_agree_3', stage => 'state', live => 'NOT dead', replace => true);
\set VERBOSITY default
SELECT align.detach('crm.leads');
-- Detached, a table has no say.
SET ROLE regress_align_revops;
SELECT align.agree('attach_agree_3', 'stage x; won y; success path x -> y; y needs phone;');
-- A marker that somebody made by hand, and badly, is in nobody's way.
SET ROLE regress_align_crm;
CREATE TRIGGER align_attachment AFTER UPDATE OF state ON crm.leads EXECUTE FUNCTION align.attachment('attach_agree_3', 'enforce', '', 'key+stage');
SET ROLE regress_align_revops;
SELECT align.agree('attach_agree_3', 'stage x; won z; success path x -> z; z needs phone;');
SELECT relation, agreement, mode, stage, key, live FROM align.attachments WHERE agreement LIKE 'attach_agree%' ORDER BY relation::text COLLATE "C";
RESET ROLE;
UPDATE crm.leads SET state = state;
SELECT align.detach('crm.leads');
UPDATE crm.leads SET state = state;
SET client_min_messages = error;
DROP SCHEMA crm CASCADE;
DROP ROLE regress_align_revops, regress_align_crm;
