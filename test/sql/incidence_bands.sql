-- score_bands: does a score, or a rule, predict?
SET search_path = public, align;
SET extra_float_digits = 0;

CREATE TABLE scored AS
SELECT n, n * 7919 % 100 AS score, CASE WHEN n % 10 < 3 THEN 'hot' WHEN n % 10 < 8 THEN 'cold' END AS band, CASE WHEN n % 11 > 0 THEN n * 7919 % 100 > 60 AND n % 3 > 0 END AS won
FROM generate_series(1, 400) n;

-- A band is a label; leads that are not decided do not count, those without a label are a band.
SELECT band_no, band, n, happened, undecided, round(rate::numeric, 4) AS rate, round(lower::numeric, 4) AS lower, round(upper::numeric, 4) AS upper, round(lift::numeric, 4) AS lift
FROM score_bands('SELECT band, won FROM scored');
SELECT count(*) AS bands, bool_and((b.n, b.happened, b.undecided) = (s.n, s.happened, s.undecided)
	AND (b.rate, b.lower, b.upper) = (SELECT rate, lower, upper FROM wilson(s.happened, s.n, 0.8)) AND abs(b.lift - s.happened / s.n::float8 / (s.all_happened / s.all_n::float8)) < 1e-12) AS same
FROM score_bands('SELECT band, won FROM scored', confidence => 0.8) b LEFT JOIN (
	SELECT band, count(won) AS n, count(*) FILTER (WHERE won) AS happened, count(*) - count(won) AS undecided, sum(count(won)) OVER () AS all_n, sum(count(*) FILTER (WHERE won)) OVER () AS all_happened
	FROM scored GROUP BY band) s ON s.band IS NOT DISTINCT FROM b.band;
-- A number is a score; equal scores stay together.
SELECT band_no, band, n, happened, undecided, round(lift::numeric, 3) AS lift FROM score_bands('SELECT score, won FROM scored;', 4);
SELECT band_no, band, n FROM score_bands('SELECT CASE WHEN n <= 350 THEN 1 ELSE n / 100.0 END, true FROM scored WHERE n % 10 = 0', 4);
SELECT band, n, happened, rate, lift FROM score_bands('SELECT 1.5::float8, false FROM scored');
SELECT count(*), sum(n), min(n), max(n) FROM score_bands('SELECT n, true FROM scored', 1000);
SELECT band, n, undecided, rate, lower, lift FROM score_bands('SELECT NULL::int, NULL::boolean FROM scored');
-- Booleans and enums, in their order; a domain; a trailing comment.
CREATE TYPE grade AS ENUM ('poor', 'fair', 'good');
CREATE DOMAIN points AS int;
CREATE DOMAIN truth AS boolean;
SELECT band, n FROM score_bands('SELECT score > 50, won FROM scored');
SELECT band, n FROM score_bands('SELECT (enum_range(NULL::grade))[1 + n % 3], won FROM scored -- by grade');
SELECT band, n FROM score_bands('SELECT score::points, won::truth FROM scored', 2);
SELECT count(*) FROM score_bands('SELECT 1, true WHERE false');

-- What is refused.
\set SHOW_CONTEXT never
SELECT score_bands(NULL);
SELECT score_bands('SELECT 1, true', 0);
SELECT score_bands('SELECT 1, true', 1001);
SELECT score_bands('SELECT 1, true', 5, 1);
SELECT score_bands('SELECT 1');
SELECT score_bands('SELECT 1, true, 2');
SELECT score_bands('SELECT 1, 1');
SELECT score_bands('SELECT point(1, 1), true');
SELECT score_bands('SELECT n::text, true FROM generate_series(1, 1001) n');
SELECT score_bands('');
SELECT score_bands('SELECT 1, true; SELECT 2, true');
SELECT score_bands('DELETE FROM scored RETURNING 1, true');
SELECT score_bands('WITH x AS (DELETE FROM scored RETURNING 1, true) SELECT * FROM x');
SELECT score_bands('SELECT 1, true) AS q (band, outcome) GROUP BY 1; DROP TABLE scored; --');
CREATE FUNCTION sneaky() RETURNS boolean LANGUAGE plpgsql AS $$ BEGIN DELETE FROM scored; RETURN true; END $$;
SELECT score_bands('SELECT 1, sneaky()');
SELECT score_bands('SELECT 1, pg_catalog.set_config(''transaction_read_only'', ''off'', false) = ''off'' AND sneaky()');
SELECT count(*) AS still_there FROM scored;

-- It runs with the caller's privileges, and not as anything else.
CREATE ROLE regress_band_reader;
GRANT USAGE ON SCHEMA align TO regress_band_reader;
SET ROLE regress_band_reader;
SELECT score_bands('SELECT band, won FROM public.scored');
SELECT score_bands('SELECT current_user, true') ;
RESET ROLE;
REVOKE USAGE ON SCHEMA align FROM regress_band_reader;
DROP ROLE regress_band_reader;
DROP TABLE scored;
DROP FUNCTION sneaky();
DROP TYPE grade;
DROP DOMAIN points, truth;
