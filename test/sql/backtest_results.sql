-- backtest: what an agreement would have refused or missed.
SET TimeZone = 'UTC';
\set SHOW_CONTEXT never
BEGIN;
CREATE TABLE event (id int GENERATED ALWAYS AS IDENTITY, lead int, at timestamptz, stage text, team text, reason text);
INSERT INTO event (lead, at, stage, team, reason) VALUES
    (1, '2026-01-01', 'inquiry', 'marketing', NULL), (1, '2026-01-02', 'MQL', 'marketing', NULL), (1, '2026-01-09', 'customer', 'sales', NULL),
    (2, '2026-01-01', 'inquiry', 'marketing', NULL), (2, '2026-01-03', 'customer', 'marketing', NULL),
    (2, '2026-01-04', 'zombie', NULL, NULL), (2, '2026-01-05', 'inquiry', NULL, NULL),
    (3, '2026-01-08', 'inquiry', 'marketing', NULL), (3, '2026-01-08 12:00', 'lost', 'marketing', NULL),
    (4, '2026-01-01', 'inquiry', NULL, NULL), (4, '2026-01-01 06:00', 'lost', 'marketing', 'whim'),
    (5, '2026-01-08 12:00', 'mql', NULL, NULL), (5, '2026-01-08 13:00', 'lost', 'marketing', 'price'),
    (6, '2026-01-07', 'inquiry', NULL, NULL);
CREATE TABLE given AS SELECT align.funnel $$
    stage inquiry, mql held by marketing;
    won customer;
    lost lost;
    entry inquiry;
    success path inquiry -> mql -> customer;
    path any -> lost;
    mql known as 'MQL';
    inquiry -> lost needs reason (price, spam);
    sla first_touch by marketing: from inquiry to mql, customer, lost within 1 day;
    sla "to a customer" by sales: from mql to customer, lost within 2 days;
$$ AS f;

-- A log's own numbers decide between equal times, wherever the column is; segments decide which promise was made.
CREATE TABLE log (no int, lead int, on_day date, stage text, segments text[]);
INSERT INTO log VALUES (3, 1, '2026-01-01', 'customer', NULL), (1, 1, '2026-01-01', 'inquiry', NULL), (2, 1, '2026-01-01', 'mql', NULL),
    (4, 2, '2026-01-01', 'inquiry', '{vip}'), (5, 2, '2026-01-01', 'mql', '{vip}'), (6, 2, '2026-01-03', 'customer', NULL), (7, 3, '2026-01-01', 'inquiry', '{vip}');
CREATE FUNCTION pg_temp.log_findings(query text) RETURNS TABLE (rule text, from_stage text, stage text, examples text[]) LANGUAGE sql AS $$
    SELECT rule, from_stage, stage, examples FROM align.backtest(query, 'stage inquiry, mql; won customer; success path inquiry -> mql -> customer; segment vip: ''true'';
        sla s by t: from inquiry to mql within 1 day when vip, within 9 days; sla t by t: from mql to customer within 1 day when vip, within 9 days;') $$;
SELECT * FROM pg_temp.log_findings('SELECT lead, on_day, stage FROM log');
SELECT * FROM pg_temp.log_findings('SELECT lead, on_day, stage, no AS ordinal FROM log');
SELECT * FROM pg_temp.log_findings('SELECT lead, on_day, stage, segments, NULL::text, no::bigint AS ordinal, ''why'' FROM log -- with team and reason');

-- With reasons, all rules; without, the reason of a loss is missing each time.
SELECT * FROM align.backtest('SELECT lead, at, stage, team, reason FROM event', (SELECT f FROM given));
SELECT * FROM align.backtest('SELECT lead, at, stage, team FROM event', (SELECT f FROM given)) WHERE rule LIKE '%reason';
SELECT * FROM align.backtest('SELECT lead, at, stage FROM event', (SELECT f FROM given)) WHERE rule LIKE '%reason';

-- A clock that still runs is judged at the largest time in the data, here a later one.
SELECT rule, from_stage, stage, examples FROM align.backtest(
    $$SELECT lead, at, stage FROM event UNION ALL SELECT 7, '2026-02-01', 'mql'$$, (SELECT f FROM given))
WHERE rule LIKE 'missed%' AND stage IS NULL;
-- exactly at its due it is not missed
SELECT rule, from_stage, stage, examples FROM align.backtest(
    $$VALUES (1, timestamptz '2026-01-01', 'inquiry'), (2, '2026-01-02', 'mql')$$, (SELECT f FROM given)) WHERE rule LIKE 'missed%';
SELECT rule, from_stage, stage, examples FROM align.backtest(
    $$VALUES (1, timestamptz '2026-01-01', 'inquiry'), (2, '2026-01-02 00:00:00.000001', 'mql')$$, (SELECT f FROM given)) WHERE rule LIKE 'missed%';

-- Ways to write it: a semicolon, comments, WITH, VALUES, TABLE, ORDER BY, LIMIT, upper case, empty results.
SELECT sum(entries) FROM align.backtest('SELECT lead, at, stage FROM event;', (SELECT f FROM given));
SELECT sum(entries) FROM align.backtest('SELECT lead, at, stage FROM event -- all of it', (SELECT f FROM given));
SELECT sum(entries) FROM align.backtest(E'/* events */ SELECT lead, at, stage FROM event ; -- all; of it\n  ', (SELECT f FROM given));
SELECT sum(entries) FROM align.backtest('WITH e AS (SELECT * FROM event) SELECT e.lead, e.at, e.stage FROM e ORDER BY 3, 2, 1', (SELECT f FROM given));
SELECT sum(entries) FROM align.backtest('(SELECT lead, at, stage FROM event LIMIT 3) UNION ALL (SELECT lead, at, stage FROM event OFFSET 3)', (SELECT f FROM given));
SELECT * FROM align.backtest('SELECT 1 AS a, now() AS a, ''nowhere'' AS a', (SELECT f FROM given));
SELECT * FROM align.backtest('SELECT lead, at, stage FROM event WHERE false', (SELECT f FROM given));

-- Rows without lead, time or stage are passed over, and make no lead.
SELECT rule, leads, share FROM align.backtest(
    $$VALUES (1, timestamptz '2026-01-01', 'nowhere'), (NULL, '2026-01-01', 'mql'), (2, NULL, 'mql'), (3, '2026-01-01', NULL)$$,
    (SELECT f FROM given));

-- Types of keys, times and labels.
CREATE TYPE pair AS (a int, b text);
CREATE TYPE label AS ENUM ('nowhere', 'mql');
CREATE DOMAIN mark AS varchar(20) CHECK (value <> '');
CREATE DOMAIN instant AS timestamptz;
SELECT leads, entries, examples FROM align.backtest('VALUES (1.0, timestamptz ''2026-01-01'', ''a''::name), (1.00, ''2026-01-02'', ''b'')', (SELECT f FROM given)) WHERE stage = 'b';
SELECT examples, stage FROM align.backtest('SELECT ROW(1, NULL)::pair, date ''2026-01-01'', ''nowhere''::label', (SELECT f FROM given));
SELECT examples, stage FROM align.backtest('SELECT ARRAY[1, 2], timestamp ''2026-01-01'', ''nowhere''::mark, NULL, NULL', (SELECT f FROM given));
SELECT examples, stage FROM align.backtest('SELECT ''x''::bytea, ''2026-01-01''::instant, 17', (SELECT f FROM given));
SELECT examples, stage FROM align.backtest('SELECT ''{"a": 1}''::jsonb, now(), ''nowhere''::char(20)', (SELECT f FROM given));
-- times without zone are taken in the session's
SET LOCAL TimeZone = 'Asia/Tokyo';
SELECT count(*) FROM align.backtest($$VALUES (1, timestamp '2026-01-01', 'inquiry'), (1, '2026-01-02', 'mql')$$, (SELECT f FROM given)) WHERE rule LIKE 'missed%';
SET LOCAL TimeZone = 'UTC';

-- Labels may be long, and Unicode; examples are the smallest keys by bytes.
SELECT rule, stage = repeat('x', 10000) AS long, leads, examples FROM align.backtest(
    $$SELECT k, timestamptz '2026-01-01', repeat('x', 10000) FROM unnest('{b,a,é,Z,zz,aa,"",ab}'::text[]) AS k$$, (SELECT f FROM given));
SELECT stage, leads FROM align.backtest($$VALUES (1, now(), 'Ünïcödé 漏斗')$$, (SELECT f FROM given));

-- What the caller changed in this transaction is seen.
INSERT INTO event (lead, at, stage) VALUES (99, '2026-01-01', 'seen');
SELECT stage FROM align.backtest('SELECT lead, at, stage FROM event', (SELECT f FROM given)) WHERE stage = 'seen';

-- A backtest of a backtest.
SELECT rule, stage, leads, examples FROM align.backtest(
    $$SELECT rule || stage, now(), 'found' FROM align.backtest('SELECT lead, at, stage FROM event', (SELECT f FROM given)) WHERE stage IS NOT NULL$$,
    (SELECT f FROM given));

-- It is no obstacle to writing afterwards, nor inside a function.
SHOW transaction_read_only;
DO $$
DECLARE
    n int;
BEGIN
    SELECT count(*) INTO n FROM align.backtest('SELECT lead, at, stage FROM event', (SELECT f FROM given));
    INSERT INTO event (lead, at, stage) VALUES (100, now(), n::text);
    BEGIN
        PERFORM align.backtest('SELECT nonsense', (SELECT f FROM given));
    EXCEPTION WHEN undefined_column THEN
        RAISE NOTICE 'caught: %', SQLERRM;
    END;
    INSERT INTO event (lead, at, stage) VALUES (101, now(), 'mql');
END;
$$;
SELECT count(*) FROM event WHERE lead >= 100;
ROLLBACK;

-- In a read-only transaction as well.
BEGIN READ ONLY;
SELECT rule FROM align.backtest('SELECT 1, now(), ''x''', 'stage a; won b; success path a -> b;');
ROLLBACK;

-- Against the functions that judge one lead: the same, counted.
BEGIN;
CREATE TABLE given AS SELECT align.funnel $$
    hours 'Europe/London Mo-Fr 09:00-17:30';
    stage inquiry, mql held by marketing;
    stage sal, nurture held by sales;
    won customer;
    lost lost;
    entry inquiry, mql;
    success path inquiry -> mql -> sal -> customer;
    path mql, sal -> nurture -> mql;
    path any -> lost;
    sal known as 'Accepted';
    handoff hand_over: mql from marketing to sales, accept sal, reject nurture, lost with reason (price, spam), within 4 working hours;
    sla follow_up by sales: from sal to customer, lost within 3 days, pause nurture;
$$ AS f;
-- A generator of our own, so that every major and platform draws the same: seed 20260301.
CREATE TABLE event AS
WITH RECURSIVE drawn AS (
    SELECT 0 AS i, 20260301::bigint AS x
    UNION ALL
    SELECT i + 1, (x * 1103515245 + 12345) % 2147483648 FROM drawn WHERE i < 6000
)
SELECT i, (x / 64) % 700 AS lead,
       timestamptz '2026-01-01' + (i * 7) % 6001 * interval '37 minutes' AS at,
       ('{inquiry,mql,sal,customer,lost,nurture,Accepted,elsewhere}'::text[])[1 + (x / 4096) % 8] AS stage,
       ('{marketing,sales,support,NULL}'::text[])[1 + (x / 32768) % 4] AS team,
       ('{price,spam,whim,NULL}'::text[])[1 + (x / 262144) % 4] AS reason
FROM drawn;
CREATE TABLE journey AS SELECT lead::text, align.lead_agg(at, stage, team, reason) AS journey FROM event GROUP BY lead;
CREATE TABLE tested AS
SELECT * FROM align.backtest('SELECT lead, at, stage, team, reason FROM event', (SELECT f FROM given));
CREATE TABLE expected AS
SELECT rule, from_stage, stage, count(DISTINCT lead) AS leads, count(*) AS entries,
       count(DISTINCT lead) / (SELECT count(*)::float8 FROM journey) AS share,
       (SELECT array_agg(l ORDER BY l COLLATE "C") FROM (SELECT DISTINCT l COLLATE "C" AS l FROM unnest(array_agg(lead)) AS l ORDER BY 1 LIMIT 5) AS s) AS examples
FROM (
    SELECT lead, v.rule, v.from_stage, v.stage
    FROM journey, given, align.violations(journey, f) AS v
    UNION ALL
    SELECT lead, 'missed ' || c.sla, align.stage_name(f, align.stage_at(journey, c.started_at)),
           CASE WHEN c.state = 'missed' THEN COALESCE(align.stage_name(f, NULLIF(align.stage_at(journey, c.stopped_at), 'elsewhere')), NULL) END
    FROM journey, given, align.sla_clocks(journey, f, (SELECT max(at) FROM event)) AS c
    WHERE c.state IN ('missed', 'overdue')
) AS found
GROUP BY 1, 2, 3;
SELECT count(*) > 30 AS many, count(DISTINCT rule) AS rules, sum(entries) > 1000 AS and_often FROM expected;
(SELECT 'unexpected' AS what, * FROM tested EXCEPT ALL SELECT 'unexpected', * FROM expected)
UNION ALL
(SELECT 'not found', * FROM expected EXCEPT ALL SELECT 'not found', * FROM tested);

-- Whatever the plan and the order of the rows.
SET LOCAL parallel_setup_cost = 0;
SET LOCAL parallel_tuple_cost = 0;
SET LOCAL min_parallel_table_scan_size = 0;
SELECT count(*) AS different FROM (SELECT * FROM align.backtest('SELECT lead, at, stage, team, reason FROM event', (SELECT f FROM given)) EXCEPT ALL SELECT * FROM tested) AS s;
SET LOCAL enable_hashagg = off;
SET LOCAL work_mem = '64kB';
SELECT count(*) AS different FROM (SELECT * FROM align.backtest('SELECT lead, at, stage, team, reason FROM event ORDER BY md5(i::text)', (SELECT f FROM given)) EXCEPT ALL SELECT * FROM tested) AS s;
ROLLBACK;
