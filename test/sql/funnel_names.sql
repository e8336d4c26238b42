-- Type funnel: no name is too odd.  Every name stands in every position, quoted
-- and, where it is a plain word, bare.
SET search_path = public, align;	-- operators are looked up by the search path
SET client_encoding = 'UTF8';
\pset format unaligned
\pset tuples_only on

CREATE TEMP TABLE names AS
SELECT n, name FROM unnest(ARRAY[
	-- keywords, also in another case
	'hours', 'of', 'stage', 'held', 'by', 'won', 'lost', 'entry', 'success', 'path', 'any', 'ANY', 'handoff', 'from', 'to', 'accept', 'reject',
	'with', 'reason', 'Reason', 'within', 'working', 'minute', 'minutes', 'hour', 'day', 'days', 'week', 'weeks', 'end', 'the', 'same', 'next',
	'warn', 'after', 'needs', 'known', 'as', 'sla', 'pause', 'target', 'per', 'month', 'quarter', 'year', 'channel', 'when', 'source', 'medium', 'name', 'and', 'mix', 'other', 'Other', 'fiscal', 'begins', 'February', 'amount', 'Stage', 'SLA', 'PATH', 'NEEDS',
	-- plain, nearly plain and not plain
	'x', '_', 'a-b', 'a-', 'a--b', 'a->b', '->', '--', '-- not a comment', 'a b', ' ', ' a ', 'a;b', ';', ',', ':', '(', ')', '%', '90%', '4', '4x', '2nd',
	'"', '""', 'a"b', '''', '''''', 'it''s', '\', '\n', '$$', '{}', '{a,b}', 'NULL', 'null', '[*]', E'tab\there', E'two\nlines', E'\r\n', '/* */',
	'größe', 'Ünïcödé', '名前', '🙂', 'é', U&'e\0301', U&'\200B', U&'\FEFF', U&'\2028',
	repeat('n', 63), repeat('é', 63), repeat('long ', 2000)]) WITH ORDINALITY AS t(name, n);

CREATE FUNCTION pg_temp.q(name text) RETURNS text LANGUAGE sql IMMUTABLE AS $$SELECT '"' || replace(name, '"', '""') || '"'$$;
-- bare where it is a word; the scanner's rule in SQL
CREATE FUNCTION pg_temp.b(name text) RETURNS text LANGUAGE sql IMMUTABLE AS $$
	SELECT CASE WHEN name ~ '^[A-Za-z_]([A-Za-z0-9_]|-(?![->]))*$' THEN name ELSE pg_temp.q(name) END
$$;

-- One name as a stage in every role, a team, a promise, a column, a reason, a
-- label and a channel.  Placeholders: N the name, N2 another that begins with
-- it, P in a path (a bare "any" is no stage there), R as a column (a bare "reason" is none).
CREATE FUNCTION pg_temp.documents(name text, n text, p text, r text) RETURNS SETOF text LANGUAGE sql AS $$
	SELECT replace(replace(replace(replace(replace(d, '@R', r), '@P', p), '@S', CASE WHEN lower(n) = 'other' THEN pg_temp.q(n) ELSE n END), '@N2', pg_temp.q(name || '2')), '@N', n) FROM unnest(ARRAY[
		-- an open stage, held, entered, passed
		'stage @N, open1 held by @N; won won1; lost lost1; entry open1, @N; success path @P -> open1 -> won1; path @P, open1 -> lost1; path open1 -> @P; '
		'@N needs @R, ''c'', reason (@N, r1); @N -> open1 needs @R, reason (@N, r1); open1 -> @N needs reason (r1, @N); ',
		'stage open1, @N held by @N; won won1; lost lost1; success path open1 -> @P -> won1; path any -> lost1, @P; @N known as ''label 1'', ''label 2''; '
		'@N -> lost1 needs @R;',
		-- won, lost
		'stage open1, open2; won @N held by @N; lost lost1; success path open1 -> open2 -> @P; path open1 -> @P -> open1; path open2, @P -> lost1;',
		'stage open1, open2; lost @N; won won1; success path open1 -> open2 -> won1; path any -> @P; @N needs reason (@N);',
		-- handoffs: submitting, accepting, rejecting; both teams; the name; reasons
		'hours ''24/7''; hours of @N ''Mo 10:00-12:00''; stage @N, open1, open2; won won1; success path @P -> open1 -> open2 -> won1; '
		'handoff @N: @N from @N to team1, accept open1, within 4 working hours, warn after 3 working hours; target @N: 90% of @N;',
		'stage open1, @N, open2; won won1; lost lost1; success path open1 -> @P -> open2 -> won1; path any -> lost1, open2; '
		'handoff h1: open1 from team1 to @N, accept @N, open2, reject lost1 with reason (r1, @N), within 2 days; '
		'handoff h2: open1 from team1 to @N, accept open2, @N;',
		'stage open1, @N, open2; won won1; lost lost1; success path open1 -> open2 -> won1; path any -> lost1, @P; '
		'handoff h1: open1 from @N to team1, reject lost1, @N, within 2 days, accept open2; '
		'handoff h2: open1 from @N to team1, accept open2, reject @N with reason (@N); '
		'handoff h3: open1 from @N to team1, accept open2, reject @N, lost1;',
		-- service levels: starting, stopping, pausing
		'hours ''24/7''; stage @N, open1, open2; won won1; success path @P -> open1 -> open2 -> won1; '
		'sla @N by @N: from @N, open1 to open2, won1 within 2 days, warn after 1 day; sla s2 by @N: from open1, @N to won1 by end of next working day;',
		'stage open1, @N, open2; won won1; success path open1 -> @P -> open2 -> won1; '
		'sla s1 by team1: from open1 to @N within 2 days; sla s2 by team1: from open1 to @N, won1 within 2 days, pause open2; '
		'sla s3 by team1: from open1 to open2, @N within 2 days; sla s4 by team1: from open1 to open2, @N, won1 within 1 hour, warn after 30 minutes;',
		'stage open1, @N, open2; won won1; success path open1 -> @P -> open2 -> won1; '
		'sla s1 by team1: from open1 to won1 within 2 days, pause @N; sla s2 by team1: from open1 to won1 within 2 days, pause @N, open2, warn after 1 day; '
		'sla s3 by team1: from open1 to won1 within 2 days, warn after 1 day, pause open2, @N;',
		-- targets
		'stage @N held by @N; won won1; success path @P -> won1; target @N: 400 @N per month; target @N: 12.5% from @N to won1 within 90 days; target @N: 5% from @N to won1;',
		'stage open1 held by @N; won @N; success path open1 -> @P; target @N: 1 @N per day; target @N: 2.5% from open1 to @N;',
		-- channels, beside statements about a stage called channel
		'stage channel, @N2; won won1; success path channel -> won1; path channel -> @N2; channel needs @R; channel -> @N2 needs @R, phone; channel known as ''when''; '
		'channel @N when source ''s'' and name ''n''; channel @N2 when medium ''m'';',
		-- joint targets and amounts, mixes, beside statements about stages called mix and fiscal
		'stage @N2, @N held by @N; won won1; success path @P -> @N2 -> won1; segment @N: ''1''; segment @N2: ''2''; sla @N by @N2: from @N to won1 within 2 days; '
		'target @N, @N2: 1 amount of @N per day; target @N2: 9% of @N per week; target @N: 2.5% from @N to won1 per year; mix of @N: 1% @S, 2% @N2, 3% other;',
		'stage mix, fiscal, @N2; won won1; success path mix -> fiscal -> won1; path mix -> @N2; mix needs @R; fiscal needs @R, phone; mix -> @N2 needs @R, phone; fiscal -> won1 needs @R; '
		'mix known as ''of''; fiscal known as ''year''; segment @N: ''1''; mix of mix: 5% @S; fiscal year begins May; mix of fiscal: 5% @S;'
	]) AS d
$$;

CREATE TEMP TABLE documents AS
SELECT names.n, name, d.kind, d.quoted, d.bare
FROM names, LATERAL (
	SELECT k AS kind, quoted, bare FROM
		ROWS FROM (pg_temp.documents(name, pg_temp.q(name), pg_temp.q(name), pg_temp.q(name)),
			pg_temp.documents(name, pg_temp.b(name), CASE WHEN lower(name) = 'any' THEN pg_temp.q(name) ELSE pg_temp.b(name) END,
				CASE WHEN lower(name) = 'reason' THEN pg_temp.q(name) ELSE pg_temp.b(name) END)) WITH ORDINALITY AS t(quoted, bare, k)) AS d;
SELECT count(*) AS documents, count(DISTINCT name) AS names, count(*) FILTER (WHERE quoted <> bare) AS bare FROM documents;

-- The quoted form is the yardstick; every row is a failure.
SELECT left(name, 20), kind, 'bare' FROM documents WHERE quoted::align.funnel <> bare::align.funnel;
SELECT left(name, 20), kind, 'text' FROM documents WHERE quoted::align.funnel::text::align.funnel <> quoted::align.funnel;
SELECT left(name, 20), kind, 'idempotent' FROM documents WHERE quoted::align.funnel::text::align.funnel::text <> quoted::align.funnel::text;
SELECT left(name, 20), kind, 'jsonb' FROM documents WHERE quoted::align.funnel::jsonb::align.funnel <> quoted::align.funnel;
SELECT left(name, 20), kind, 'diff' FROM documents, align.diff(quoted::align.funnel, bare::align.funnel) AS d;
SELECT left(name, 20), kind, 'stage' FROM documents WHERE kind <= 4 AND align.stage_name(quoted::align.funnel, name) <> name;
SELECT left(name, 20), kind, 'team' FROM documents WHERE kind = 1 AND align.stage_team(quoted::align.funnel, name) <> name;
SELECT left(name, 20), kind, 'stages' FROM documents WHERE kind <= 4 AND NOT EXISTS (SELECT FROM align.stages(quoted::align.funnel) AS s WHERE s.stage = name);
SELECT left(name, 20), kind, 'handoffs' FROM documents, align.handoffs(quoted::align.funnel) AS h
WHERE (kind = 5 AND (h.handoff, h.stage, h.from_team) <> (name, name, name)) OR (kind = 7 AND (h.from_team <> name OR name <> ALL (h.reject || CASE WHEN h.handoff = 'h1' THEN name END) AND h.handoff <> 'h1'));
SELECT left(name, 20), kind, 'targets' FROM documents, align.targets(quoted::align.funnel) AS t WHERE kind = 11 AND t.team <> name;
SELECT left(name, 20), kind, 'channels' FROM documents WHERE kind = 13 AND ARRAY(SELECT c::text FROM align.channels(quoted::align.funnel) AS c)
	<> ARRAY[ROW(name, 's', NULL::text, 'n')::text, ROW(name || '2', NULL::text, 'm', NULL::text)::text];
-- a label that equals it
SELECT left(name, 20), 'label' FROM names, LATERAL (SELECT ('stage open1; won won1; success path open1 -> won1; open1 known as ''' || replace(name, '''', '''''') || ''';') AS document) AS d
WHERE (align.stage_name(document::align.funnel, name) <> 'open1' OR document::align.funnel::text::align.funnel <> document::align.funnel
	OR document::align.funnel::jsonb::align.funnel <> document::align.funnel);
-- a condition and a calendar in quotes
SELECT 'stage a; won w; success path a -> w; a needs ''x = ''''it''''''''s'''' -- "'';'::align.funnel;
-- all at once
SELECT count(*) FROM names, align.stages((SELECT 'stage ' || string_agg(pg_temp.q(name), ', ' ORDER BY n) || '; won "the end"; success path "hours" -> "the end"; path "hours" -> '
	|| string_agg(pg_temp.q(name), ', ' ORDER BY n) FILTER (WHERE name <> 'hours') || ';' FROM names)::align.funnel) AS s WHERE s.stage = name;
SELECT 'mermaid', count(*) FILTER (WHERE line !~ '^    (state "[^"{}<>:%\[\];#]*((#\d+;)[^"{}<>:%\[\];#]*)*" as [A-Za-z][A-Za-z0-9_]*|(\[\*\]|[A-Za-z][A-Za-z0-9_]*) --> (\[\*\]|[A-Za-z][A-Za-z0-9_]*)( : .*)?|class .*|classDef .*)$'
	AND line <> 'stateDiagram-v2') AS odd, count(*) > 1000 AS many
FROM documents, regexp_split_to_table(align.mermaid(quoted::align.funnel), '\n') AS line;
-- What is no name at all.
SELECT left(align.stage_name(('stage "' || repeat('x', 120000) || '"; won w; success path "' || repeat('x', 120000) || '" -> w;')::align.funnel, repeat('x', 120000)), 5);
