-- clocks() of the present reads the open clocks alone, however many are closed, whether or
-- not the table was ever analyzed.
SET timezone = 'UTC';
SET client_min_messages = warning;
CREATE SCHEMA clocks_open;
SET search_path = clocks_open;

SELECT align.agree('clocks_open', $$
    stage new held by sales;
    won done;
    success path new -> done;
    sla answer by sales: from new to done within 2 days;
$$);
CREATE TABLE leads (id int PRIMARY KEY, stage text, at timestamptz);
SELECT align.attach('leads', agreement => 'clocks_open', changed_at => 'at');

ALTER TABLE leads_sla SET (autovacuum_enabled = off);
ALTER TABLE leads_sla DISABLE TRIGGER USER;
INSERT INTO leads_sla (id, sla, cycle, started_at, due_at, paused, elapsed, stopped_at, outcome, agreement, version)
SELECT i, 'answer', 1, '2025-03-02', '2025-03-04', '{}', '1 day', '2025-03-03', 'met', 'clocks_open', 1
FROM generate_series(1, 40000) AS i;
ALTER TABLE leads_sla ENABLE TRIGGER USER;
INSERT INTO leads SELECT i, 'new', '2025-03-03 00:00+00' FROM generate_series(100001, 100400) AS i;

BEGIN;
SELECT seq_tup_read, idx_tup_fetch FROM pg_stat_xact_user_tables WHERE relid = 'leads_sla'::regclass \gset
SELECT count(*), min(state), max(remaining) < '-1 year' AS long_overdue FROM align.clocks('leads');
SELECT seq_tup_read - :seq_tup_read AS read_in_sequence, idx_tup_fetch - :idx_tup_fetch AS read_by_index
FROM pg_stat_xact_user_tables WHERE relid = 'leads_sla'::regclass;
COMMIT;
ANALYZE leads_sla;
BEGIN;
SELECT seq_tup_read, idx_tup_fetch FROM pg_stat_xact_user_tables WHERE relid = 'leads_sla'::regclass \gset
SELECT count(*), min(state), max(remaining) < '-1 year' AS long_overdue FROM align.clocks('leads');
SELECT seq_tup_read - :seq_tup_read AS read_in_sequence, idx_tup_fetch - :idx_tup_fetch AS read_by_index
FROM pg_stat_xact_user_tables WHERE relid = 'leads_sla'::regclass;
COMMIT;

RESET search_path;
DROP SCHEMA clocks_open CASCADE;
