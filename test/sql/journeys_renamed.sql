-- Renamed stages: "known as" carries a stage from version to version, for clocks, journeys
-- and reports; a label renamed outside of the agreement is judged from the recorded stage.
SET timezone = 'UTC';
SET datestyle = ISO;
SET intervalstyle = postgres;
SET client_min_messages = warning;
\set SHOW_CONTEXT never
\set VERBOSITY default
CREATE SCHEMA journeys_renamed;
SET search_path = journeys_renamed, align;

-- canonical(): every label by the name, other strings as they are
SELECT align.canonical('{2025-03-01T00:00:00Z S-ACC by S-ACC because "Sales Accepted", 2025-03-02T00:00:00Z sal, 2025-03-02T00:00:00Z ~ "utm_source=x", 2025-03-03T00:00:00Z unheard}'::align.lead, f) AS renamed,
       align.canonical('{2025-03-01T00:00:00Z accepted, 2025-03-03T00:00:00Z unheard}'::align.lead, f) AS same,
       align.canonical('{2025-03-01T00:00:00Z ~ "utm_source=x"}'::align.lead, f) AS touch,
       align.canonical(NULL, f) IS NULL AS null_lead, align.canonical('{2025-03-01T00:00:00Z sal}', NULL) IS NULL AS null_funnel
FROM (VALUES ('stage n, accepted; won w; success path n -> accepted -> w; accepted known as ''sal'', ''S-ACC'', ''Sales Accepted'';'::align.funnel)) AS v (f) \gx
-- the bytes are those of the journey written with the names of today
SELECT bool_and(align.canonical(old, f) = new AND align.lead_send(align.canonical(old, f)) = align.lead_send(new)
                AND align.canonical(align.canonical(old, f), f) = new) AS canonical
FROM (SELECT l, align.lead_agg(at, (ARRAY['sal', 'S-ACC', 'accepted', 'n', 'mql', 'w'])[s], (ARRAY['sal', 'marketing'])[1 + s % 2], NULL) AS old,
             align.lead_agg(at, (ARRAY['accepted', 'accepted', 'accepted', 'n', 'mql', 'w'])[s], (ARRAY['sal', 'marketing'])[1 + s % 2], NULL) AS new
      FROM (SELECT l, timestamptz '2025-03-01 00:00+00' + random() * interval '9 days' AS at, ceil(random() * 6)::int AS s FROM generate_series(1, 500) AS l, generate_series(1, 9) AS n) AS e GROUP BY l) AS j,
     (VALUES ('stage n, accepted; won w; success path n -> accepted -> w; accepted known as ''sal'', ''S-ACC'';'::align.funnel)) AS v (f);

-- the same moves, under one version and across renames: the old labels, then the new ones,
-- and again new ones, without the first
CREATE FUNCTION document(sal text, parked text, extra text) RETURNS text LANGUAGE sql AS $$
    SELECT format('hours ''Mo-Fr 09:00-17:00''; stage n, m held by marketing; stage %1$s, %2$s held by sales; won w; lost x; success path n -> m -> %1$s -> w;
        path %1$s -> %2$s -> %1$s; path %2$s -> m; path any -> x;
        handoff h: m from marketing to sales, accept %1$s, reject x with reason, within 4 working hours;
        sla q by sales: from %1$s to w within 30 hours, pause %2$s; %3$s', sal, parked, extra)
$$;
SELECT align.agree('renamed', document('sal', 'nurture', ''));
SELECT align.agree('constant', document('taken', 'waiting', 'taken known as ''sal'', ''accepted''; waiting known as ''nurture'', ''parked'';'));
CREATE TABLE renamed (id int PRIMARY KEY, stage text, at timestamptz, why text);
CREATE TABLE constant (LIKE renamed INCLUDING ALL);
SELECT align.attach('renamed', 'renamed', changed_at => 'at', reason => 'why'), align.attach('constant', 'constant', changed_at => 'at', reason => 'why');
CREATE PROCEDURE move(ids int[], to_stage text, moved_at timestamptz) LANGUAGE plpgsql AS $$
BEGIN
    UPDATE renamed SET stage = to_stage, at = moved_at, why = 'r' WHERE id = ANY (ids);
    UPDATE constant SET stage = to_stage, at = moved_at, why = 'r' WHERE id = ANY (ids);
END $$;
INSERT INTO renamed SELECT i, 'n', '2025-03-03 08:00+00' FROM generate_series(1, 9) AS i;
INSERT INTO constant TABLE renamed;
CALL move('{1,2,3,4,5,6,7,8}', 'm', '2025-03-03 09:00+00');
CALL move('{3,4,5,6}', 'sal', '2025-03-03 10:00+00');
CALL move('{5}', 'nurture', '2025-03-03 12:00+00');
SELECT align.agree('renamed', document('accepted', 'parked', 'accepted known as ''sal''; parked known as ''nurture'';'));
CALL move('{1}', 'sal', '2025-03-03 11:00+00');
CALL move('{2}', 'accepted', '2025-03-03 15:00+00');
CALL move('{3}', 'parked', '2025-03-03 15:00+00');
CALL move('{4}', 'nurture', '2025-03-03 16:00+00');
-- another label of the stage in which it is
CALL move('{6}', 'accepted', '2025-03-03 16:00+00');
CALL move('{4}', 'accepted', '2025-03-04 16:00+00');
UPDATE renamed SET stage = 'accepted' WHERE stage = 'sal';
UPDATE renamed SET stage = 'parked' WHERE stage = 'nurture';
-- no notice: it knows the stages by the names that they have now
SET client_min_messages = notice;
SELECT align.agree('renamed', document('taken', 'waiting', 'taken known as ''accepted''; waiting known as ''parked'';'));
SET client_min_messages = warning;
CALL move('{7}', 'taken', '2025-03-03 14:00+00');
CALL move('{8}', 'taken', '2025-03-03 20:00+00');
CALL move('{3}', 'taken', '2025-03-05 15:00+00');
CALL move('{5}', 'accepted', '2025-03-05 12:00+00');
CALL move('{6}', 'waiting', '2025-03-05 12:00+00');
CALL move('{6}', 'm', '2025-03-05 13:00+00');
CALL move('{1}', 'w', '2025-03-05 13:00+00');
SELECT id, sla, cycle, r.outcome, r.due_at, r.version FROM renamed_sla AS r ORDER BY id, sla, cycle;
SELECT id, sla, cycle, r.started_at, r.due_at, r.paused, r.elapsed, r.stopped_at, r.outcome FROM renamed_sla AS r
EXCEPT SELECT id, sla, cycle, c.started_at, c.due_at, c.paused, c.elapsed, c.stopped_at, c.outcome FROM constant_sla AS c;
SELECT count(*) FROM renamed_sla UNION ALL SELECT count(*) FROM constant_sla;
SELECT * FROM align.check('renamed');
SELECT align.rebuild_clocks('renamed') > 0 AS rebuilt;
SELECT * FROM align.check('renamed');
-- attaching again finds nothing new
SELECT align.attach('renamed', 'renamed', changed_at => 'at', reason => 'why'), (SELECT count(*) FROM renamed_history WHERE event = 'opening') AS openings;
-- journeys have the names of today; and so do what is made of them
SELECT r.key, align.path(r.lead) AS path, align.path(r.lead) = align.path(c.lead) AS same_path, align.reached(r.lead, 'taken') AS reached,
       align.time_in(r.lead, 'taken', '2025-03-06') = align.time_in(c.lead, 'taken', '2025-03-06') AS same_time
FROM align.journeys('renamed') AS r JOIN align.journeys('constant') AS c USING (key) WHERE key ->> 'id' <> '9';
SELECT (SELECT array_agg(s) FROM align.steps(align.funnel_conversion_agg(r.lead, align.agreed('renamed'), '2025-03-06')) AS s)
       = (SELECT array_agg(s) FROM align.steps(align.funnel_conversion_agg(c.lead, align.agreed('constant'), '2025-03-06')) AS s) AS same_funnel,
       align.conversion_agg(r.lead, '{n,m,taken,w}', NULL, 'ordered', '2025-03-06') = align.conversion_agg(c.lead, '{n,m,taken,w}', NULL, 'ordered', '2025-03-06') AS same_steps
FROM align.journeys('renamed') AS r JOIN align.journeys('constant') AS c USING (key);
SELECT lead FROM align.journeys('renamed', 5);
-- clocks of now, by the judge and the history
SELECT (key ->> 'id')::int AS id, c.sla, c.cycle, c.state FROM align.journeys('renamed') AS j, align.sla_clocks(j.lead, align.agreed('renamed'), now()) AS c WHERE c.stopped_at IS NULL
EXCEPT SELECT (key ->> 'id')::int, c.sla, c.cycle, c.state FROM align.clocks('renamed') AS c;
-- judged by an older version, leads keep the names that it knows
SELECT rule, from_stage, stage, entries FROM align.backtest('renamed'::regclass, (SELECT funnel FROM align.agreements WHERE name = 'renamed' AND version = 1)) ORDER BY 1, 2, 3;

-- the same at random: names change while leads move, by any of the names that the version has
SELECT align.agree('random', document('sal', 'nurture', ''));
CREATE TABLE random (LIKE renamed INCLUDING ALL);
CREATE TABLE fixed (LIKE renamed INCLUDING ALL);
SELECT align.attach('random', 'random', changed_at => 'at', reason => 'why', mode => 'observe'), align.attach('fixed', 'constant', changed_at => 'at', reason => 'why', mode => 'observe');
SELECT setseed(0.72);
DO $$
DECLARE
    names text[] := '{sal,nurture}';
    now_at timestamptz := '2025-03-03 08:00+00';
    id int;
    to_stage text;
BEGIN
    FOR step IN 1 .. 1500 LOOP
        now_at := now_at + random() * interval '20 minutes';
        id := ceil(random() * 60);
        to_stage := (ARRAY['n', 'm', names[1], names[2], 'm', names[1], 'w', 'x', names[3], names[4]])[ceil(random() * (CASE WHEN names[3] IS NULL THEN 8 ELSE 10 END))];
        INSERT INTO random VALUES (id, to_stage, now_at, 'r') ON CONFLICT ON CONSTRAINT random_pkey DO UPDATE SET stage = EXCLUDED.stage, at = EXCLUDED.at;
        INSERT INTO fixed VALUES (id, to_stage, now_at, 'r') ON CONFLICT ON CONSTRAINT fixed_pkey DO UPDATE SET stage = EXCLUDED.stage, at = EXCLUDED.at;
        IF step % 300 = 0 THEN
            names := CASE step / 300 WHEN 1 THEN '{accepted,parked,sal,nurture}' WHEN 2 THEN '{taken,waiting,accepted,parked}' WHEN 3 THEN '{accepted,parked,taken,waiting}' ELSE '{taken,nurture,accepted,parked}' END::text[];
            UPDATE random SET stage = names[3] WHERE stage = 'sal' AND names[3] <> 'sal';
            UPDATE random SET stage = names[4] WHERE stage = 'nurture' AND names[4] <> 'nurture';
            UPDATE random SET stage = names[3] WHERE stage IN ('sal', 'accepted', 'taken');
            UPDATE random SET stage = names[4] WHERE stage IN ('nurture', 'parked', 'waiting');
            PERFORM align.agree('random', document(names[1], names[2], format('%I known as %L; %I known as %L;', names[1], names[3], names[2], names[4])));
        END IF;
    END LOOP;
END $$;
SELECT count(DISTINCT version) AS versions, count(*) > 200 AS many, count(DISTINCT outcome) AS outcomes FROM random_sla;
SELECT id, sla, cycle, c.started_at, c.due_at, c.paused, c.elapsed, c.stopped_at, c.outcome FROM random_sla AS c
EXCEPT ALL SELECT id, sla, cycle, c.started_at, c.due_at, c.paused, c.elapsed, c.stopped_at, c.outcome FROM fixed_sla AS c ORDER BY 1, 2, 3 LIMIT 5;
SELECT (SELECT count(*) FROM random_sla) = (SELECT count(*) FROM fixed_sla) AS as_many;
SELECT key, align.path(r.lead), align.path(align.canonical(f.lead, align.agreed('constant'))) FROM align.journeys('random') AS r JOIN align.journeys('fixed') AS f USING (key)
WHERE align.path(r.lead) <> (SELECT array_agg(CASE s WHEN 'waiting' THEN 'nurture' ELSE s END ORDER BY n) FROM unnest(align.path(f.lead)) WITH ORDINALITY AS p (s, n));
SELECT * FROM align.check('random');

-- a version that forgets a stage: leads in it refuse it, history alone is said
CREATE TABLE deals (id int PRIMARY KEY, stage text, hidden boolean);
SELECT align.agree('forgets', 'stage n, m, sal, "Ångström"; won w; lost l; success path n -> m -> sal -> w; path m -> "Ångström" -> sal; path any -> l;');
SELECT align.attach('deals', 'forgets', live => 'hidden IS NOT TRUE');
INSERT INTO deals SELECT g, 'n' FROM generate_series(1, 5) AS g;
UPDATE deals SET stage = 'm';
UPDATE deals SET stage = 'Ångström' WHERE id = 1;
UPDATE deals SET stage = 'sal' WHERE id < 4;
UPDATE deals SET stage = 'l' WHERE id < 4;
SET client_min_messages = notice;
SELECT align.agree('forgets', 'stage n, accepted; won w; success path n -> accepted -> w;');
SELECT align.agree('forgets', 'stage n, m, accepted; won w; lost l; success path n -> m -> accepted -> w; path any -> l;');
-- not again
SELECT align.agree('forgets', 'stage n, m, accepted, x; won w; lost l; success path n -> m -> accepted -> w; path any -> l; path n -> x -> m;');
SELECT align.agree('forgets', 'stage n, m, accepted, x; won w; lost l; success path n -> m -> accepted -> w; path any -> l; path n -> x -> m; accepted known as ''sal'', ''Ångström'';');
SELECT align.path(lead) FROM align.journeys('deals', 1);
SET client_min_messages = warning;

-- an enum's label is renamed, and nobody told the agreement
SELECT align.agree('labels', 'stage n, m held by marketing; stage s held by sales; won w; success path n -> m -> s -> w; handoff h: m from marketing to sales, accept s, within 4 hours;');
CREATE TYPE st AS ENUM ('n', 'm', 's', 'w');
CREATE TABLE leads (id int, part int, status st, who text, PRIMARY KEY (id, part)) PARTITION BY LIST (part);
CREATE TABLE leads_1 PARTITION OF leads FOR VALUES IN (1);
CREATE TABLE leads_2 PARTITION OF leads FOR VALUES IN (2);
SELECT align.attach('leads', 'labels', stage => 'status', assignee => 'who');
INSERT INTO leads SELECT g, 1, 'n' FROM generate_series(1, 9) AS g;
UPDATE leads SET status = 'm' WHERE id < 9;
ALTER TYPE st RENAME VALUE 'm' TO 'qualified';
UPDATE leads SET status = 'w' WHERE id = 1;
UPDATE leads SET status = 'qualified' WHERE id = 9;
INSERT INTO leads VALUES (10, 1, 'qualified');
SELECT allowed, rule, message FROM align.explain_move('leads', ROW(1, 1), 'w');
SELECT allowed, rule, message FROM align.explain_move('leads', ROW(1, 1), 's');
-- owners, moves, another key and partition, the end
UPDATE leads SET who = 'ann' WHERE id = 2;
UPDATE leads SET status = 's' WHERE id = 2;
UPDATE leads SET status = 's', part = 2 WHERE id = 3;
UPDATE leads SET part = 2 WHERE id = 4;
UPDATE leads SET status = 's' WHERE id = 4;
DELETE FROM leads WHERE id = 5;
-- two moves in one transaction, and in one statement
BEGIN;
UPDATE leads SET status = 's' WHERE id = 6;
UPDATE leads SET status = 'w' WHERE id = 6;
COMMIT;
WITH moved AS (UPDATE leads SET status = 's' WHERE id = 7 RETURNING id) UPDATE leads SET who = 'bob' FROM moved WHERE leads.id = 8;
SELECT id, part, entry_no, event, from_stage, stage, from_team, team, assignee, violation, source FROM leads_history WHERE entry_no > 2 ORDER BY 1, 2, 3;
SELECT id, part, outcome FROM leads_sla ORDER BY 1, 2;
-- what remains is a row whose label differs from the record
SELECT * FROM align.check('leads');
SELECT align.agree('labels', 'stage n, m held by marketing; stage s held by sales; won w; success path n -> m -> s -> w; m known as ''qualified''; handoff h: m from marketing to sales, accept s, within 4 hours;');
SELECT * FROM align.check('leads');
UPDATE leads SET status = 's' WHERE id = 8;
SELECT outcome FROM leads_sla WHERE id = 8;

RESET search_path;
DROP SCHEMA journeys_renamed CASCADE;
