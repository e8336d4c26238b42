-- A relation that does not exist, as an OID, is 42P01 for every function that takes one.
\set SHOW_CONTEXT never
CREATE FUNCTION pg_temp.state(command text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
	EXECUTE command;
	RETURN 'done: ' || command;
EXCEPTION WHEN OTHERS THEN
	RETURN format('%s %s', SQLSTATE, SQLERRM);
END $$;
SELECT call, pg_temp.state(format('SELECT * FROM align.' || call, '4294967295::oid::regclass'))
FROM unnest(ARRAY['attach(%s, ''none'')', 'detach(%s)', 'check(%s)', 'journeys(%s)', 'clocks(%s)', 'clocks(%s, now())', 'explain_move(%s, 1, ''x'')', 'explain_move(%s, 1, ''x'', ''y'')',
	'backtest(%s, ''stage a; won b; success path a -> b;''::align.funnel)', 'notify_handoffs(%s)', 'notify_due(%s)', 'merge_leads(%s, 1, 2)', 'erase(%s, 1)', 'purge(%s, now())']) AS call;
-- a table that is dropped within the transaction, and one that is no table
BEGIN;
CREATE TABLE gone (id int PRIMARY KEY, stage text);
SELECT 'gone'::regclass::oid AS gone \gset
DROP TABLE gone;
SELECT call, regexp_replace(pg_temp.state(format('SELECT * FROM align.' || call, :gone || '::oid::regclass')), '\d{5,}', 'N')
FROM unnest(ARRAY['attach(%s, ''none'')', 'detach(%s)', 'check(%s)', 'journeys(%s)', 'clocks(%s)', 'explain_move(%s, 1, ''x'')', 'notify_handoffs(%s)', 'notify_due(%s)', 'merge_leads(%s, 1, 2)', 'erase(%s, 1)', 'purge(%s, now())']) AS call;
ROLLBACK;
SELECT call, left(pg_temp.state(format('SELECT * FROM align.' || call, '''pg_catalog.pg_class_oid_index''::regclass')), 5) AS state
FROM unnest(ARRAY['attach(%s, ''none'')', 'detach(%s)', 'check(%s)', 'journeys(%s)', 'clocks(%s)', 'explain_move(%s, 1, ''x'')', 'notify_handoffs(%s)', 'notify_due(%s)', 'merge_leads(%s, 1, 2)', 'erase(%s, 1)', 'purge(%s, now())']) AS call;
