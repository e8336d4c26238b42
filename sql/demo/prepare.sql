-- prepare.sql   one journey per lead, and what ends one.
--
-- Expects demo.event and demo.today, and the psql variables won and lost: lists
-- of stages separated by commas, or empty.

-- The 100,000 rows of history become one value per lead.
CREATE TABLE demo.journey AS
SELECT lead, align.lead_agg(at, stage, team, reason, campaign, amount) AS journey
FROM demo.event
GROUP BY lead;

-- Which stages end a journey?  As told, or else by what such stages are usually
-- called; if nothing is called so, infer_agg takes a guess and says so.
CREATE TABLE demo.ending AS
WITH ends AS (
	SELECT align.current_stage(journey) AS stage, count(*) AS leads
	FROM demo.journey
	WHERE align.current_stage(journey) IS NOT NULL
	GROUP BY 1
), named AS (
	SELECT stage, leads,
		   stage ~* '(lost|disqual|unqual|unconv|^not |reject|declin|dead|junk|spam|invalid|abandon|cancel|refus|withdr)' AS sounds_lost,
		   stage ~* '(won|customer|convert|client|signed|sold|paid|purchas|closed|complete|success)' AS sounds_won
	FROM ends
), guess AS (
	SELECT coalesce(
			   nullif(array_remove(string_to_array(replace(:'won', ', ', ','), ','), ''), '{}'),
			   (SELECT array_agg(stage ORDER BY leads DESC, stage) FROM named WHERE sounds_won AND NOT sounds_lost),
			   '{}') AS won,
		   coalesce(
			   nullif(array_remove(string_to_array(replace(:'lost', ', ', ','), ','), ''), '{}'),
			   (SELECT array_agg(stage ORDER BY leads DESC, stage) FROM named WHERE sounds_lost),
			   '{}') AS lost
)
SELECT won, (SELECT coalesce(array_agg(l), '{}') FROM unnest(lost) l WHERE l <> ALL (won)) AS lost FROM guess;

-- A span of time for people: days, hours or minutes.  Working time is shown in
-- hours only, because a day of it is not 24.
CREATE FUNCTION demo.span(span interval, working boolean) RETURNS text LANGUAGE sql IMMUTABLE AS $$
	SELECT CASE WHEN hours >= 1 AND working THEN to_char(hours, 'FM999990.0') || ' working h'
				WHEN hours >= 48 THEN to_char(hours / 24, 'FM999990.0') || ' d'
				WHEN hours >= 1 THEN to_char(hours, 'FM90.0') || ' h'
				ELSE to_char(hours * 60, 'FM90') || ' min' END
	FROM (SELECT extract(epoch FROM span) / 3600 AS hours) h
$$;
