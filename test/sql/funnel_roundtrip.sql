-- Type funnel: properties that hold for random agreements.  The generator keeps
-- beside every agreement what it means, as plain rows; the slow and obvious
-- answers are computed from those.
SET search_path = public, align;	-- operators are looked up by the search path
SET client_encoding = 'UTF8';
\pset format unaligned
\pset tuples_only on
\set seed 0.2026
\set agreements 250
SELECT 'seed ' || :'seed' || ', ' || :'agreements' || ' agreements';
SELECT setseed(:seed);

CREATE TEMP TABLE agreement (n int PRIMARY KEY, document text, shuffled text, f align.funnel);
CREATE TEMP TABLE stage (n int, i int, name text, kind text, team text, entry boolean, pos int, labels text[]);
CREATE TEMP TABLE move (n int, a int, b int, success boolean, UNIQUE (n, a, b));
CREATE TEMP TABLE level (n int, i int, name text, team text, handoff boolean, starts text[], stops text[], pauses text[], due text, warn text);
CREATE TEMP TABLE channel (n int, i int, name text, source text, medium text, campaign text);
CREATE TEMP TABLE segment (n int, i int, name text, condition text);
CREATE TEMP TABLE target (n int, i int, teams text[], kind text, stage text, from_stage text, sla text, goal text, per text, "within" interval);
CREATE TEMP TABLE mix (n int, i int, o int, stage text, segment text, share numeric);	-- segment NULL: other
CREATE TEMP TABLE fiscal (n int, month int);

CREATE FUNCTION pg_temp.q(name text) RETURNS text LANGUAGE sql IMMUTABLE AS $$SELECT '"' || replace(name, '"', '""') || '"'$$;
CREATE FUNCTION pg_temp.q(names text[]) RETURNS text LANGUAGE sql IMMUTABLE AS
	$$SELECT string_agg(pg_temp.q(name), ', ' ORDER BY i) FROM unnest(names) WITH ORDINALITY AS t(name, i)$$;
CREATE FUNCTION pg_temp.rnd(low int, high int) RETURNS int LANGUAGE sql VOLATILE AS $$SELECT low + floor(random() * (high - low + 1))::int$$;
-- some of the elements, at least one, in random order
CREATE FUNCTION pg_temp.some(VARIADIC elements int[]) RETURNS int[] LANGUAGE sql VOLATILE AS $$
	SELECT array_agg(e) FROM (SELECT e FROM unnest(elements) AS e ORDER BY random() LIMIT pg_temp.rnd(1, least(3, cardinality(elements)))) AS s
$$;
-- from which stage one can get to which, by one move or more
CREATE FUNCTION pg_temp.reach(agreement int) RETURNS TABLE (a int, b int) LANGUAGE sql AS $$
	WITH RECURSIVE r AS (SELECT a, b FROM move WHERE n = agreement UNION SELECT r.a, m.b FROM r JOIN move AS m ON m.n = agreement AND m.a = r.b)
	SELECT * FROM r
$$;

CREATE PROCEDURE pg_temp.generate(no int) LANGUAGE plpgsql AS $$
DECLARE
	pool text[] := ARRAY['inquiry', 'mql', 'sal', 'sql', 'won', 'stage', 'any', 'path', 'a b', 'x"y', 'größe', 'reason', 'pause', 'accept', 'end', '→', 'Sales-Accepted', 'p', 'q', 'r'];
	teams text[] := ARRAY['sales', 'marketing', 'by', 'Customer Success'];
	names text[];
	kinds text[];
	holders text[];
	k int := pg_temp.rnd(2, 10);	-- stages
	path int[];
	step int[];
	next_step int[];
	declared text[] := '{}';	-- statements whose order means something
	loose text[] := '{}';		-- and those whose order does not
	line text;
	entries int[];
	s int[];
	e int[];
	p int[];
	due record;
	is_any boolean;
	promised int := 0;
	segments text[] := ARRAY['demo', 'big one', 'segment', 'needs', 'known', 'when', 'x"y', 'größe', 'warn', 'other', 'Other'];
	other record;
	crew text[];
	aim text;
	target_no int := 0;
	left_over numeric;
	channels text[] := ARRAY['Direct', 'Paid Search', 'channel', 'when', 'and', 'source', 'needs', 'known', 'x"y', 'größe'];
	patterns text[] := ARRAY['partner-*', '*', 'it''s', 'A -- "b"', 'ü*x**', '\', ' ', 'and name ''x'''];
BEGIN
	SELECT array_agg(name) INTO names FROM (SELECT name FROM unnest(pool) AS name ORDER BY random() LIMIT k) AS t;
	SELECT array_agg((ARRAY['stage', 'stage', 'stage', 'won', 'lost'])[pg_temp.rnd(1, 5)]) INTO kinds FROM generate_series(1, k);
	SELECT array_agg(CASE WHEN random() < 0.6 THEN teams[pg_temp.rnd(1, 4)] END) INTO holders FROM generate_series(1, k);
	-- the success path: some open stages, then a won one
	kinds[pg_temp.rnd(1, k)] := 'stage';
	IF NOT 'stage' = ANY (kinds) OR NOT 'won' = ANY (kinds) THEN
		kinds[1] := 'stage';
		kinds[k] := 'won';
	END IF;
	SELECT array_agg(i) INTO path FROM (SELECT i FROM generate_series(1, k) AS i WHERE kinds[i] = 'stage' ORDER BY random() LIMIT pg_temp.rnd(1, 5)) AS t;
	path := path || (SELECT i FROM generate_series(1, k) AS i WHERE kinds[i] = 'won' ORDER BY random() LIMIT 1);
	FOR i IN 1 .. k LOOP
		declared := declared || (kinds[i] || ' ' || pg_temp.q(names[i]) || coalesce(' held by ' || pg_temp.q(holders[i]), ''));
	END LOOP;
	loose := loose || ('success path ' || (SELECT string_agg(pg_temp.q(names[i]), ' -> ' ORDER BY o) FROM unnest(path) WITH ORDINALITY AS t(i, o)));
	INSERT INTO move SELECT no, path[i - 1], path[i], true FROM generate_series(2, cardinality(path)) AS i;
	-- other paths: chains of lists, some from "any"
	FOR j IN 1 .. pg_temp.rnd(0, 6) LOOP
		is_any := random() < 0.3;
		step := CASE WHEN is_any THEN '{}' ELSE pg_temp.some(VARIADIC ARRAY(SELECT generate_series(1, k))) END;
		line := 'path ' || CASE WHEN is_any THEN 'any' ELSE pg_temp.q(ARRAY(SELECT names[i] FROM unnest(step) WITH ORDINALITY AS t(i, o) ORDER BY o)) END;
		FOR l IN 1 .. pg_temp.rnd(1, 3) LOOP
			next_step := ARRAY(SELECT i FROM generate_series(1, k) AS i WHERE i <> ALL (step) ORDER BY random() LIMIT pg_temp.rnd(1, 3));
			EXIT WHEN next_step = '{}';
			line := line || ' -> ' || pg_temp.q(ARRAY(SELECT names[i] FROM unnest(next_step) WITH ORDINALITY AS t(i, o) ORDER BY o));
			INSERT INTO move SELECT no, a, b, false FROM unnest(next_step) AS b,
				LATERAL (SELECT i AS a FROM generate_series(1, k) AS i WHERE i = ANY (step) OR (l = 1 AND is_any AND kinds[i] = 'stage' AND i <> b)) AS f
			ON CONFLICT DO NOTHING;
			step := next_step;
		END LOOP;
		IF line LIKE '%->%' THEN
			loose := loose || line;
		END IF;
	END LOOP;
	-- entries: the head of the path and what it does not reach; more at random
	SELECT array_agg(i ORDER BY random()) INTO entries FROM generate_series(1, k) AS i
	WHERE i = path[1] OR random() < 0.1 OR i NOT IN (SELECT b FROM pg_temp.reach(no) WHERE a = path[1]);
	IF entries <> ARRAY[path[1]] OR random() < 0.5 THEN
		loose := loose || ('entry ' || pg_temp.q(ARRAY(SELECT names[i] FROM unnest(entries) AS i)));
	END IF;
	-- needs and labels
	FOR i IN 1 .. k LOOP
		IF random() < 0.3 THEN
			loose := loose || (pg_temp.q(names[i]) || ' needs email, "reason", ''x > ' || i || '''');
		END IF;
		IF random() < 0.3 THEN
			loose := loose || (pg_temp.q(names[i]) || ' known as ''L' || i || ''', ''it''''s ' || i || '''');
		END IF;
	END LOOP;
	FOR due IN SELECT a, b FROM move WHERE n = no AND random() < 0.2 LOOP
		loose := loose || (pg_temp.q(names[due.a]) || ' -> ' || pg_temp.q(names[due.b]) || ' needs reason (r1, "r 2"), phone');
	END LOOP;
	loose := loose || ARRAY['hours ''Europe/London Mo-Fr 09:00-17:30'''];
	-- segments
	INSERT INTO segment SELECT no, row_number() OVER (), name, 'x = ''' || name || ''' -- "' FROM (SELECT name FROM unnest(segments) AS name ORDER BY random() LIMIT pg_temp.rnd(0, 4)) AS t;
	declared := declared || ARRAY(SELECT 'segment ' || pg_temp.q(name) || ': ''' || replace(condition, '''', '''''') || '''' FROM segment WHERE n = no ORDER BY i);
	-- promises
	FOR j IN 1 .. pg_temp.rnd(0, 5) LOOP
		SELECT * INTO due FROM (VALUES ('within 4 working hours', '4 working hours', '90 working minutes'), ('within 2 days', '2 days', '36 hours'),
			('by end of next working day', 'end of next working day', '3 working hours'), ('within 90 minutes', '90 minutes', NULL),
			('within 3 working days', 'end of 3rd working day', '90 working minutes before'), ('within 2 weeks', '14 days', '1 day before')) AS t(said, meant, warn) ORDER BY random() LIMIT 1;
		-- some of the segments get another promise in the same kind of time
		FOR other IN SELECT name, promise.* FROM segment, LATERAL (SELECT * FROM (VALUES ('within 30 working minutes', '30 working minutes'), ('by end of the same working day', 'end of the same working day'), ('within 1 working day', 'end of next working day'),
				('within 1 hour', '1 hour'), ('within 60 days', '60 days')) AS t(said, meant) WHERE (t.said ~ 'working') = (due.said ~ 'working') AND segment.i > 0 ORDER BY random() LIMIT 1) AS promise WHERE n = no AND random() < 0.3 ORDER BY random() LOOP
			due.said := other.said || ' when ' || pg_temp.q(other.name) || ', ' || due.said;
			due.meant := other.meant || ' when ' || CASE WHEN other.name ~ '^[A-Za-z_][A-Za-z0-9_-]*$' THEN other.name ELSE pg_temp.q(other.name) END || ', ' || due.meant;
		END LOOP;
		IF random() < 0.5 THEN	-- an sla
			s := pg_temp.some(VARIADIC ARRAY(SELECT generate_series(1, k)));
			e := ARRAY(SELECT i FROM generate_series(1, k) AS i WHERE i <> ALL (s) ORDER BY random() LIMIT pg_temp.rnd(1, 3));
			p := ARRAY(SELECT i FROM generate_series(1, k) AS i WHERE i <> ALL (s || e) ORDER BY random() LIMIT pg_temp.rnd(0, 2));
			CONTINUE WHEN NOT EXISTS (SELECT FROM pg_temp.reach(no) WHERE a = ANY (s) AND b = ANY (e));
			promised := promised + 1;
			INSERT INTO level VALUES (no, 100 + promised, 'level ' || promised, teams[1 + promised % 4], false, ARRAY(SELECT names[i] FROM unnest(s) WITH ORDINALITY AS t(i, o) ORDER BY o),
				ARRAY(SELECT names[i] FROM unnest(e) WITH ORDINALITY AS t(i, o) ORDER BY o), ARRAY(SELECT names[i] FROM unnest(p) WITH ORDINALITY AS t(i, o) ORDER BY o), due.meant, due.warn);
			declared := declared || (SELECT 'sla ' || pg_temp.q(name) || ' by ' || pg_temp.q(team) || ': from ' || pg_temp.q(starts) || ' to ' || pg_temp.q(stops) || ' ' || due.said
				|| CASE WHEN pauses = '{}' THEN '' ELSE ', pause ' || pg_temp.q(pauses) END || coalesce(', warn ' || CASE WHEN warn ~ 'before' THEN '' ELSE 'after ' END || warn, '') FROM level WHERE n = no AND i = 100 + promised);
		ELSE	-- a handoff
			SELECT i INTO promised FROM (SELECT promised + 1 AS i) AS t;
			s := ARRAY[pg_temp.rnd(1, k)];
			e := ARRAY(SELECT b FROM move WHERE n = no AND a = s[1] ORDER BY random() LIMIT 3);
			CONTINUE WHEN e = '{}';
			INSERT INTO level VALUES (no, promised, 'level ' || promised, 'receiver', true, ARRAY[names[s[1]]],
				ARRAY(SELECT names[i] FROM unnest(e) WITH ORDINALITY AS t(i, o) ORDER BY o), '{}', due.meant, due.warn);
			declared := declared || (SELECT 'handoff ' || pg_temp.q(name) || ': ' || pg_temp.q(starts) || ' from ' || pg_temp.q(coalesce(holders[s[1]], 'giver')) || ' to receiver, accept '
				|| pg_temp.q(stops[1:1]) || CASE WHEN cardinality(stops) > 1 THEN ', reject ' || pg_temp.q(stops[2:]) || ' with reason (r1, "r 2")' ELSE '' END
				|| ', ' || due.said || coalesce(', warn ' || CASE WHEN warn ~ 'before' THEN '' ELSE 'after ' END || warn, '') FROM level WHERE n = no AND i = promised);
		END IF;
	END LOOP;
	-- channels; the conditions of one in any order
	INSERT INTO channel SELECT no, row_number() OVER (), name, CASE WHEN pick & 1 > 0 THEN patterns[pg_temp.rnd(1, 8)] END,
		CASE WHEN pick & 2 > 0 THEN patterns[pg_temp.rnd(1, 8)] END, CASE WHEN pick & 4 > 0 THEN patterns[pg_temp.rnd(1, 8)] END
	FROM (SELECT name, pg_temp.rnd(1, 7) AS pick FROM unnest(channels) AS name ORDER BY random() LIMIT pg_temp.rnd(0, 4)) AS t;
	declared := declared || ARRAY(SELECT 'channel ' || pg_temp.q(c.name) || ' when ' || (SELECT string_agg(kind || ' ''' || replace(pattern, '''', '''''') || '''', ' and ' ORDER BY random())
		FROM (VALUES ('source', source), ('medium', medium), ('name', campaign)) AS t(kind, pattern) WHERE pattern IS NOT NULL)
		FROM channel AS c WHERE n = no ORDER BY i);
	-- targets of one team or several
	FOR j IN 1 .. pg_temp.rnd(0, 6) LOOP
		crew := ARRAY(SELECT t FROM (SELECT DISTINCT t FROM unnest(holders) AS t WHERE t IS NOT NULL) AS held ORDER BY random() LIMIT pg_temp.rnd(1, 3));
		aim := (ARRAY['count', 'amount', 'service_level', 'conversion'])[pg_temp.rnd(1, 4)];
		SELECT a, b INTO other FROM pg_temp.reach(no) WHERE a <> b ORDER BY random() LIMIT 1;
		SELECT name AS sla INTO due FROM level WHERE n = no ORDER BY random() LIMIT 1;
		CONTINUE WHEN crew = '{}' OR (aim = 'conversion' AND other IS NULL) OR (aim = 'service_level' AND due IS NULL);
		INSERT INTO target SELECT no, j, crew, aim, CASE aim WHEN 'conversion' THEN names[other.b] WHEN 'service_level' THEN NULL ELSE names[pg_temp.rnd(1, k)] END,
			CASE aim WHEN 'conversion' THEN names[other.a] END, CASE aim WHEN 'service_level' THEN due.sla END, (ARRAY['1', '0.5', '99.75', '100'])[pg_temp.rnd(1, 4)],
			CASE WHEN aim IN ('count', 'amount') OR random() < 0.5 THEN (ARRAY['day', 'week', 'month', 'quarter', 'year'])[pg_temp.rnd(1, 5)] END,
			CASE WHEN aim = 'conversion' AND random() < 0.5 THEN interval '90 days' END;
		-- no target twice
		DELETE FROM target AS t WHERE n = no AND i = j AND EXISTS (SELECT FROM target AS u WHERE u.n = no AND u.i < j AND u.kind = t.kind AND u.stage IS NOT DISTINCT FROM t.stage
			AND u.from_stage IS NOT DISTINCT FROM t.from_stage AND u.sla IS NOT DISTINCT FROM t.sla);
	END LOOP;
	declared := declared || ARRAY(SELECT 'target ' || pg_temp.q(t.teams) || ': 0' || goal || CASE t.kind WHEN 'count' THEN ' ' || pg_temp.q(t.stage) WHEN 'amount' THEN ' amount of ' || pg_temp.q(t.stage)
			WHEN 'service_level' THEN '% of ' || pg_temp.q(sla) ELSE '% from ' || pg_temp.q(from_stage) || ' to ' || pg_temp.q(t.stage) END
			|| CASE WHEN "within" IS NOT NULL THEN ' within 90 days' ELSE '' END || coalesce(' per ' || per, '') FROM target AS t WHERE n = no ORDER BY i);
	-- mixes of some stages; "other" in any place
	FOR j IN 1 .. pg_temp.rnd(0, least(2, k)) LOOP
		left_over := 100;
		FOR other IN SELECT name FROM (SELECT name FROM segment WHERE n = no UNION ALL SELECT NULL) AS t ORDER BY random() LIMIT pg_temp.rnd(1, 3) LOOP
			target_no := target_no + 1;
			INSERT INTO mix SELECT no, j, target_no, names[j], other.name, trim_scale(round((left_over * random()::numeric)::numeric, 3));
			left_over := left_over - (SELECT share FROM mix WHERE n = no AND o = target_no);
		END LOOP;
	END LOOP;
	declared := declared || ARRAY(SELECT 'mix of ' || pg_temp.q(m.stage) || ': ' || string_agg(share || '00% ' || coalesce(pg_temp.q(m.segment), 'OTHER'), ',' ORDER BY o)
		FROM (SELECT n, i, o, m.stage, m.segment, CASE WHEN share = trunc(share) THEN share || '.' ELSE share::text END AS share FROM mix AS m) AS m WHERE n = no GROUP BY i, m.stage ORDER BY i);
	INSERT INTO fiscal SELECT no, pg_temp.rnd(1, 12);
	loose := loose || (SELECT 'fiscal year begins ' || to_char(make_date(2026, month, 1), (ARRAY['FMMonth', 'Mon'])[pg_temp.rnd(1, 2)]) FROM fiscal WHERE n = no);
	INSERT INTO stage SELECT no, i, names[i], replace(kinds[i], 'stage', 'open'), holders[i], i = ANY (entries), array_position(path, i),
		ARRAY(SELECT l FROM unnest(ARRAY['L' || i, 'it''s ' || i]) AS l WHERE EXISTS (SELECT FROM unnest(loose) AS t WHERE t LIKE '% known as ''L' || i || ''',%'))
	FROM generate_series(1, k) AS i;
	INSERT INTO agreement SELECT no, array_to_string(declared || loose, E';\n') || ';',
		(SELECT string_agg(t, '; -- comment' || chr(10) ORDER BY o) FROM unnest(loose) WITH ORDINALITY AS l(t, o)) || ';' || array_to_string(declared, '   ;') || ';';
END $$;

DO $$BEGIN FOR i IN 1 .. 250 LOOP CALL pg_temp.generate(i); END LOOP; END$$;
UPDATE agreement SET f = document::align.funnel;
ANALYZE agreement; ANALYZE stage; ANALYZE move; ANALYZE level; ANALYZE channel; ANALYZE segment;
SELECT count(*) = :agreements AS "all there", count(DISTINCT f) > :agreements * 0.9 AS "and different" FROM agreement;
SELECT count(*) > 500 AS "many moves", bool_or(success), bool_or(NOT success) FROM move;
SELECT count(*) > 300 AS "many channels", count(*) FILTER (WHERE source IS NULL) > 50 AS "without source" FROM channel;
SELECT count(*) > 300 AS "many segments", (SELECT count(*) > 20 FROM level WHERE due ~ ' when .* when ') AS "several promises", (SELECT count(*) > 50 FROM level WHERE warn ~ 'before') AS "warned before" FROM segment;
SELECT kind, count(*) > 50 AS "enough", count(*) FILTER (WHERE cardinality(teams) > 1) > 20 AS "joint", count(per) BETWEEN 20 AND count(*) AS "periods" FROM target GROUP BY kind ORDER BY kind;
SELECT count(*) > 200 AS "many shares", count(*) FILTER (WHERE segment IS NULL) > 50 AS "other", (SELECT count(DISTINCT month) FROM fiscal) AS months FROM mix;
SELECT handoff, count(*) > 20 AS "enough" FROM level GROUP BY handoff ORDER BY handoff;

-- Every row is a failure.
-- The canonical document parses to itself.
SELECT 'text', document FROM agreement WHERE f::text::align.funnel <> f OR f::text::align.funnel::text <> f::text;
-- The order of what is not declared, white space and comments say nothing.
SELECT 'order', document FROM agreement WHERE shuffled::align.funnel <> f;
SELECT 'jsonb', document FROM agreement WHERE f::jsonb::align.funnel <> f;
SELECT 'binary', document FROM agreement WHERE align.funnel_send(f) <> '\x01'::bytea || convert_to(f::text, 'UTF8');
-- Stages
(SELECT 'stages -', n, stage_position, s.stage, kind, team, on_success_path, is_entry, labels FROM agreement, align.stages(f) AS s
EXCEPT SELECT 'stages -', n, pos, name, kind, team, pos IS NOT NULL, entry, labels FROM stage)
UNION ALL
(SELECT 'stages +', n, pos, name, kind, team, pos IS NOT NULL, entry, labels FROM stage
EXCEPT SELECT 'stages +', n, stage_position, s.stage, kind, team, on_success_path, is_entry, labels FROM agreement, align.stages(f) AS s);
SELECT 'stage order', n FROM agreement WHERE ARRAY(SELECT s.stage FROM align.stages(f) AS s) <> ARRAY(SELECT name FROM stage WHERE stage.n = agreement.n ORDER BY i);
SELECT 'one stage', n, name FROM agreement JOIN stage USING (n), unnest(name || labels) AS label
WHERE (align.stage_name(f, label), align.stage_kind(f, label), align.stage_position(f, label), align.stage_team(f, label)) IS DISTINCT FROM (name, kind, pos, team);
-- Moves
CREATE TEMP TABLE named_move AS SELECT n, x.name AS a, y.name AS b, success FROM move JOIN stage AS x USING (n) JOIN stage AS y USING (n) WHERE x.i = a AND y.i = b;
(SELECT 'moves -', n, from_stage, m.stage, is_success FROM agreement, align.moves(f) AS m EXCEPT SELECT 'moves -', n, a, b, success FROM named_move)
UNION ALL
(SELECT 'moves +', n, a, b, success FROM named_move EXCEPT SELECT 'moves +', n, from_stage, m.stage, is_success FROM agreement, align.moves(f) AS m);
SELECT 'can_move', n, x.name, y.name FROM agreement JOIN stage AS x USING (n) JOIN stage AS y USING (n)
WHERE align.can_move(f, x.name, y.name) <> EXISTS (SELECT FROM named_move AS m WHERE m.n = agreement.n AND m.a = x.name AND m.b = y.name);
SELECT 'next_stages', n, x.name FROM agreement JOIN stage AS x USING (n)
WHERE align.next_stages(f, x.name) <> ARRAY(SELECT y.name FROM stage AS y JOIN move AS m ON m.n = y.n AND m.b = y.i WHERE y.n = agreement.n AND m.a = x.i ORDER BY y.i);
-- Routes: legal step by step, and no shorter one exists; of those the first in the order of declaration.
CREATE TEMP TABLE best AS
WITH RECURSIVE walk AS (
	SELECT n, a, b, ARRAY[b] AS route FROM move
	UNION ALL
	SELECT w.n, w.a, m.b, w.route || m.b FROM walk AS w JOIN move AS m ON m.n = w.n AND m.a = w.b WHERE m.b <> ALL (w.route) AND m.b <> w.a AND cardinality(w.route) < 4)
SELECT DISTINCT ON (n, a, b) n, a, b, route FROM walk ORDER BY n, a, b, cardinality(route), route;
SELECT 'route', n, x.name, y.name, align.route(f, x.name, y.name) FROM agreement JOIN stage AS x USING (n) JOIN stage AS y USING (n) LEFT JOIN best USING (n)
WHERE best.a = x.i AND best.b = y.i AND x.i <> y.i AND align.route(f, x.name, y.name) <> ARRAY(SELECT s.name FROM unnest(route) WITH ORDINALITY AS t(i, o) JOIN stage AS s ON s.n = agreement.n AND s.i = t.i ORDER BY o);
CREATE TEMP TABLE reached AS SELECT n, r.a, r.b FROM agreement, pg_temp.reach(n) AS r;
SELECT 'no route', n, x.name, y.name FROM agreement JOIN stage AS x USING (n) JOIN stage AS y USING (n)
WHERE x.i <> y.i AND (align.route(f, x.name, y.name) IS NULL) <> NOT EXISTS (SELECT FROM reached AS r WHERE (r.n, r.a, r.b) = (agreement.n, x.i, y.i));
-- Promises
SELECT 'levels', n FROM agreement
WHERE ARRAY(SELECT l::text FROM align.service_levels(f) AS l) <>
	ARRAY(SELECT ROW(name, team, starts, stops, pauses, due, warn)::text FROM level WHERE level.n = agreement.n ORDER BY NOT handoff, i);
SELECT 'channels', n FROM agreement
WHERE ARRAY(SELECT c::text FROM align.channels(f) AS c) <> ARRAY(SELECT ROW(name, source, medium, campaign)::text FROM channel WHERE channel.n = agreement.n ORDER BY i);
SELECT 'segments', n FROM agreement
WHERE ARRAY(SELECT c::text FROM align.segments(f) AS c) <> ARRAY(SELECT ROW(name, condition)::text FROM segment WHERE segment.n = agreement.n ORDER BY i);
SELECT 'targets', n FROM agreement
WHERE ARRAY(SELECT t::text FROM align.agreed_targets(f) AS t) <> ARRAY(SELECT ROW(array_to_string(teams, ', '), kind, t.stage, from_stage, sla, goal::numeric, CASE kind WHEN 'count' THEN 'leads' WHEN 'amount' THEN 'amount' ELSE '%' END, per, "within")::text
	FROM target AS t WHERE t.n = agreement.n ORDER BY i);
SELECT 'target_teams', n FROM agreement
WHERE ARRAY(SELECT t::text FROM align.target_teams(f) AS t) <> ARRAY(SELECT ROW(o, team)::text
	FROM (SELECT teams, row_number() OVER (ORDER BY i) AS o FROM target AS t WHERE t.n = agreement.n) AS t, unnest(teams) WITH ORDINALITY AS u(team, p) ORDER BY o, p);
SELECT 'mixes', n FROM agreement
WHERE ARRAY(SELECT m::text FROM align.target_mix(f) AS m) <> ARRAY(SELECT ROW(m.stage, coalesce(m.segment, '(other)'), (share / 100)::float8)::text FROM mix AS m WHERE m.n = agreement.n ORDER BY i, m.segment IS NULL, o);
SELECT 'fiscal year', n FROM agreement JOIN fiscal USING (n) WHERE align.fiscal_year_begins(f) <> month;
-- diff has no row exactly if two agreements are equal.
SELECT 'diff', a.n, b.n FROM agreement AS a JOIN agreement AS b ON b.n BETWEEN a.n AND a.n + 3
WHERE (a.f = b.f) <> NOT EXISTS (SELECT FROM align.diff(a.f, b.f));
-- Also where they differ by little: one statement less.
CREATE FUNCTION pg_temp.try(document text) RETURNS align.funnel LANGUAGE plpgsql AS $$
BEGIN
	RETURN document::align.funnel;
EXCEPTION WHEN OTHERS THEN
	RETURN NULL;
END $$;
CREATE TEMP TABLE less AS
SELECT n, f, without, pg_temp.try((SELECT string_agg(t, ';' || chr(10) ORDER BY o) FROM regexp_split_to_table(rtrim(f::text, ';'), ';\n') WITH ORDINALITY AS s(t, o) WHERE o <> without) || ';') AS g
FROM agreement, generate_series(1, 30) AS without WHERE n <= 60;
SELECT count(*) > 200 AS "enough", count(*) FILTER (WHERE f <> g) > 100 AS "changed" FROM less WHERE g IS NOT NULL;
SELECT 'diff of less', n, without FROM less WHERE g IS NOT NULL AND ((f = g) <> NOT EXISTS (SELECT FROM align.diff(f, g)) OR (f = g) <> NOT EXISTS (SELECT FROM align.diff(g, f)));
SELECT 'jsonb of less', n, without FROM less WHERE g::jsonb::align.funnel <> g OR (g::jsonb = f::jsonb) <> (f = g);
-- Going back exchanges added and removed.
SELECT 'diff back', n, without FROM less WHERE g IS NOT NULL
	AND ARRAY(SELECT ROW(replace(replace(replace(d.change, 'added', '-'), 'removed', 'added'), '-', 'removed'), d.what, d.after, d.before)::text FROM align.diff(f, g) AS d ORDER BY 1)
	<> ARRAY(SELECT d::text FROM align.diff(g, f) AS d ORDER BY 1);
