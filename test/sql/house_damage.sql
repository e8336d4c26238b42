-- Stored bytes that no input function made, as after a damaged page: an error,
-- and nothing computed from them.
\set VERBOSITY terse
SET client_min_messages = warning;
SET search_path = public, align;
CREATE CAST (bytea AS lead) WITHOUT FUNCTION;
CREATE CAST (bytea AS funnel) WITHOUT FUNCTION;

CREATE FUNCTION pg_temp.fail(query text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	said text;
BEGIN
	EXECUTE query INTO said;
	RETURN 'no error: ' || coalesce(said, 'NULL');
EXCEPTION WHEN OTHERS THEN
	GET STACKED DIAGNOSTICS said = PG_EXCEPTION_DETAIL;
	RETURN concat_ws(' | ', sqlstate || ' ' || sqlerrm, nullif(said, ''));
END $$;

-- Times: flags, unit, dictionary ("x"), number of entries, then head and time of
-- each (the first signed, the others what is added).
CREATE TABLE damaged (id int, what text, journey lead);
INSERT INTO damaged
SELECT n, what, decode(replace(bytes, ' ', ''), 'hex')::lead
FROM (VALUES
	(1, 'as good as any', '00 04 01 0278 02 0202 0201'),
	(2, '-infinity', '00 00 01 0278 01 02 ffffffffffffffffff01'),
	(3, 'infinity', '00 00 01 0278 01 02 feffffffffffffffff01'),
	(4, 'before 4713 BC', '00 00 01 0278 01 02 818083eed7cfc1f005'),
	(5, 'the first there is', '00 00 01 0278 01 02 ffff82eed7cfc1f005'),
	(6, 'the last there is', '00 00 01 0278 01 02 feff94bbf6d6ffffff01'),
	(7, 'after 294276 AD', '00 00 01 0278 01 02 808095bbf6d6ffffff01'),
	(8, 'out of range in days', '00 04 01 0278 01 02 ffffffffffffffffff01'),
	(9, 'wraps round to 2000 in days', '00 04 01 0278 01 02 8080808080808008'),
	(10, 'goes back by an overflow', '00 00 01 0278 02 0214 02 ffffffffffffffffff01'),
	(11, 'beyond the last by a step', '00 00 01 0278 02 02 feff94bbf6d6ffffff01 02 01'),
	(12, 'the last again', '00 00 01 0278 02 02 feff94bbf6d6ffffff01 02 00'),
	(13, 'no entry', '00 00 00 00')
) AS v (n, what, bytes);

SELECT id, what, pg_temp.fail(format('SELECT journey::text FROM damaged WHERE id = %s', id)) AS text FROM damaged ORDER BY id;

-- Whatever is asked of them.
SELECT question, string_agg(id::text, ', ' ORDER BY id) FILTER (WHERE answer LIKE 'XX001 stored value of type lead is corrupted | %') AS refused,
	string_agg(DISTINCT left(answer, 5), ', ') FILTER (WHERE answer NOT LIKE 'no error%') AS codes
FROM damaged, unnest('{
	"current_stage(journey)", "stage_at(journey, ''infinity'')", "since(journey)", "reached(journey, ''y'')", "path(journey)",
	"time_in(journey, ''x'', ''2026-03-01'')", "journey::jsonb", "rollup(journey)", "count(e) FROM damaged, entries(journey) e",
	"progress(journey, ''{x}'', NULL, NULL, ''294000-01-01'')", "infer_agg(journey, NULL, NULL, NULL)",
	"conversion_agg(journey, ''{x,y}'', NULL, NULL, ''294000-01-01'')",
	"fits(journey, ''stage x; won y; success path x -> y;'')"}'::text[]) question,
	pg_temp.fail(format('SELECT %s%s WHERE id = %s', question, CASE WHEN question NOT LIKE '%FROM%' THEN ' FROM damaged' END, id)) answer
GROUP BY question ORDER BY question COLLATE "C";

-- A text that ends within a character: what is left of it is shown, and nothing
-- beyond the text.
SELECT encode(textsend(pg_temp.fail($$SELECT count(*) FROM stages(('\x00000000'::bytea || 'stage '::bytea || '\xe3'::bytea)::funnel)$$)), 'escape') AS answer;
