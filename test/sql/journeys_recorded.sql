-- Recorded histories as leads: journeys(), and backtest() on them.
SET timezone = 'UTC';
SET datestyle = ISO;
SET intervalstyle = postgres;
SET client_min_messages = warning;
CREATE SCHEMA journeys_recorded;
SET search_path = journeys_recorded;

SELECT align.agree('journeys_recorded', $$
    stage inquiry, mql held by marketing;
    stage sal held by sales;
    won customer;
    lost disqualified;
    success path inquiry -> mql -> sal -> customer;
    path any -> disqualified;
    sla first_touch by marketing: from inquiry to mql, customer, disqualified within 2 days;
$$);
CREATE TABLE leads (
    region text, stage text COLLATE "C", id int, status text, why text, team text, who text, camp text, value float8, at timestamptz,
    gone timestamptz, PRIMARY KEY (stage, id)
);
-- a key column of the history's own name
SELECT align.attach('leads', agreement => 'journeys_recorded', stage => 'status', team => 'team', assignee => 'who', reason => 'why',
                    campaign => 'camp', amount => 'value', changed_at => 'at', live => 'gone IS NULL', mode => 'observe');
INSERT INTO leads (stage, id, status, team, camp, value, at) VALUES
    ('eu', 1, 'inquiry', 'marketing', 'spring', NULL, '2025-03-03 10:00+00'),
    ('eu', 2, 'inquiry', 'marketing', NULL, 'NaN', '2025-03-03 10:00+00'),
    ('us', 1, 'sal', 'marketing', NULL, 10.50, '2025-03-03 10:00+00'),
    ('us', 2, NULL, NULL, NULL, NULL, '2025-03-03 10:00+00'),
    ('us', 3, 'inquiry', 'marketing', NULL, 'infinity', '2025-03-03 10:00+00');
UPDATE leads SET status = 'mql', at = '2025-03-04 10:00+00' WHERE (stage, id) = ('eu', 1);
UPDATE leads SET who = 'mia' WHERE (stage, id) = ('eu', 1);
UPDATE leads SET status = 'sal', team = 'sales', value = 99, at = '2025-03-04 11:00+00' WHERE (stage, id) = ('eu', 1);
UPDATE leads SET status = 'disqualified', why = 'price', at = '2025-03-06 11:00+00' WHERE (stage, id) = ('eu', 1);
-- two at one instant, one of which was told late, stay in their order
UPDATE leads SET status = 'customer', at = '2025-03-06 09:00+00' WHERE (stage, id) = ('us', 1);
UPDATE leads SET status = 'mql', at = '2025-03-03 10:00:01+00' WHERE (stage, id) = ('us', 1);
-- soft-deleted, and moved on all the same
UPDATE leads SET gone = '2025-03-06', at = NULL WHERE (stage, id) = ('eu', 2);
UPDATE leads SET status = 'customer', at = '2025-03-10 09:00+00' WHERE (stage, id) = ('eu', 2);
-- another key
UPDATE leads SET stage = 'asia', id = 9 WHERE (stage, id) = ('us', 3);
SELECT * FROM align.check('leads');
SELECT key_stage, id, entry_no, event, stage, source FROM leads_history ORDER BY 1, 2, 3;
SELECT key, lead FROM align.journeys('leads');

-- As leads, for whatever takes leads.
SELECT key->>'stage' AS region, (key->>'id')::int AS id, align.path(j.lead), align.current_stage(j.lead), align.fits(j.lead, align.agreed('journeys_recorded'))
FROM align.journeys('leads') AS j;
SELECT j.key, c.sla, c.state, c.elapsed, s.outcome, s.elapsed = c.elapsed AS same
FROM align.journeys('leads') AS j
     CROSS JOIN LATERAL align.sla_clocks(j.lead, align.agreed('journeys_recorded'), '2025-03-06 11:00+00') AS c
     LEFT JOIN leads_sla AS s ON (j.key->>'stage', (j.key->>'id')::int, c.sla, c.cycle) = (s.key_stage, s.id, s.sla, s.cycle);

-- backtest(): a table, or a text that is nothing but the name of one.
SELECT * FROM align.backtest('leads'::regclass, align.agreed('journeys_recorded'));
SELECT * FROM align.backtest('leads', align.agreed('journeys_recorded'));
SELECT * FROM align.backtest(' journeys_recorded . "leads"', align.agreed('journeys_recorded'));
-- the query that says the same, but does not know that eu 2 is gone
SELECT * FROM align.backtest($$
    SELECT ROW(key_stage, id), effective_at, stage, NULL::text, reason FROM journeys_recorded.leads_history
    WHERE event IN ('opening', 'entry', 'move', 'override') AND source IS DISTINCT FROM 'not live'
$$, align.agreed('journeys_recorded'));
-- names of other tables are no queries
SELECT * FROM align.backtest('leads_sla', align.agreed('journeys_recorded'));
SELECT * FROM align.backtest('leads_sla'::regclass, align.agreed('journeys_recorded'));
SELECT * FROM align.backtest(NULL::regclass, align.agreed('journeys_recorded'));
SELECT * FROM align.backtest('leads'::regclass, NULL);
SELECT * FROM align.journeys('leads_sla');
SELECT * FROM align.journeys(NULL);

-- A key of one column is shown as it is.
CREATE TABLE deals (id uuid PRIMARY KEY, stage text);
SELECT align.attach('deals', agreement => 'journeys_recorded', mode => 'observe');
INSERT INTO deals VALUES ('00000000-0000-0000-0000-000000000001', 'customer');
SELECT rule, from_stage, stage, leads, examples FROM align.backtest('deals', align.agreed('journeys_recorded'));
SELECT key, align.path(j.lead) FROM align.journeys('deals') AS j;
TRUNCATE deals;
SELECT key, align.path(j.lead) FROM align.journeys('deals') AS j;

-- Reads the history with the caller's rights, and nothing else.
CREATE ROLE journeys_reader;
GRANT USAGE ON SCHEMA journeys_recorded TO journeys_reader;
SET ROLE journeys_reader;
SELECT count(*) FROM align.journeys('leads');
RESET ROLE;
GRANT SELECT ON leads_history TO journeys_reader;
SET ROLE journeys_reader;
SELECT count(*) FROM align.journeys('leads');
SELECT count(*) > 0 FROM align.backtest('leads', align.agreed('journeys_recorded'));
SELECT count(*) FROM align.clocks('leads');
RESET ROLE;

-- Whatever the search_path, and whatever stands in it.
CREATE FUNCTION journeys_recorded.equals(text, text) RETURNS bool LANGUAGE plpgsql AS $$BEGIN RAISE 'called'; END$$;
CREATE OPERATOR journeys_recorded.= (LEFTARG = text, RIGHTARG = text, FUNCTION = journeys_recorded.equals);
CREATE OPERATOR journeys_recorded.!~ (LEFTARG = text, RIGHTARG = text, FUNCTION = journeys_recorded.equals);
SET search_path = journeys_recorded, pg_catalog;
SELECT count(*) FROM align.journeys('leads');
SELECT count(*) FROM align.clocks('leads');
SELECT problem, recorded FROM align.check('leads');
SELECT count(*) > 0 FROM align.backtest('leads', align.agreed('journeys_recorded'));

RESET search_path;
DROP SCHEMA journeys_recorded CASCADE;
DROP ROLE journeys_reader;
