/* campaign: the campaign behind a touch, and its channel */

CREATE TYPE align.campaign;

CREATE FUNCTION align.campaign_in(cstring) RETURNS align.campaign
	AS 'MODULE_PATHNAME', 'align_campaign_in'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 5;
COMMENT ON FUNCTION align.campaign_in(cstring) IS
	'input function of type align.campaign: reads its canonical text; parse_campaign() reads addresses';

CREATE FUNCTION align.campaign_out(align.campaign) RETURNS cstring
	AS 'MODULE_PATHNAME', 'align_campaign_out'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 5;
COMMENT ON FUNCTION align.campaign_out(align.campaign) IS
	'output function of type align.campaign';

CREATE FUNCTION align.campaign_recv(internal) RETURNS align.campaign
	AS 'MODULE_PATHNAME', 'align_campaign_recv'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 5;
COMMENT ON FUNCTION align.campaign_recv(internal) IS
	'binary input function of type align.campaign; checks everything that the text form checks';

CREATE FUNCTION align.campaign_send(align.campaign) RETURNS bytea
	AS 'MODULE_PATHNAME', 'align_campaign_send'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 2;
COMMENT ON FUNCTION align.campaign_send(align.campaign) IS
	'binary output function of type align.campaign: a version byte and the canonical text';

CREATE TYPE align.campaign (
	INPUT = align.campaign_in,
	OUTPUT = align.campaign_out,
	RECEIVE = align.campaign_recv,
	SEND = align.campaign_send,
	INTERNALLENGTH = VARIABLE,
	ALIGNMENT = int4,
	STORAGE = extended
);
COMMENT ON TYPE align.campaign IS
	'the campaign behind a touch, such as utm_source=google&utm_medium=cpc&utm_campaign=spring';

/* comparison: by bytes, for sorting, grouping and DISTINCT */

CREATE FUNCTION align.campaign_eq(align.campaign, align.campaign) RETURNS boolean
	AS 'MODULE_PATHNAME', 'align_value_eq'
	LANGUAGE C IMMUTABLE STRICT LEAKPROOF PARALLEL SAFE COST 2;
COMMENT ON FUNCTION align.campaign_eq(align.campaign, align.campaign) IS
	'implementation of the operator =';

CREATE FUNCTION align.campaign_ne(align.campaign, align.campaign) RETURNS boolean
	AS 'MODULE_PATHNAME', 'align_value_ne'
	LANGUAGE C IMMUTABLE STRICT LEAKPROOF PARALLEL SAFE COST 2;
COMMENT ON FUNCTION align.campaign_ne(align.campaign, align.campaign) IS
	'implementation of the operator <>';

CREATE FUNCTION align.campaign_lt(align.campaign, align.campaign) RETURNS boolean
	AS 'MODULE_PATHNAME', 'align_value_lt'
	LANGUAGE C IMMUTABLE STRICT LEAKPROOF PARALLEL SAFE COST 2;
COMMENT ON FUNCTION align.campaign_lt(align.campaign, align.campaign) IS
	'implementation of the operator <';

CREATE FUNCTION align.campaign_le(align.campaign, align.campaign) RETURNS boolean
	AS 'MODULE_PATHNAME', 'align_value_le'
	LANGUAGE C IMMUTABLE STRICT LEAKPROOF PARALLEL SAFE COST 2;
COMMENT ON FUNCTION align.campaign_le(align.campaign, align.campaign) IS
	'implementation of the operator <=';

CREATE FUNCTION align.campaign_gt(align.campaign, align.campaign) RETURNS boolean
	AS 'MODULE_PATHNAME', 'align_value_gt'
	LANGUAGE C IMMUTABLE STRICT LEAKPROOF PARALLEL SAFE COST 2;
COMMENT ON FUNCTION align.campaign_gt(align.campaign, align.campaign) IS
	'implementation of the operator >';

CREATE FUNCTION align.campaign_ge(align.campaign, align.campaign) RETURNS boolean
	AS 'MODULE_PATHNAME', 'align_value_ge'
	LANGUAGE C IMMUTABLE STRICT LEAKPROOF PARALLEL SAFE COST 2;
COMMENT ON FUNCTION align.campaign_ge(align.campaign, align.campaign) IS
	'implementation of the operator >=';

CREATE FUNCTION align.campaign_cmp(align.campaign, align.campaign) RETURNS integer
	AS 'MODULE_PATHNAME', 'align_value_cmp'
	LANGUAGE C IMMUTABLE STRICT LEAKPROOF PARALLEL SAFE COST 2;
COMMENT ON FUNCTION align.campaign_cmp(align.campaign, align.campaign) IS
	'less, equal or greater (-1, 0, 1) by bytes; for btree';

CREATE FUNCTION align.campaign_hash(align.campaign) RETURNS integer
	AS 'MODULE_PATHNAME', 'align_value_hash'
	LANGUAGE C IMMUTABLE STRICT LEAKPROOF PARALLEL SAFE COST 2;
COMMENT ON FUNCTION align.campaign_hash(align.campaign) IS
	'hash value, for hash joins and grouping';

CREATE FUNCTION align.campaign_hash_extended(align.campaign, bigint) RETURNS bigint
	AS 'MODULE_PATHNAME', 'align_value_hash_extended'
	LANGUAGE C IMMUTABLE STRICT LEAKPROOF PARALLEL SAFE COST 2;
COMMENT ON FUNCTION align.campaign_hash_extended(align.campaign, bigint) IS
	'64-bit hash value with a seed, for hash partitioning';

CREATE OPERATOR align.= (
	FUNCTION = align.campaign_eq, LEFTARG = align.campaign, RIGHTARG = align.campaign,
	COMMUTATOR = OPERATOR(align.=), NEGATOR = OPERATOR(align.<>),
	RESTRICT = eqsel, JOIN = eqjoinsel,
	HASHES, MERGES
);
COMMENT ON OPERATOR align.= (align.campaign, align.campaign) IS 'equal, comparing bytes';

CREATE OPERATOR align.<> (
	FUNCTION = align.campaign_ne, LEFTARG = align.campaign, RIGHTARG = align.campaign,
	COMMUTATOR = OPERATOR(align.<>), NEGATOR = OPERATOR(align.=),
	RESTRICT = neqsel, JOIN = neqjoinsel
);
COMMENT ON OPERATOR align.<> (align.campaign, align.campaign) IS 'not equal, comparing bytes';

CREATE OPERATOR align.< (
	FUNCTION = align.campaign_lt, LEFTARG = align.campaign, RIGHTARG = align.campaign,
	COMMUTATOR = OPERATOR(align.>), NEGATOR = OPERATOR(align.>=),
	RESTRICT = scalarltsel, JOIN = scalarltjoinsel
);
COMMENT ON OPERATOR align.< (align.campaign, align.campaign) IS 'less than, comparing bytes';

CREATE OPERATOR align.<= (
	FUNCTION = align.campaign_le, LEFTARG = align.campaign, RIGHTARG = align.campaign,
	COMMUTATOR = OPERATOR(align.>=), NEGATOR = OPERATOR(align.>),
	RESTRICT = scalarlesel, JOIN = scalarlejoinsel
);
COMMENT ON OPERATOR align.<= (align.campaign, align.campaign) IS 'less than or equal, comparing bytes';

CREATE OPERATOR align.> (
	FUNCTION = align.campaign_gt, LEFTARG = align.campaign, RIGHTARG = align.campaign,
	COMMUTATOR = OPERATOR(align.<), NEGATOR = OPERATOR(align.<=),
	RESTRICT = scalargtsel, JOIN = scalargtjoinsel
);
COMMENT ON OPERATOR align.> (align.campaign, align.campaign) IS 'greater than, comparing bytes';

CREATE OPERATOR align.>= (
	FUNCTION = align.campaign_ge, LEFTARG = align.campaign, RIGHTARG = align.campaign,
	COMMUTATOR = OPERATOR(align.<=), NEGATOR = OPERATOR(align.<),
	RESTRICT = scalargesel, JOIN = scalargejoinsel
);
COMMENT ON OPERATOR align.>= (align.campaign, align.campaign) IS 'greater than or equal, comparing bytes';

CREATE OPERATOR CLASS align.campaign_ops DEFAULT FOR TYPE align.campaign USING btree AS
	OPERATOR 1 align.<, OPERATOR 2 align.<=, OPERATOR 3 align.=,
	OPERATOR 4 align.>=, OPERATOR 5 align.>,
	FUNCTION 1 align.campaign_cmp(align.campaign, align.campaign);
COMMENT ON OPERATOR CLASS align.campaign_ops USING btree IS
	'order of campaigns by the bytes of their canonical text, for sorting, DISTINCT and indexes';

CREATE OPERATOR CLASS align.campaign_ops DEFAULT FOR TYPE align.campaign USING hash AS
	OPERATOR 1 align.=,
	FUNCTION 1 align.campaign_hash(align.campaign),
	FUNCTION 2 align.campaign_hash_extended(align.campaign, bigint);
COMMENT ON OPERATOR CLASS align.campaign_ops USING hash IS
	'hashing of campaigns, for joins, grouping and hash indexes';

/* reading addresses */

CREATE FUNCTION align.parse_campaign(url text) RETURNS align.campaign
	AS 'MODULE_PATHNAME', 'align_parse_campaign'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 10;
COMMENT ON FUNCTION align.parse_campaign(text) IS
	'the campaign of a landing address, a query with UTM tags, a canonical text, "source / medium" or a plain source; never an error';

CREATE FUNCTION align.parse_campaign(url text, referrer text) RETURNS align.campaign
	AS 'MODULE_PATHNAME', 'align_parse_campaign_referrer'
	LANGUAGE C IMMUTABLE PARALLEL SAFE COST 15;
COMMENT ON FUNCTION align.parse_campaign(text, text) IS
	'the same, with the address of the referrer, which gives source and medium where there are neither tags nor click ids; either argument may be NULL, but NULL if both are';

CREATE FUNCTION align.make_campaign(source text, medium text, name text, id text DEFAULT NULL) RETURNS align.campaign
	AS 'MODULE_PATHNAME', 'align_make_campaign'
	LANGUAGE C IMMUTABLE PARALLEL SAFE COST 10;
COMMENT ON FUNCTION align.make_campaign(text, text, text, text) IS
	'the campaign of these fields, which are cleaned as parse_campaign() cleans tags: for tables of cost; NULL if all are NULL or blank';

/* fields */

CREATE FUNCTION align.campaign_source(campaign align.campaign) RETURNS text
	AS 'MODULE_PATHNAME', 'align_campaign_source_of'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 2;
COMMENT ON FUNCTION align.campaign_source(align.campaign) IS
	'utm_source: where the visitor came from, in lower case; NULL if absent';

CREATE FUNCTION align.campaign_medium(campaign align.campaign) RETURNS text
	AS 'MODULE_PATHNAME', 'align_campaign_medium_of'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 2;
COMMENT ON FUNCTION align.campaign_medium(align.campaign) IS
	'utm_medium: by what kind of link, in lower case; NULL if absent';

CREATE FUNCTION align.campaign_name(campaign align.campaign) RETURNS text
	AS 'MODULE_PATHNAME', 'align_campaign_name_of'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 2;
COMMENT ON FUNCTION align.campaign_name(align.campaign) IS
	'utm_campaign: the name of the campaign; NULL if absent';

CREATE FUNCTION align.campaign_term(campaign align.campaign) RETURNS text
	AS 'MODULE_PATHNAME', 'align_campaign_term_of'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 2;
COMMENT ON FUNCTION align.campaign_term(align.campaign) IS
	'utm_term: the keyword; NULL if absent';

CREATE FUNCTION align.campaign_content(campaign align.campaign) RETURNS text
	AS 'MODULE_PATHNAME', 'align_campaign_content_of'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 2;
COMMENT ON FUNCTION align.campaign_content(align.campaign) IS
	'utm_content: the variant of the advertisement or link; NULL if absent';

CREATE FUNCTION align.campaign_id(campaign align.campaign) RETURNS text
	AS 'MODULE_PATHNAME', 'align_campaign_id_of'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 2;
COMMENT ON FUNCTION align.campaign_id(align.campaign) IS
	'utm_id: the id of the campaign, that of gad_campaignid or hsa_cam if not tagged; NULL if absent';

CREATE FUNCTION align.campaign_referrer(campaign align.campaign) RETURNS text
	AS 'MODULE_PATHNAME', 'align_campaign_referrer_of'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 2;
COMMENT ON FUNCTION align.campaign_referrer(align.campaign) IS
	'the host of the referrer, where source and medium are taken from it; NULL if absent';

CREATE FUNCTION align.campaign_key(campaign align.campaign) RETURNS text
	AS 'MODULE_PATHNAME', 'align_campaign_key'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 5;
COMMENT ON FUNCTION align.campaign_key(align.campaign) IS
	'what identifies a campaign in reports: the canonical text of its source, medium and name alone, without keyword, content and id; of its id if there are none';

/* channels */

CREATE FUNCTION align.channel(campaign align.campaign) RETURNS text
	AS 'MODULE_PATHNAME', 'align_campaign_channel'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 5;
COMMENT ON FUNCTION align.channel(align.campaign) IS
	'the channel of a campaign by the default channel group of Google Analytics 4, then by words for channels without a click; else Unassigned';

CREATE FUNCTION align.channel(campaign align.campaign, funnel align.funnel) RETURNS text
	AS 'MODULE_PATHNAME', 'align_campaign_channel_funnel'
	LANGUAGE C IMMUTABLE PARALLEL SAFE COST 10;
COMMENT ON FUNCTION align.channel(align.campaign, align.funnel) IS
	'the same, after the channel statements of an agreement; without them if funnel is NULL. NULL for no campaign';

CREATE FUNCTION align.channel_rules_version() RETURNS text
	AS 'MODULE_PATHNAME', 'align_channel_rules_version'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1;
COMMENT ON FUNCTION align.channel_rules_version() IS
	'the version of the built-in rules and lists of channel(); it changes when a campaign may get another channel';

/* casts */

CREATE FUNCTION align.campaign_to_jsonb(align.campaign) RETURNS jsonb
	AS 'MODULE_PATHNAME', 'align_campaign_to_jsonb'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 10;
COMMENT ON FUNCTION align.campaign_to_jsonb(align.campaign) IS
	'the campaign as an object with source, medium, campaign, term, content, id, source_platform, creative_format, marketing_tactic and referrer where present';

CREATE CAST (align.campaign AS jsonb) WITH FUNCTION align.campaign_to_jsonb(align.campaign);
COMMENT ON CAST (align.campaign AS jsonb) IS
	'the campaign as an object of its fields';
