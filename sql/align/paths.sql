/* paths: a mergeable summary of the channels that leads came by */

CREATE TYPE align.paths;

CREATE FUNCTION align.paths_in(cstring) RETURNS align.paths
	AS 'MODULE_PATHNAME', 'align_paths_in'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 20;
COMMENT ON FUNCTION align.paths_in(cstring) IS
	'input function of type align.paths';

CREATE FUNCTION align.paths_out(align.paths) RETURNS cstring
	AS 'MODULE_PATHNAME', 'align_paths_out'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 20;
COMMENT ON FUNCTION align.paths_out(align.paths) IS
	'output function of type align.paths';

CREATE FUNCTION align.paths_recv(internal) RETURNS align.paths
	AS 'MODULE_PATHNAME', 'align_paths_recv'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 20;
COMMENT ON FUNCTION align.paths_recv(internal) IS
	'binary input function of type align.paths; checks everything that the text form checks';

CREATE FUNCTION align.paths_send(align.paths) RETURNS bytea
	AS 'MODULE_PATHNAME', 'align_paths_send'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 2;
COMMENT ON FUNCTION align.paths_send(align.paths) IS
	'binary output function of type align.paths: a version byte and the stored form, channels in the client encoding';

CREATE TYPE align.paths (
	INPUT = align.paths_in,
	OUTPUT = align.paths_out,
	RECEIVE = align.paths_recv,
	SEND = align.paths_send,
	INTERNALLENGTH = VARIABLE,
	ALIGNMENT = int4,
	STORAGE = extended
);
COMMENT ON TYPE align.paths IS
	'a mergeable multiset of the sequences of channels by which leads came, each with the conversions, their value, and the nulls (leads that ended without one), such as {() conversions 2, email > "paid search" conversions 1 value 1200.50 nulls 3}';

/* comparison: by bytes, for sorting, grouping and DISTINCT */

CREATE FUNCTION align.paths_eq(align.paths, align.paths) RETURNS boolean
	AS 'MODULE_PATHNAME', 'align_value_eq'
	LANGUAGE C IMMUTABLE STRICT LEAKPROOF PARALLEL SAFE COST 2;
COMMENT ON FUNCTION align.paths_eq(align.paths, align.paths) IS
	'implementation of the operator =';

CREATE FUNCTION align.paths_ne(align.paths, align.paths) RETURNS boolean
	AS 'MODULE_PATHNAME', 'align_value_ne'
	LANGUAGE C IMMUTABLE STRICT LEAKPROOF PARALLEL SAFE COST 2;
COMMENT ON FUNCTION align.paths_ne(align.paths, align.paths) IS
	'implementation of the operator <>';

CREATE FUNCTION align.paths_lt(align.paths, align.paths) RETURNS boolean
	AS 'MODULE_PATHNAME', 'align_value_lt'
	LANGUAGE C IMMUTABLE STRICT LEAKPROOF PARALLEL SAFE COST 2;
COMMENT ON FUNCTION align.paths_lt(align.paths, align.paths) IS
	'implementation of the operator <';

CREATE FUNCTION align.paths_le(align.paths, align.paths) RETURNS boolean
	AS 'MODULE_PATHNAME', 'align_value_le'
	LANGUAGE C IMMUTABLE STRICT LEAKPROOF PARALLEL SAFE COST 2;
COMMENT ON FUNCTION align.paths_le(align.paths, align.paths) IS
	'implementation of the operator <=';

CREATE FUNCTION align.paths_gt(align.paths, align.paths) RETURNS boolean
	AS 'MODULE_PATHNAME', 'align_value_gt'
	LANGUAGE C IMMUTABLE STRICT LEAKPROOF PARALLEL SAFE COST 2;
COMMENT ON FUNCTION align.paths_gt(align.paths, align.paths) IS
	'implementation of the operator >';

CREATE FUNCTION align.paths_ge(align.paths, align.paths) RETURNS boolean
	AS 'MODULE_PATHNAME', 'align_value_ge'
	LANGUAGE C IMMUTABLE STRICT LEAKPROOF PARALLEL SAFE COST 2;
COMMENT ON FUNCTION align.paths_ge(align.paths, align.paths) IS
	'implementation of the operator >=';

CREATE FUNCTION align.paths_cmp(align.paths, align.paths) RETURNS integer
	AS 'MODULE_PATHNAME', 'align_value_cmp'
	LANGUAGE C IMMUTABLE STRICT LEAKPROOF PARALLEL SAFE COST 2;
COMMENT ON FUNCTION align.paths_cmp(align.paths, align.paths) IS
	'less, equal or greater (-1, 0, 1) by bytes; for btree';

CREATE FUNCTION align.paths_hash(align.paths) RETURNS integer
	AS 'MODULE_PATHNAME', 'align_value_hash'
	LANGUAGE C IMMUTABLE STRICT LEAKPROOF PARALLEL SAFE COST 2;
COMMENT ON FUNCTION align.paths_hash(align.paths) IS
	'hash value, for hash joins and grouping';

CREATE FUNCTION align.paths_hash_extended(align.paths, bigint) RETURNS bigint
	AS 'MODULE_PATHNAME', 'align_value_hash_extended'
	LANGUAGE C IMMUTABLE STRICT LEAKPROOF PARALLEL SAFE COST 2;
COMMENT ON FUNCTION align.paths_hash_extended(align.paths, bigint) IS
	'64-bit hash value with a seed, for hash partitioning';

CREATE OPERATOR align.= (
	FUNCTION = align.paths_eq, LEFTARG = align.paths, RIGHTARG = align.paths,
	COMMUTATOR = OPERATOR(align.=), NEGATOR = OPERATOR(align.<>),
	RESTRICT = eqsel, JOIN = eqjoinsel,
	HASHES, MERGES
);
COMMENT ON OPERATOR align.= (align.paths, align.paths) IS 'equal, comparing bytes';

CREATE OPERATOR align.<> (
	FUNCTION = align.paths_ne, LEFTARG = align.paths, RIGHTARG = align.paths,
	COMMUTATOR = OPERATOR(align.<>), NEGATOR = OPERATOR(align.=),
	RESTRICT = neqsel, JOIN = neqjoinsel
);
COMMENT ON OPERATOR align.<> (align.paths, align.paths) IS 'not equal, comparing bytes';

CREATE OPERATOR align.< (
	FUNCTION = align.paths_lt, LEFTARG = align.paths, RIGHTARG = align.paths,
	COMMUTATOR = OPERATOR(align.>), NEGATOR = OPERATOR(align.>=),
	RESTRICT = scalarltsel, JOIN = scalarltjoinsel
);
COMMENT ON OPERATOR align.< (align.paths, align.paths) IS 'less than, comparing bytes';

CREATE OPERATOR align.<= (
	FUNCTION = align.paths_le, LEFTARG = align.paths, RIGHTARG = align.paths,
	COMMUTATOR = OPERATOR(align.>=), NEGATOR = OPERATOR(align.>),
	RESTRICT = scalarlesel, JOIN = scalarlejoinsel
);
COMMENT ON OPERATOR align.<= (align.paths, align.paths) IS 'less than or equal, comparing bytes';

CREATE OPERATOR align.> (
	FUNCTION = align.paths_gt, LEFTARG = align.paths, RIGHTARG = align.paths,
	COMMUTATOR = OPERATOR(align.<), NEGATOR = OPERATOR(align.<=),
	RESTRICT = scalargtsel, JOIN = scalargtjoinsel
);
COMMENT ON OPERATOR align.> (align.paths, align.paths) IS 'greater than, comparing bytes';

CREATE OPERATOR align.>= (
	FUNCTION = align.paths_ge, LEFTARG = align.paths, RIGHTARG = align.paths,
	COMMUTATOR = OPERATOR(align.<=), NEGATOR = OPERATOR(align.<),
	RESTRICT = scalargesel, JOIN = scalargejoinsel
);
COMMENT ON OPERATOR align.>= (align.paths, align.paths) IS 'greater than or equal, comparing bytes';

CREATE OPERATOR CLASS align.paths_ops DEFAULT FOR TYPE align.paths USING btree AS
	OPERATOR 1 align.<, OPERATOR 2 align.<=, OPERATOR 3 align.=,
	OPERATOR 4 align.>=, OPERATOR 5 align.>,
	FUNCTION 1 align.paths_cmp(align.paths, align.paths);
COMMENT ON OPERATOR CLASS align.paths_ops USING btree IS
	'order of values by bytes, for sorting and DISTINCT; a large one does not fit an index row';

CREATE OPERATOR CLASS align.paths_ops DEFAULT FOR TYPE align.paths USING hash AS
	OPERATOR 1 align.=,
	FUNCTION 1 align.paths_hash(align.paths),
	FUNCTION 2 align.paths_hash_extended(align.paths, bigint);
COMMENT ON OPERATOR CLASS align.paths_ops USING hash IS
	'hashing of paths, for joins, grouping and hash indexes';

/* summarising */

CREATE FUNCTION align.paths_agg_trans(align.paths, text[], boolean, numeric) RETURNS align.paths
	AS 'MODULE_PATHNAME', 'align_paths_trans'
	LANGUAGE C IMMUTABLE PARALLEL SAFE COST 5;
COMMENT ON FUNCTION align.paths_agg_trans(align.paths, text[], boolean, numeric) IS
	'transition function of the aggregate paths_agg';

CREATE FUNCTION align.paths_agg_trans(align.paths, text[], bigint, numeric, bigint) RETURNS align.paths
	AS 'MODULE_PATHNAME', 'align_paths_counts_trans'
	LANGUAGE C IMMUTABLE PARALLEL SAFE COST 5;
COMMENT ON FUNCTION align.paths_agg_trans(align.paths, text[], bigint, numeric, bigint) IS
	'transition function of the aggregate paths_agg';

CREATE FUNCTION align.paths_combine(align.paths, align.paths) RETURNS align.paths
	AS 'MODULE_PATHNAME', 'align_paths_combine'
	LANGUAGE C IMMUTABLE PARALLEL SAFE COST 500;
COMMENT ON FUNCTION align.paths_combine(align.paths, align.paths) IS
	'combine function of paths_agg, and transition function of rollup(paths)';

CREATE AGGREGATE align.paths_agg(path text[], converted boolean, value numeric) (
	SFUNC = align.paths_agg_trans, STYPE = align.paths, SSPACE = 4000,
	COMBINEFUNC = align.paths_combine,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE align.paths_agg(text[], boolean, numeric) IS
	'counts the paths of leads: converted is true for a conversion, whose value is added, false for a lead that ended without one, and NULL for an open lead, which is in no path. A path that is NULL is the empty one, as array_agg() returns for a lead without touches; elements that are NULL are left out. NULL if all leads are open';

CREATE AGGREGATE align.paths_agg(path text[], conversions bigint, value numeric, nulls bigint) (
	SFUNC = align.paths_agg_trans, STYPE = align.paths, SSPACE = 4000,
	COMBINEFUNC = align.paths_combine,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE align.paths_agg(text[], bigint, numeric, bigint) IS
	'the same for rows that count leads already: so many conversions with the sum of their values, and so many leads that ended without one; a count that is NULL is zero, and rows that count nothing are ignored';

CREATE AGGREGATE align.rollup(align.paths) (
	SFUNC = align.paths_combine, STYPE = align.paths, SSPACE = 8000,
	COMBINEFUNC = align.paths_combine,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE align.rollup(align.paths) IS
	'merges the paths of disjoint leads into those of all these leads; NULLs are ignored, NULL if there is nothing else';

/* reading */

CREATE FUNCTION align.path_counts(paths align.paths) RETURNS TABLE (
		path text[], conversions bigint, value numeric, nulls bigint)
	AS 'MODULE_PATHNAME', 'align_path_counts'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 500 ROWS 500;
COMMENT ON FUNCTION align.path_counts(align.paths) IS
	'one row per path, in the order of channels by bytes: its conversions, the sum of their values (NULL if none is known), and the leads that ended without one; no row for NULL';

CREATE FUNCTION align.markov(paths align.paths, chain_order integer DEFAULT 1) RETURNS TABLE (
		channel text, removal_effect float8, conversions float8, value numeric)
	AS 'MODULE_PATHNAME', 'align_markov'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 5000 ROWS 20;
COMMENT ON FUNCTION align.markov(align.paths, integer) IS
	'divides conversions and value among channels by their removal effects: the share of conversions that a Markov chain of the paths loses if every way through the channel ends without one. A state is the last channels of a path, up to 4 (chain_order). One row per channel, and one for "(none)" with the conversions of empty paths, whose removal_effect is NULL; conversions and values add up to those of the paths';

CREATE FUNCTION align.shapley(paths align.paths) RETURNS TABLE (
		channel text, conversions float8, value numeric)
	AS 'MODULE_PATHNAME', 'align_shapley'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1000 ROWS 20;
COMMENT ON FUNCTION align.shapley(align.paths) IS
	'divides conversions and value among channels by the Shapley value of the game in which a coalition is worth the conversions of the paths that need no other channel; it equals equal parts for the different channels of each path. One row per channel, and one for "(none)" with the conversions of empty paths; conversions and values add up to those of the paths';

/* changing paths before they are counted */

CREATE FUNCTION align.collapse_repeats(path text[]) RETURNS text[]
	AS 'MODULE_PATHNAME', 'align_collapse_repeats'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 5;
COMMENT ON FUNCTION align.collapse_repeats(text[]) IS
	'the path with one of each run of equal channels, as a > a > b > a becomes a > b > a; elements that are NULL are left out';

CREATE FUNCTION align.distinct_channels(path text[]) RETURNS text[]
	AS 'MODULE_PATHNAME', 'align_distinct_channels'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 5;
COMMENT ON FUNCTION align.distinct_channels(text[]) IS
	'the channels of the path in the order of their first touch, each once; elements that are NULL are left out';

CREATE FUNCTION align.last_channels(path text[], n integer) RETURNS text[]
	AS 'MODULE_PATHNAME', 'align_last_channels'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 5;
COMMENT ON FUNCTION align.last_channels(text[], integer) IS
	'the last n channels of the path, or all of them if there are fewer; elements that are NULL are left out before';

/* casts */

CREATE FUNCTION align.paths_to_jsonb(align.paths) RETURNS jsonb
	AS 'MODULE_PATHNAME', 'align_paths_to_jsonb'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 500;
COMMENT ON FUNCTION align.paths_to_jsonb(align.paths) IS
	'the paths as an array of objects with the members path, conversions, value and nulls';

CREATE FUNCTION align.jsonb_to_paths(jsonb) RETURNS align.paths
	AS 'MODULE_PATHNAME', 'align_jsonb_to_paths'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 500;
COMMENT ON FUNCTION align.jsonb_to_paths(jsonb) IS
	'paths from an array such as that of paths_to_jsonb, with the checks of the text form; unknown members are an error';

CREATE CAST (align.paths AS jsonb) WITH FUNCTION align.paths_to_jsonb(align.paths);
COMMENT ON CAST (align.paths AS jsonb) IS
	'the paths as an array of objects';

CREATE CAST (jsonb AS align.paths) WITH FUNCTION align.jsonb_to_paths(jsonb);
COMMENT ON CAST (jsonb AS align.paths) IS
	'paths from an array of objects';
