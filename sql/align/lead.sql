/* lead: one lead's journey */

CREATE TYPE align.lead;

CREATE FUNCTION align.lead_in(cstring) RETURNS align.lead
	AS 'MODULE_PATHNAME', 'align_lead_in'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 10;
COMMENT ON FUNCTION align.lead_in(cstring) IS
	'input function of type align.lead';

CREATE FUNCTION align.lead_out(align.lead) RETURNS cstring
	AS 'MODULE_PATHNAME', 'align_lead_out'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 10;
COMMENT ON FUNCTION align.lead_out(align.lead) IS
	'output function of type align.lead';

CREATE FUNCTION align.lead_recv(internal) RETURNS align.lead
	AS 'MODULE_PATHNAME', 'align_lead_recv'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 10;
COMMENT ON FUNCTION align.lead_recv(internal) IS
	'binary input function of type align.lead; checks everything that the text form checks';

CREATE FUNCTION align.lead_send(align.lead) RETURNS bytea
	AS 'MODULE_PATHNAME', 'align_lead_send'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 2;
COMMENT ON FUNCTION align.lead_send(align.lead) IS
	'binary output function of type align.lead: a version byte and the stored form, strings in the client encoding';

CREATE TYPE align.lead (
	INPUT = align.lead_in,
	OUTPUT = align.lead_out,
	RECEIVE = align.lead_recv,
	SEND = align.lead_send,
	INTERNALLENGTH = VARIABLE,
	ALIGNMENT = int4,
	STORAGE = extended
);
COMMENT ON TYPE align.lead IS
	'one lead''s journey: its stage entries and campaign touches in order, such as {2026-03-01T09:00:00Z inquiry ~ "utm_source=google", 2026-03-02T10:00:00Z mql by marketing}';

/* comparison: by bytes, for sorting, grouping and DISTINCT */

CREATE FUNCTION align.lead_eq(align.lead, align.lead) RETURNS boolean
	AS 'MODULE_PATHNAME', 'align_value_eq'
	LANGUAGE C IMMUTABLE STRICT LEAKPROOF PARALLEL SAFE COST 2;
COMMENT ON FUNCTION align.lead_eq(align.lead, align.lead) IS
	'implementation of the operator =';

CREATE FUNCTION align.lead_ne(align.lead, align.lead) RETURNS boolean
	AS 'MODULE_PATHNAME', 'align_value_ne'
	LANGUAGE C IMMUTABLE STRICT LEAKPROOF PARALLEL SAFE COST 2;
COMMENT ON FUNCTION align.lead_ne(align.lead, align.lead) IS
	'implementation of the operator <>';

CREATE FUNCTION align.lead_lt(align.lead, align.lead) RETURNS boolean
	AS 'MODULE_PATHNAME', 'align_value_lt'
	LANGUAGE C IMMUTABLE STRICT LEAKPROOF PARALLEL SAFE COST 2;
COMMENT ON FUNCTION align.lead_lt(align.lead, align.lead) IS
	'implementation of the operator <';

CREATE FUNCTION align.lead_le(align.lead, align.lead) RETURNS boolean
	AS 'MODULE_PATHNAME', 'align_value_le'
	LANGUAGE C IMMUTABLE STRICT LEAKPROOF PARALLEL SAFE COST 2;
COMMENT ON FUNCTION align.lead_le(align.lead, align.lead) IS
	'implementation of the operator <=';

CREATE FUNCTION align.lead_gt(align.lead, align.lead) RETURNS boolean
	AS 'MODULE_PATHNAME', 'align_value_gt'
	LANGUAGE C IMMUTABLE STRICT LEAKPROOF PARALLEL SAFE COST 2;
COMMENT ON FUNCTION align.lead_gt(align.lead, align.lead) IS
	'implementation of the operator >';

CREATE FUNCTION align.lead_ge(align.lead, align.lead) RETURNS boolean
	AS 'MODULE_PATHNAME', 'align_value_ge'
	LANGUAGE C IMMUTABLE STRICT LEAKPROOF PARALLEL SAFE COST 2;
COMMENT ON FUNCTION align.lead_ge(align.lead, align.lead) IS
	'implementation of the operator >=';

CREATE FUNCTION align.lead_cmp(align.lead, align.lead) RETURNS integer
	AS 'MODULE_PATHNAME', 'align_value_cmp'
	LANGUAGE C IMMUTABLE STRICT LEAKPROOF PARALLEL SAFE COST 2;
COMMENT ON FUNCTION align.lead_cmp(align.lead, align.lead) IS
	'less, equal or greater (-1, 0, 1) by bytes; for btree';

CREATE FUNCTION align.lead_hash(align.lead) RETURNS integer
	AS 'MODULE_PATHNAME', 'align_value_hash'
	LANGUAGE C IMMUTABLE STRICT LEAKPROOF PARALLEL SAFE COST 2;
COMMENT ON FUNCTION align.lead_hash(align.lead) IS
	'hash value, for hash joins and grouping';

CREATE FUNCTION align.lead_hash_extended(align.lead, bigint) RETURNS bigint
	AS 'MODULE_PATHNAME', 'align_value_hash_extended'
	LANGUAGE C IMMUTABLE STRICT LEAKPROOF PARALLEL SAFE COST 2;
COMMENT ON FUNCTION align.lead_hash_extended(align.lead, bigint) IS
	'64-bit hash value with a seed, for hash partitioning';

CREATE OPERATOR align.= (
	FUNCTION = align.lead_eq, LEFTARG = align.lead, RIGHTARG = align.lead,
	COMMUTATOR = OPERATOR(align.=), NEGATOR = OPERATOR(align.<>),
	RESTRICT = eqsel, JOIN = eqjoinsel,
	HASHES, MERGES
);
COMMENT ON OPERATOR align.= (align.lead, align.lead) IS 'equal, comparing bytes';

CREATE OPERATOR align.<> (
	FUNCTION = align.lead_ne, LEFTARG = align.lead, RIGHTARG = align.lead,
	COMMUTATOR = OPERATOR(align.<>), NEGATOR = OPERATOR(align.=),
	RESTRICT = neqsel, JOIN = neqjoinsel
);
COMMENT ON OPERATOR align.<> (align.lead, align.lead) IS 'not equal, comparing bytes';

CREATE OPERATOR align.< (
	FUNCTION = align.lead_lt, LEFTARG = align.lead, RIGHTARG = align.lead,
	COMMUTATOR = OPERATOR(align.>), NEGATOR = OPERATOR(align.>=),
	RESTRICT = scalarltsel, JOIN = scalarltjoinsel
);
COMMENT ON OPERATOR align.< (align.lead, align.lead) IS 'less than, comparing bytes';

CREATE OPERATOR align.<= (
	FUNCTION = align.lead_le, LEFTARG = align.lead, RIGHTARG = align.lead,
	COMMUTATOR = OPERATOR(align.>=), NEGATOR = OPERATOR(align.>),
	RESTRICT = scalarlesel, JOIN = scalarlejoinsel
);
COMMENT ON OPERATOR align.<= (align.lead, align.lead) IS 'less than or equal, comparing bytes';

CREATE OPERATOR align.> (
	FUNCTION = align.lead_gt, LEFTARG = align.lead, RIGHTARG = align.lead,
	COMMUTATOR = OPERATOR(align.<), NEGATOR = OPERATOR(align.<=),
	RESTRICT = scalargtsel, JOIN = scalargtjoinsel
);
COMMENT ON OPERATOR align.> (align.lead, align.lead) IS 'greater than, comparing bytes';

CREATE OPERATOR align.>= (
	FUNCTION = align.lead_ge, LEFTARG = align.lead, RIGHTARG = align.lead,
	COMMUTATOR = OPERATOR(align.<=), NEGATOR = OPERATOR(align.<),
	RESTRICT = scalargesel, JOIN = scalargejoinsel
);
COMMENT ON OPERATOR align.>= (align.lead, align.lead) IS 'greater than or equal, comparing bytes';

CREATE OPERATOR CLASS align.lead_ops DEFAULT FOR TYPE align.lead USING btree AS
	OPERATOR 1 align.<, OPERATOR 2 align.<=, OPERATOR 3 align.=,
	OPERATOR 4 align.>=, OPERATOR 5 align.>,
	FUNCTION 1 align.lead_cmp(align.lead, align.lead);
COMMENT ON OPERATOR CLASS align.lead_ops USING btree IS
	'order of leads by bytes, for sorting and DISTINCT; a long journey does not fit an index row';

CREATE OPERATOR CLASS align.lead_ops DEFAULT FOR TYPE align.lead USING hash AS
	OPERATOR 1 align.=,
	FUNCTION 1 align.lead_hash(align.lead),
	FUNCTION 2 align.lead_hash_extended(align.lead, bigint);
COMMENT ON OPERATOR CLASS align.lead_ops USING hash IS
	'hashing of leads, for joins, grouping and hash indexes';
