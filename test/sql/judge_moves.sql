-- Verdicts: violations, fits, fitness, advance.
SET timezone = 'UTC';
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS align;

CREATE TABLE judged (f align.funnel);
INSERT INTO judged VALUES ($$
	hours 'Europe/London Mo-Fr 09:00-17:30';
	stage inquiry, mql held by marketing;
	stage sal, sql, opportunity held by sales;
	stage nurture held by marketing;
	won customer;
	lost disqualified;
	entry inquiry, mql;
	success path inquiry -> mql -> sal -> sql -> opportunity -> customer;
	path mql, sal, sql, opportunity -> nurture -> mql;
	path inquiry -> customer;
	path any -> disqualified;
	handoff speed_to_lead: mql from marketing to sales,
		accept sal,
		reject nurture, disqualified with reason (no_budget, poor_fit),
		within 4 working hours, warn after 3 working hours;
	opportunity -> disqualified needs reason (price, competitor);
	sal known as 'Sales Accepted', 'S-ACC';
$$);

CREATE FUNCTION pg_temp.judge(journey align.lead)
RETURNS TABLE (entry int, at timestamptz, rule text, from_stage text, stage text, detail text)
LANGUAGE sql AS 'SELECT v.* FROM judged, align.violations(journey, f) v';

-- nothing wrong
SELECT * FROM pg_temp.judge('{2026-03-02T10:00:00Z inquiry, 2026-03-02T11:00:00Z mql by marketing, 2026-03-02T12:00:00Z sal by sales}');
-- labels are resolved; a touch is no move; staying is no move, under whatever label
SELECT * FROM pg_temp.judge('{2026-03-02T10:00:00Z mql, 2026-03-02T10:30:00Z ~ "c", 2026-03-02T11:00:00Z "S-ACC", 2026-03-02T11:30:00Z sal, 2026-03-02T12:00:00Z "Sales Accepted"}');
-- one of each rule
SELECT * FROM pg_temp.judge('{2026-03-02T10:00:00Z sal}');
SELECT * FROM pg_temp.judge('{2026-03-02T10:00:00Z mql, 2026-03-02T11:00:00Z customer}');
SELECT * FROM pg_temp.judge('{2026-03-02T10:00:00Z mql, 2026-03-02T11:00:00Z nurture}');
SELECT * FROM pg_temp.judge('{2026-03-02T10:00:00Z mql, 2026-03-02T11:00:00Z nurture because ""}');
SELECT * FROM pg_temp.judge('{2026-03-02T10:00:00Z mql, 2026-03-02T11:00:00Z nurture because no_idea}');
SELECT * FROM pg_temp.judge('{2026-03-02T10:00:00Z mql, 2026-03-02T11:00:00Z nurture because poor_fit}');
SELECT * FROM pg_temp.judge('{2026-03-02T10:00:00Z mql, 2026-03-02T11:00:00Z sal, 2026-03-02T12:00:00Z sql by marketing}');
-- a team that the agreement does not know is not checked
SELECT * FROM pg_temp.judge('{2026-03-02T10:00:00Z mql, 2026-03-02T11:00:00Z sal, 2026-03-02T12:00:00Z sql by partners}');
-- an unknown stage is one violation, and what follows is not another
SELECT * FROM pg_temp.judge('{2026-03-02T10:00:00Z mql, 2026-03-02T11:00:00Z parked, 2026-03-02T12:00:00Z customer}');
-- an unknown first stage: the second entry is no entry into the funnel
SELECT * FROM pg_temp.judge('{2026-03-02T10:00:00Z parked, 2026-03-02T12:00:00Z sql}');
-- three at once
SELECT * FROM pg_temp.judge('{2026-03-02T10:00:00Z mql, 2026-03-02T11:00:00Z sal, 2026-03-02T12:00:00Z sql, 2026-03-02T13:00:00Z opportunity, 2026-03-02T14:00:00Z disqualified by marketing}');
-- a won or lost stage is left only where a path says so by name
SELECT * FROM pg_temp.judge('{2026-03-02T10:00:00Z inquiry, 2026-03-02T11:00:00Z customer, 2026-03-02T14:00:00Z disqualified}');

SELECT align.fits(j::align.lead, f), align.fitness(j::align.lead, f), j
FROM judged, unnest(ARRAY[
	'{2026-03-02T10:00:00Z inquiry}',
	'{2026-03-02T10:00:00Z opportunity}',
	'{2026-03-02T10:00:00Z ~ "only a touch"}',
	'{2026-03-02T10:00:00Z inquiry, 2026-03-02T11:00:00Z mql, 2026-03-02T12:00:00Z sal}',
	'{2026-03-02T10:00:00Z inquiry, 2026-03-02T11:00:00Z sal, 2026-03-02T12:00:00Z sql, 2026-03-02T13:00:00Z parked}']) j;

-- NULLs
SELECT count(*) FROM align.violations(NULL, (SELECT f FROM judged));
SELECT count(*) FROM align.violations('{2026-03-02T10:00:00Z inquiry}', NULL);
SELECT align.fits(NULL, NULL), align.fitness(NULL, NULL);

-- advance: the lead after the move, or the error of the trigger
SELECT align.advance(NULL, f, 'inquiry', '2026-03-02 10:00+00') FROM judged;
SELECT align.advance('{2026-03-02T10:00:00Z mql}', f, 'Sales Accepted', '2026-03-02 11:00+00', 'sales') FROM judged;
SELECT align.advance('{2026-03-02T10:00:00Z mql}', f, 'mql', '2026-03-02 11:00+00') FROM judged;
SELECT align.advance('{2026-03-02T10:00:00Z mql}', f, 'nurture', '2026-03-02 11:00+00', reason => 'poor_fit') FROM judged;
SELECT align.advance('{2026-03-02T10:00:00Z ~ "touch first"}', f, 'inquiry', '2026-03-02 11:00+00') FROM judged;
-- at the very time of the last entry is not before it
SELECT align.advance('{2026-03-02T10:00:00Z mql}', f, 'sal', '2026-03-02 10:00+00') FROM judged;
-- so a move at that time follows what is there, whatever its name
SELECT align.advance(align.advance('{2026-03-02T10:00:00Z mql}', f, 'disqualified', '2026-03-02 10:00+00', reason => 'poor_fit'), f, 'disqualified', '2026-03-02 10:00+00') FROM judged;
SELECT align.advance('{2026-03-02T10:00:00Z mql #7}', f, 'sal', '2026-03-02 11:00+00') FROM judged;
SELECT align.advance('{2026-03-02T10:00:00Z mql #9223372036854775807}', f, 'sal', '2026-03-02 11:00+00') FROM judged;
SELECT align.advance(NULL, f, 'sql', '2026-03-02 10:00+00') FROM judged;
\echo :LAST_ERROR_SQLSTATE
SELECT align.advance('{2026-03-02T10:00:00Z mql}', f, 'customer', '2026-03-02 11:00+00') FROM judged;
\echo :LAST_ERROR_SQLSTATE
SELECT align.advance('{2026-03-02T10:00:00Z mql}', f, 'nowhere', '2026-03-02 11:00+00') FROM judged;
\echo :LAST_ERROR_SQLSTATE
SELECT align.advance('{2026-03-02T10:00:00Z mql}', f, 'nurture', '2026-03-02 11:00+00') FROM judged;
\echo :LAST_ERROR_SQLSTATE
SELECT align.advance('{2026-03-02T10:00:00Z mql}', f, 'nurture', '2026-03-02 11:00+00', NULL, 'weather') FROM judged;
\echo :LAST_ERROR_SQLSTATE
SELECT align.advance('{2026-03-02T10:00:00Z sal}', f, 'sql', '2026-03-02 11:00+00', 'marketing') FROM judged;
\echo :LAST_ERROR_SQLSTATE
SELECT align.advance('{2026-03-02T10:00:00Z mql}', f, 'sal', '2026-03-02 09:00+00') FROM judged;
\echo :LAST_ERROR_SQLSTATE
SELECT align.advance('{2026-03-02T10:00:00Z mql}', f, 'sal', 'infinity') FROM judged;
\echo :LAST_ERROR_SQLSTATE
SELECT align.advance('{2026-03-02T10:00:00Z mql}', f, 'mql', 'infinity') FROM judged;
\echo :LAST_ERROR_SQLSTATE
SELECT align.advance('{2026-03-02T10:00:00Z mql}', f, 'sal', NULL) FROM judged;
\echo :LAST_ERROR_SQLSTATE
SELECT align.advance('{2026-03-02T10:00:00Z mql}', f, NULL, '2026-03-02 11:00+00') FROM judged;
\echo :LAST_ERROR_SQLSTATE
SELECT align.advance('{2026-03-02T10:00:00Z mql}', NULL, 'sal', '2026-03-02 11:00+00');
\echo :LAST_ERROR_SQLSTATE

-- What advance() accepts has no violation, and what it refuses has: random walks.
CREATE FUNCTION pg_temp.random_walks(n int, OUT accepted bigint, OUT refused bigint, OUT disagreements bigint)
LANGUAGE plpgsql AS $$
DECLARE
	agreement align.funnel := (SELECT f FROM judged);
	stages text[] := ARRAY['inquiry', 'mql', 'sal', 'sql', 'opportunity', 'nurture', 'customer', 'disqualified', 'parked'];
	reasons text[] := ARRAY[NULL, 'no_budget', 'price', 'weather'];
	teams text[] := ARRAY[NULL, 'sales', 'marketing', 'partners'];
	journey align.lead;
	proposed align.lead;
	seed bigint := 20260302;
	s text; t text; r text;
	broken int;
BEGIN
	accepted := 0; refused := 0; disagreements := 0;
	FOR i IN 1 .. n LOOP
		seed := (seed * 1103515245 + 12345) % 2147483648;
		IF i % 9 = 1 THEN journey := NULL; END IF;
		s := stages[1 + (seed >> 8) % 9];
		t := teams[1 + (seed >> 13) % 4];
		r := reasons[1 + (seed >> 17) % 4];
		proposed := (SELECT align.rollup(l) FROM (VALUES (journey),
			((SELECT align.lead_agg('2026-01-01Z'::timestamptz + i * interval '1 hour', s, t, r)))) v(l));
		broken := (SELECT count(*) FROM align.violations(proposed, agreement));
		BEGIN
			journey := align.advance(journey, agreement, s, '2026-01-01Z'::timestamptz + i * interval '1 hour', t, r);
			accepted := accepted + 1;
			disagreements := disagreements + (broken > 0)::int;
		EXCEPTION WHEN OTHERS THEN
			IF SQLSTATE NOT LIKE '23L%' THEN RAISE; END IF;
			refused := refused + 1;
			disagreements := disagreements + (broken = 0)::int;
		END;
	END LOOP;
END $$;
SELECT accepted > 300 AS accepted, refused > 300 AS refused, disagreements FROM pg_temp.random_walks(3000);

-- the team that a handoff asks may answer it, though the other still holds the stage
SELECT * FROM pg_temp.judge('{2026-03-02T10:00:00Z mql, 2026-03-02T11:00:00Z disqualified by sales because poor_fit}');
SELECT * FROM pg_temp.judge('{2026-03-02T10:00:00Z mql, 2026-03-02T11:00:00Z nurture by sales because no_budget}');
-- nobody asked it about a lead that is being nurtured
SELECT * FROM pg_temp.judge('{2026-03-02T10:00:00Z mql, 2026-03-02T11:00:00Z nurture because no_budget, 2026-03-02T12:00:00Z mql by sales}');

DROP TABLE judged;
