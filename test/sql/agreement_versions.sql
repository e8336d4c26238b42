-- Agreements by name: versions, what is in force, what is refused.
SET TimeZone = 'UTC';

-- Within one transaction now() stands still.
BEGIN;

-- The first version; the document is kept as written.
SELECT align.agree('versions_a', 'stage new; won deal; success path new -> deal; -- as signed', note => 'first');
SELECT align.agreed('versions_a');
SELECT document, note, valid_from = now() AS from_now, owner = current_user AS mine,
       agreed_by = current_user AS by_me
FROM align.agreement WHERE name = 'versions_a';

-- A funnel has no comments: its canonical text is the document.
SELECT align.agree(name => 'versions_a', agreement => align.agreed('versions_a'));
SELECT version, document = funnel::text AS canonical FROM align.agreement WHERE name = 'versions_a' ORDER BY 1;

-- A version for later.
SELECT align.agree('versions_a', 'stage new, demo; won deal; success path new -> demo -> deal;', now() + interval '7 days');
SELECT align.agreed('versions_a');
SELECT align.agreed('versions_a', now() + interval '7 days' - interval '1 microsecond');
SELECT align.agreed('versions_a', now() + interval '7 days');

-- Whoever signs last decides, and is told what that undoes.
SELECT align.agree('versions_b', 'stage one; won deal; success path one -> deal;', '2090-01-01');
SELECT align.agree('versions_b', 'stage two; won deal; success path two -> deal;', '2090-01-03');
SELECT align.agree('versions_b', 'stage three; won deal; success path three -> deal;', '2090-01-02');
SELECT align.agree('versions_b', 'stage four; won deal; success path four -> deal;', '2090-01-02');
SELECT version, valid_from, valid_to, in_force FROM align.agreements WHERE name = 'versions_b' ORDER BY version;
SELECT d::date, substring(align.agreed('versions_b', d)::text FROM 'stage (.*?);') AS stage
FROM generate_series(timestamptz '2090-01-01', '2090-01-04', '1 day') AS d
ORDER BY d;

-- The view and the function agree.
SELECT count(*) AS versions, count(*) FILTER (WHERE in_force) AS in_force,
       bool_and(align.agreed(name) OPERATOR(align.=) funnel) FILTER (WHERE in_force) AS same
FROM align.agreements WHERE name = 'versions_a';
ROLLBACK;

-- Not yet in force; unknown; near misses.
BEGIN;
SELECT align.agree('versions_c', 'stage new; won deal; success path new -> deal;', '2090-01-01');
SAVEPOINT s;
SELECT align.agreed('versions_c', '2089-12-31 23:59:59.999999+00');
ROLLBACK TO s;
SELECT align.agreed('version_c');
ROLLBACK TO s;
SELECT align.agreed('versions_c', 'infinity');
ROLLBACK TO s;
SELECT align.agreed('');
ROLLBACK TO s;
SELECT align.agreed(repeat('x', 64));
ROLLBACK TO s;
SELECT align.agreed(NULL) IS NULL AS null_name, align.agreed('versions_c', NULL) IS NULL AS null_at;
ROLLBACK;

-- Refused agreements.
SELECT align.agree(NULL, 'stage new; won deal; success path new -> deal;');
SELECT align.agree('', 'stage new; won deal; success path new -> deal;');
SELECT align.agree(repeat('x', 64), 'stage new; won deal; success path new -> deal;');
SELECT align.agree('versions_d', NULL::text);
SELECT align.agree('versions_d', NULL::align.funnel);
SELECT align.agree('versions_d', 'stage new; won deal; success path new -> deal;', NULL);
SELECT align.agree('versions_d', 'stage new; won deal; success path new -> deal;', 'infinity');
SELECT align.agree('versions_d', 'stage new; won deal; success path new -> deal;', '-infinity');
SELECT align.agree('versions_d', 'stage new; won deal; success path new -> deel;');
SELECT align.agree('versions_d', 'hours ''Europe/Lodnon Mo-Fr 09:00-17:30''; stage new; won deal; success path new -> deal;');
SELECT align.agree('versions_d', 'hours of sales ''Europe/Lodnon Mo-Fr 09:00-17:30''; stage new held by sales; won deal; success path new -> deal;'::align.funnel);
\set VERBOSITY terse
SELECT align.agree('versions_d', 'stage new; won deal; success path new -> deal;', now() - interval '1 microsecond');
\set VERBOSITY default
SELECT count(*) FROM align.agreement WHERE name = 'versions_d';
BEGIN READ ONLY;
SELECT align.agree('versions_d', 'stage new; won deal; success path new -> deal;');
ROLLBACK;

-- 63 bytes are a name, whatever the characters.
BEGIN;
SELECT align.agree(repeat('ü', 31) || 'x', 'stage new; won deal; success path new -> deal;');
SELECT align.agreed(repeat('ü', 31) || 'x') IS NOT NULL AS found;
SELECT align.agree(repeat('ü', 32), 'stage new; won deal; success path new -> deal;');
ROLLBACK;

-- The table is append-only for everyone, the superuser included, in every mode.
BEGIN;
SELECT align.agree('versions_e', 'stage new; won deal; success path new -> deal;');
SAVEPOINT s;
UPDATE align.agreement SET note = 'other' WHERE name = 'versions_e';
ROLLBACK TO s;
DELETE FROM align.agreement WHERE name = 'versions_e';
ROLLBACK TO s;
TRUNCATE align.agreement;
ROLLBACK TO s;
INSERT INTO align.agreement SELECT * FROM align.agreement WHERE name = 'versions_e'
    ON CONFLICT (name, version) DO UPDATE SET note = 'other';
ROLLBACK TO s;
SET LOCAL session_replication_role = replica;
UPDATE align.agreement SET note = 'other' WHERE name = 'versions_e';
ROLLBACK TO s;
SET LOCAL session_replication_role = replica;
TRUNCATE align.agreement;
ROLLBACK;

-- The trigger function is one, and only for what it is made for.
SELECT align.agreement_guard();
BEGIN;
CREATE TEMP TABLE bystander (i int);
CREATE TRIGGER t BEFORE INSERT ON bystander FOR EACH STATEMENT EXECUTE FUNCTION align.agreement_guard();
INSERT INTO bystander VALUES (1);
ROLLBACK;
