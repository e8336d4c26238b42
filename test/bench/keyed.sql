-- One lead of many by its key: journeys() and clocks() beside a look-up of the same
-- rows in an index.  Uses the tables that memory has left.
SET bench.clock = cpu;
\set calls 20000 * :scale
SELECT greatest(round(:calls), 2000)::int AS calls, count(*) AS leads FROM bench.big \gset
VACUUM ANALYZE bench.big;
VACUUM ANALYZE bench.big_history;
VACUUM ANALYZE bench.big_sla;

-- Prepared: the plan is made once.  Unprepared: each call parses and plans its query,
-- as when a client sends it as text.
CREATE FUNCTION bench.look_up(side text, calls int, leads bigint) RETURNS void LANGUAGE plpgsql AS
$$
DECLARE
	wanted bigint;
BEGIN
	FOR i IN 1 .. calls LOOP
		wanted := 1 + i * 7919::bigint % leads;
		CASE side
			WHEN 'history' THEN PERFORM * FROM bench.big_history WHERE id = wanted ORDER BY entry_no;
			WHEN 'journeys' THEN PERFORM * FROM align.journeys('bench.big', wanted);
			WHEN 'sla' THEN PERFORM * FROM bench.big_sla WHERE id = wanted AND outcome IS NULL;
			WHEN 'clocks' THEN PERFORM * FROM align.clocks('bench.big', now(), wanted);
			WHEN 'history, unprepared' THEN EXECUTE 'SELECT * FROM bench.big_history WHERE id = $1 ORDER BY entry_no' USING wanted;
			WHEN 'journeys, unprepared' THEN EXECUTE 'SELECT * FROM align.journeys(''bench.big'', $1)' USING wanted;
			WHEN 'sla, unprepared' THEN EXECUTE 'SELECT * FROM bench.big_sla WHERE id = $1 AND outcome IS NULL' USING wanted;
			WHEN 'clocks, unprepared' THEN EXECUTE 'SELECT * FROM align.clocks(''bench.big'', now(), $1)' USING wanted;
		END CASE;
	END LOOP;
END
$$;
SELECT string_agg(format('%L, %L', side, format('SELECT bench.look_up(%L, %s, %s)', side, :calls, :leads)), ', ') AS sides
FROM unnest(ARRAY['history', 'journeys', 'sla', 'clocks', 'history, unprepared', 'journeys, unprepared', 'sla, unprepared', 'clocks, unprepared']) AS side \gset
CALL bench.measure('keyed', :runs, :sides);
SELECT bench.add_against(format('%s(relation, %skey), 1 of %s leads, %sprepared', f, CASE f WHEN 'clocks' THEN 'as_of, ' END, :leads, un), 'keyed',
	f || CASE un WHEN 'un' THEN ', unprepared' ELSE '' END, 'index look-up', t || CASE un WHEN 'un' THEN ', unprepared' ELSE '' END, 3)
FROM (VALUES (1, 'journeys', 'history'), (2, 'clocks', 'sla')) AS v(no, f, t), unnest(ARRAY['', 'un']) WITH ORDINALITY AS u(un, un_no)
ORDER BY no, un_no \g /dev/null
INSERT INTO bench.note (note) VALUES (format('keys: %s calls a run, in one backend', :calls));
DROP TABLE bench.big, bench.big_history, bench.big_sla, bench.big_noop;
