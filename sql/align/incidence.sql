/* incidence: a mergeable summary of when cases had which outcome */

CREATE TYPE align.incidence;

CREATE FUNCTION align.incidence_in(cstring) RETURNS align.incidence
	AS 'MODULE_PATHNAME', 'align_incidence_in'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 20;
COMMENT ON FUNCTION align.incidence_in(cstring) IS
	'input function of type align.incidence';

CREATE FUNCTION align.incidence_out(align.incidence) RETURNS cstring
	AS 'MODULE_PATHNAME', 'align_incidence_out'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 20;
COMMENT ON FUNCTION align.incidence_out(align.incidence) IS
	'output function of type align.incidence';

CREATE FUNCTION align.incidence_recv(internal) RETURNS align.incidence
	AS 'MODULE_PATHNAME', 'align_incidence_recv'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 20;
COMMENT ON FUNCTION align.incidence_recv(internal) IS
	'binary input function of type align.incidence; checks everything that the text form checks';

CREATE FUNCTION align.incidence_send(align.incidence) RETURNS bytea
	AS 'MODULE_PATHNAME', 'align_incidence_send'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 2;
COMMENT ON FUNCTION align.incidence_send(align.incidence) IS
	'binary output function of type align.incidence: a version byte and the stored form, names in the client encoding';

CREATE TYPE align.incidence (
	INPUT = align.incidence_in,
	OUTPUT = align.incidence_out,
	RECEIVE = align.incidence_recv,
	SEND = align.incidence_send,
	INTERNALLENGTH = VARIABLE,
	ALIGNMENT = int4,
	STORAGE = extended
);
COMMENT ON TYPE align.incidence IS
	'a mergeable summary of when cases had which outcome, of the open ones, and of those that came under observation late, such as {in days, open (12, 40), outcome lost (8*2, 15*2, 30), outcome won (5, 10, 20)}';

/* comparison: by bytes, for sorting, grouping and DISTINCT */

CREATE FUNCTION align.incidence_eq(align.incidence, align.incidence) RETURNS boolean
	AS 'MODULE_PATHNAME', 'align_value_eq'
	LANGUAGE C IMMUTABLE STRICT LEAKPROOF PARALLEL SAFE COST 2;
COMMENT ON FUNCTION align.incidence_eq(align.incidence, align.incidence) IS
	'implementation of the operator =';

CREATE FUNCTION align.incidence_ne(align.incidence, align.incidence) RETURNS boolean
	AS 'MODULE_PATHNAME', 'align_value_ne'
	LANGUAGE C IMMUTABLE STRICT LEAKPROOF PARALLEL SAFE COST 2;
COMMENT ON FUNCTION align.incidence_ne(align.incidence, align.incidence) IS
	'implementation of the operator <>';

CREATE FUNCTION align.incidence_lt(align.incidence, align.incidence) RETURNS boolean
	AS 'MODULE_PATHNAME', 'align_value_lt'
	LANGUAGE C IMMUTABLE STRICT LEAKPROOF PARALLEL SAFE COST 2;
COMMENT ON FUNCTION align.incidence_lt(align.incidence, align.incidence) IS
	'implementation of the operator <';

CREATE FUNCTION align.incidence_le(align.incidence, align.incidence) RETURNS boolean
	AS 'MODULE_PATHNAME', 'align_value_le'
	LANGUAGE C IMMUTABLE STRICT LEAKPROOF PARALLEL SAFE COST 2;
COMMENT ON FUNCTION align.incidence_le(align.incidence, align.incidence) IS
	'implementation of the operator <=';

CREATE FUNCTION align.incidence_gt(align.incidence, align.incidence) RETURNS boolean
	AS 'MODULE_PATHNAME', 'align_value_gt'
	LANGUAGE C IMMUTABLE STRICT LEAKPROOF PARALLEL SAFE COST 2;
COMMENT ON FUNCTION align.incidence_gt(align.incidence, align.incidence) IS
	'implementation of the operator >';

CREATE FUNCTION align.incidence_ge(align.incidence, align.incidence) RETURNS boolean
	AS 'MODULE_PATHNAME', 'align_value_ge'
	LANGUAGE C IMMUTABLE STRICT LEAKPROOF PARALLEL SAFE COST 2;
COMMENT ON FUNCTION align.incidence_ge(align.incidence, align.incidence) IS
	'implementation of the operator >=';

CREATE FUNCTION align.incidence_cmp(align.incidence, align.incidence) RETURNS integer
	AS 'MODULE_PATHNAME', 'align_value_cmp'
	LANGUAGE C IMMUTABLE STRICT LEAKPROOF PARALLEL SAFE COST 2;
COMMENT ON FUNCTION align.incidence_cmp(align.incidence, align.incidence) IS
	'less, equal or greater (-1, 0, 1) by bytes; for btree';

CREATE FUNCTION align.incidence_hash(align.incidence) RETURNS integer
	AS 'MODULE_PATHNAME', 'align_value_hash'
	LANGUAGE C IMMUTABLE STRICT LEAKPROOF PARALLEL SAFE COST 2;
COMMENT ON FUNCTION align.incidence_hash(align.incidence) IS
	'hash value, for hash joins and grouping';

CREATE FUNCTION align.incidence_hash_extended(align.incidence, bigint) RETURNS bigint
	AS 'MODULE_PATHNAME', 'align_value_hash_extended'
	LANGUAGE C IMMUTABLE STRICT LEAKPROOF PARALLEL SAFE COST 2;
COMMENT ON FUNCTION align.incidence_hash_extended(align.incidence, bigint) IS
	'64-bit hash value with a seed, for hash partitioning';

CREATE OPERATOR align.= (
	FUNCTION = align.incidence_eq, LEFTARG = align.incidence, RIGHTARG = align.incidence,
	COMMUTATOR = OPERATOR(align.=), NEGATOR = OPERATOR(align.<>),
	RESTRICT = eqsel, JOIN = eqjoinsel,
	HASHES, MERGES
);
COMMENT ON OPERATOR align.= (align.incidence, align.incidence) IS 'equal, comparing bytes';

CREATE OPERATOR align.<> (
	FUNCTION = align.incidence_ne, LEFTARG = align.incidence, RIGHTARG = align.incidence,
	COMMUTATOR = OPERATOR(align.<>), NEGATOR = OPERATOR(align.=),
	RESTRICT = neqsel, JOIN = neqjoinsel
);
COMMENT ON OPERATOR align.<> (align.incidence, align.incidence) IS 'not equal, comparing bytes';

CREATE OPERATOR align.< (
	FUNCTION = align.incidence_lt, LEFTARG = align.incidence, RIGHTARG = align.incidence,
	COMMUTATOR = OPERATOR(align.>), NEGATOR = OPERATOR(align.>=),
	RESTRICT = scalarltsel, JOIN = scalarltjoinsel
);
COMMENT ON OPERATOR align.< (align.incidence, align.incidence) IS 'less than, comparing bytes';

CREATE OPERATOR align.<= (
	FUNCTION = align.incidence_le, LEFTARG = align.incidence, RIGHTARG = align.incidence,
	COMMUTATOR = OPERATOR(align.>=), NEGATOR = OPERATOR(align.>),
	RESTRICT = scalarlesel, JOIN = scalarlejoinsel
);
COMMENT ON OPERATOR align.<= (align.incidence, align.incidence) IS 'less than or equal, comparing bytes';

CREATE OPERATOR align.> (
	FUNCTION = align.incidence_gt, LEFTARG = align.incidence, RIGHTARG = align.incidence,
	COMMUTATOR = OPERATOR(align.<), NEGATOR = OPERATOR(align.<=),
	RESTRICT = scalargtsel, JOIN = scalargtjoinsel
);
COMMENT ON OPERATOR align.> (align.incidence, align.incidence) IS 'greater than, comparing bytes';

CREATE OPERATOR align.>= (
	FUNCTION = align.incidence_ge, LEFTARG = align.incidence, RIGHTARG = align.incidence,
	COMMUTATOR = OPERATOR(align.<=), NEGATOR = OPERATOR(align.<),
	RESTRICT = scalargesel, JOIN = scalargejoinsel
);
COMMENT ON OPERATOR align.>= (align.incidence, align.incidence) IS 'greater than or equal, comparing bytes';

CREATE OPERATOR CLASS align.incidence_ops DEFAULT FOR TYPE align.incidence USING btree AS
	OPERATOR 1 align.<, OPERATOR 2 align.<=, OPERATOR 3 align.=,
	OPERATOR 4 align.>=, OPERATOR 5 align.>,
	FUNCTION 1 align.incidence_cmp(align.incidence, align.incidence);
COMMENT ON OPERATOR CLASS align.incidence_ops USING btree IS
	'order of incidences by bytes, for sorting and DISTINCT; a large summary does not fit an index row';

CREATE OPERATOR CLASS align.incidence_ops DEFAULT FOR TYPE align.incidence USING hash AS
	OPERATOR 1 align.=,
	FUNCTION 1 align.incidence_hash(align.incidence),
	FUNCTION 2 align.incidence_hash_extended(align.incidence, bigint);
COMMENT ON OPERATOR CLASS align.incidence_ops USING hash IS
	'hashing of incidences, for joins, grouping and hash indexes';

/* summarising */

CREATE FUNCTION align.incidence_agg_trans(align.incidence, interval, text) RETURNS align.incidence
	AS 'MODULE_PATHNAME', 'align_incidence_trans'
	LANGUAGE C IMMUTABLE PARALLEL SAFE COST 2;
COMMENT ON FUNCTION align.incidence_agg_trans(align.incidence, interval, text) IS
	'transition function of the aggregate incidence_agg without late entries';

CREATE FUNCTION align.incidence_agg_trans(align.incidence, interval, interval, text) RETURNS align.incidence
	AS 'MODULE_PATHNAME', 'align_incidence_trans_late'
	LANGUAGE C IMMUTABLE PARALLEL SAFE COST 2;
COMMENT ON FUNCTION align.incidence_agg_trans(align.incidence, interval, interval, text) IS
	'transition function of the aggregate incidence_agg with late entries';

CREATE FUNCTION align.incidence_combine(align.incidence, align.incidence) RETURNS align.incidence
	AS 'MODULE_PATHNAME', 'align_incidence_combine'
	LANGUAGE C IMMUTABLE PARALLEL SAFE COST 20;
COMMENT ON FUNCTION align.incidence_combine(align.incidence, align.incidence) IS
	'combine function of incidence_agg, and transition function of rollup(incidence)';

CREATE AGGREGATE align.incidence_agg(left_after interval, outcome text) (
	SFUNC = align.incidence_agg_trans, STYPE = align.incidence, SSPACE = 1000,
	COMBINEFUNC = align.incidence_combine,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE align.incidence_agg(interval, text) IS
	'summarises when cases left, from an origin of each, and with which outcome; NULL: still open, last seen then. Months in intervals are an error, negative times too; rows whose left_after is NULL are ignored, NULL if there are no others';

CREATE AGGREGATE align.incidence_agg(entered interval, left_after interval, outcome text) (
	SFUNC = align.incidence_agg_trans, STYPE = align.incidence, SSPACE = 1000,
	COMBINEFUNC = align.incidence_combine,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE align.incidence_agg(interval, interval, text) IS
	'the same with the time at which each case came under observation; NULL, zero and negative: from the origin on. A case that left before that is an error, one that left at that very time is ignored, as it was never at risk';

CREATE AGGREGATE align.rollup(align.incidence) (
	SFUNC = align.incidence_combine, STYPE = align.incidence, SSPACE = 2000,
	COMBINEFUNC = align.incidence_combine,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE align.rollup(align.incidence) IS
	'merges summaries of disjoint cases into the summary of all those cases; NULLs are ignored, NULL if there is nothing else';

/* reading */

CREATE FUNCTION align.outcomes(incidence align.incidence) RETURNS TABLE (
		outcome text, cases bigint, first_after interval, last_after interval)
	AS 'MODULE_PATHNAME', 'align_incidence_outcomes'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 50 ROWS 3;
COMMENT ON FUNCTION align.outcomes(align.incidence) IS
	'one row per outcome, with its cases and its first and last time; the open cases are the last row, with a NULL outcome';

CREATE FUNCTION align.happened_by(incidence align.incidence, outcome text, after interval,
		confidence float8 DEFAULT 0.95, bounds text DEFAULT 'log-log',
		OUT rate float8, OUT lower float8, OUT upper float8, OUT std_error float8, OUT at_risk bigint)
	AS 'MODULE_PATHNAME', 'align_incidence_happened_by'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 50;
COMMENT ON FUNCTION align.happened_by(align.incidence, text, interval, float8, text) IS
	'the share of all cases that have the outcome by a time (Aalen-Johansen: other outcomes compete, open cases are open), with standard error, bounds (log-log, log or plain) and the cases at risk then. NULL after the last time at which a case was under observation; the bounds are NULL while none has the outcome, and once all have';

CREATE FUNCTION align.curve(incidence align.incidence, outcome text,
		confidence float8 DEFAULT 0.95, bounds text DEFAULT 'log-log')
	RETURNS TABLE (after interval, at_risk bigint, events bigint, censored bigint,
		probability float8, std_error float8, lower float8, upper float8, competing bigint)
	AS 'MODULE_PATHNAME', 'align_incidence_curve'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 500 ROWS 100;
COMMENT ON FUNCTION align.curve(align.incidence, text, float8, text) IS
	'the cumulative incidence of an outcome: one row for each time at which a case left, with those at risk until then, those that left with the outcome, open, or with another outcome, and what happened_by() has for that time';

CREATE FUNCTION align.median(incidence align.incidence, outcome text) RETURNS interval
	AS 'MODULE_PATHNAME', 'align_incidence_median'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 50;
COMMENT ON FUNCTION align.median(align.incidence, text) IS
	'the first time by which half of all cases have the outcome; NULL if they never do, or not while they were under observation';

CREATE FUNCTION align.quantile(incidence align.incidence, outcome text, fraction float8,
		confidence float8 DEFAULT 0.95, bounds text DEFAULT 'log-log',
		OUT after interval, OUT lower interval, OUT upper interval)
	AS 'MODULE_PATHNAME', 'align_incidence_quantile'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 50;
COMMENT ON FUNCTION align.quantile(align.incidence, text, float8, float8, text) IS
	'the first time by which a fraction of all cases has the outcome, and the times at which the bounds of that share reach the fraction; NULL for what is not reached';

/* comparing */

CREATE FUNCTION align.compare_incidence(incidence_1 align.incidence, incidence_2 align.incidence,
		outcome text, after interval, confidence float8 DEFAULT 0.95,
		OUT difference float8, OUT lower float8, OUT upper float8, OUT z float8, OUT p float8)
	AS 'MODULE_PATHNAME', 'align_incidence_compare'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 100;
COMMENT ON FUNCTION align.compare_incidence(align.incidence, align.incidence, text, interval, float8) IS
	'the first share that has the outcome by a time minus the second, with bounds from the log-log bounds of both, and z and two-sided p of the hypothesis that they are equal; the difference is NULL where happened_by() is, the rest also where that has no bounds';

CREATE FUNCTION align.log_rank(VARIADIC groups align.incidence[],
		OUT chi2 float8, OUT df integer, OUT p float8, OUT observed bigint[], OUT expected float8[])
	AS 'MODULE_PATHNAME', 'align_incidence_log_rank'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 500;
COMMENT ON FUNCTION align.log_rank(align.incidence[]) IS
	'log-rank test of the hypothesis that up to 64 groups have the only outcome at the same rate, with the events observed in each and those expected; several outcomes are an error, a NULL is a group without cases; chi2 and p are NULL if there is nothing to compare';

CREATE FUNCTION align.weighted_log_rank(rho float8, VARIADIC groups align.incidence[],
		OUT chi2 float8, OUT df integer, OUT p float8, OUT observed float8[], OUT expected float8[])
	AS 'MODULE_PATHNAME', 'align_incidence_weighted_log_rank'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 500;
COMMENT ON FUNCTION align.weighted_log_rank(float8, align.incidence[]) IS
	'log_rank() with the weights S(t-)^rho of Harrington and Fleming, which give more to early times: 0 is log_rank(), 1 the test of Peto and Prentice; observed and expected are weighted sums';

/* pipeline arithmetic */

CREATE FUNCTION align.sales_velocity(INOUT opportunities bigint, INOUT average_amount numeric,
		INOUT win_rate float8, INOUT cycle interval, OUT per_day numeric)
	AS 'MODULE_PATHNAME', 'align_sales_velocity'
	LANGUAGE C IMMUTABLE PARALLEL SAFE COST 2;
COMMENT ON FUNCTION align.sales_velocity(bigint, numeric, float8, interval) IS
	'opportunities * average_amount * win_rate / days of the cycle, with its four arguments beside it; days have 24 hours. per_day is NULL if an argument is';

/* does a score predict? */

CREATE FUNCTION align.score_bands(query text, bands integer DEFAULT 5, confidence float8 DEFAULT 0.95)
	RETURNS TABLE (band_no integer, band text, n bigint, happened bigint, undecided bigint,
		rate float8, lower float8, upper float8, lift float8)
	AS 'MODULE_PATHNAME', 'align_score_bands'
	LANGUAGE C VOLATILE PARALLEL UNSAFE COST 100000 ROWS 5;
COMMENT ON FUNCTION align.score_bands(text, integer, float8) IS
	'whether a score or a rule predicts an outcome: the query returns (band or score, outcome boolean) by position and runs read-only with the caller''s privileges; numbers are scores and cut into bands of about equally many leads. One row per band, in order: leads whose outcome is known, those that have it, those undecided, the rate with Wilson bounds, and lift, the rate divided by that of all bands; nulls are refused';
