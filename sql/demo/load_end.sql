-- load_end.sql   from what the CSV files say to demo.event.
--
-- Rows without a lead or a time, and rows with neither stage nor campaign, say
-- nothing about a journey; they are counted and left out.
CREATE TABLE demo.event AS
SELECT trim(lead) AS lead,
	   at::timestamptz AS at,
	   nullif(trim(stage), '') AS stage,
	   nullif(trim(team), '') AS team,
	   nullif(trim(reason), '') AS reason,
	   nullif(trim(campaign), '') AS campaign,
	   nullif(trim(amount), '')::numeric AS amount
FROM demo.csv
WHERE trim(lead) <> '' AND trim(at) <> '' AND (trim(stage) <> '' OR trim(campaign) <> '')
ORDER BY line;

SELECT count(*) - (SELECT count(*) FROM demo.event) AS left_out, count(*) AS rows FROM demo.csv
\gset
\if :{?left_out}
\echo :rows rows, :left_out of them without lead, time or stage and left out
\endif
DO $$
BEGIN
	IF NOT EXISTS (SELECT FROM demo.event WHERE stage IS NOT NULL) THEN
		RAISE EXCEPTION 'the CSV files hold no row with a lead, a time and a stage';
	END IF;
END
$$;

-- The story is told on the day of the last row.
CREATE TABLE demo.today AS SELECT max(at) AS as_of FROM demo.event;

ANALYZE demo.event;
