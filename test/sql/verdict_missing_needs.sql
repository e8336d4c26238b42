-- missing_needs(): what a stage needs that a row does not have.
CREATE SCHEMA missing_needs;
SET search_path = missing_needs;
SELECT align.agree('missing needs', $$
    stage mql, sal, "my stage";
    won customer;
    success path mql -> sal -> "my stage" -> customer;
    sal needs budget, "the email", 'budget >= 10000', reason (price);
    mql -> sal needs note;
    "my stage" needs nonsense, 'nonsense > 1';
    sal known as 'Accepted';
$$);
CREATE TABLE crm_lead (id int, budget numeric, dropped int, "the email" text, note text);
ALTER TABLE crm_lead DROP COLUMN dropped;
INSERT INTO crm_lead VALUES (1, NULL, ' '), (2, 5, 'a@b'), (3, 10000, 'a@b'), (4, 20000, NULL);

SELECT r.id, align.missing_needs(r, align.agreed('missing needs'), 'sal') FROM crm_lead AS r ORDER BY id;
SELECT align.missing_needs(r, align.agreed('missing needs'), 'Accepted'), align.missing_needs(r, align.agreed('missing needs'), 'customer'),
       align.missing_needs(r, align.agreed('missing needs'), 'nothing'), align.missing_needs(r, align.agreed('missing needs'), 'my stage')
FROM crm_lead AS r WHERE id = 1;

-- two agreements in turn
SELECT f.n, align.missing_needs(r, f.funnel, 'sal')
FROM crm_lead AS r, (VALUES (1, align.agreed('missing needs')), (2, 'stage sal; won b; success path sal -> b; sal needs note;')) AS f (n, funnel)
WHERE id IN (1, 2) ORDER BY r.id, f.n;

-- rows of two tables in turn, a partitioned one, a domain over the row type
CREATE TABLE other (budget int, note text) PARTITION BY LIST (budget);
CREATE TABLE other_1 PARTITION OF other DEFAULT;
INSERT INTO other VALUES (1, 'x');
CREATE FUNCTION needs_of(r record) RETURNS text[] LANGUAGE plpgsql AS $$ BEGIN RETURN align.missing_needs(r, align.agreed('missing needs'), 'sal'); END $$;
SELECT needs_of(r) AS crm_lead, (SELECT needs_of(o) FROM other AS o) AS other, (SELECT needs_of(p) FROM other_1 AS p) AS other_1 FROM crm_lead AS r WHERE id < 3 ORDER BY id;
CREATE DOMAIN lead_row AS crm_lead;
SELECT align.missing_needs(ROW (1, 2, 'c', 'd')::crm_lead::lead_row, align.agreed('missing needs'), 'sal');

-- NULLs, and a row of no table
SELECT align.missing_needs(NULL::crm_lead, align.agreed('missing needs'), 'sal'), align.missing_needs(r, NULL, 'sal'), align.missing_needs(r, align.agreed('missing needs'), NULL)
FROM crm_lead AS r WHERE id = 1;
SELECT align.missing_needs(ROW (1, 2), align.agreed('missing needs'), 'sal');

-- without privileges on the table: the row is what the caller has
CREATE ROLE align_reader;
CREATE VIEW mine AS SELECT id, align.missing_needs(r, align.agreed('missing needs'), 'sal') AS missing FROM crm_lead AS r;
GRANT SELECT ON mine TO align_reader;
SET ROLE align_reader;
SELECT * FROM mine ORDER BY id;
RESET ROLE;
DROP VIEW mine;
DROP ROLE align_reader;
DROP SCHEMA missing_needs CASCADE;
