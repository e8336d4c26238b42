/* rates with confidence bounds */

CREATE FUNCTION align.wilson(successes bigint, trials bigint, confidence float8 DEFAULT 0.95,
		OUT rate float8, OUT lower float8, OUT upper float8)
	AS 'MODULE_PATHNAME', 'align_wilson_sql'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 2;
COMMENT ON FUNCTION align.wilson(bigint, bigint, float8) IS
	'successes / trials with Wilson''s score bounds, those of steps(conversion); without trials the rate is NULL and the bounds are 0 and 1';

CREATE FUNCTION align.compare_rates(successes_1 bigint, trials_1 bigint, successes_2 bigint, trials_2 bigint, confidence float8 DEFAULT 0.95,
		OUT difference float8, OUT lower float8, OUT upper float8, OUT z float8, OUT p float8)
	AS 'MODULE_PATHNAME', 'align_compare_rates'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 2;
COMMENT ON FUNCTION align.compare_rates(bigint, bigint, bigint, bigint, float8) IS
	'the first rate minus the second with Newcombe''s bounds (1998, method 10), and z and two-sided p of the hypothesis that both are equal (pooled): NULL if all trials have one outcome; without trials of either the difference is NULL';
