\echo Use "ALTER EXTENSION align UPDATE TO '0.3.0'" to load this file. \quit

-- Channels of an agreement

CREATE FUNCTION align.channels(funnel align.funnel) RETURNS TABLE (
	channel text,
	source text,
	medium text,
	name text
)
	AS 'MODULE_PATHNAME', 'align_funnel_channels'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 100 ROWS 5;

-- Comments that are new or read otherwise ("make delta").

COMMENT ON TYPE align.funnel IS
'an agreement between teams: stages, who holds them, legal moves, handoffs, needs, service levels, targets and channels, in the language of docs/agreements.md; stored as a canonical document';
COMMENT ON FUNCTION align.channels(funnel align.funnel) IS
'one row per channel that the agreement defines, in the order of declaration: the patterns for source, medium and name of a campaign, NULL if there is no condition on it; the first channel whose patterns match decides';
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
/* touches of one lead */

CREATE FUNCTION align.touches(lead align.lead, funnel align.funnel) RETURNS TABLE (
		touch integer, at timestamptz, campaign text, amount numeric,
		campaign_source text, campaign_medium text, campaign_name text, channel text)
	AS 'MODULE_PATHNAME', 'align_funnel_touches'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 20 ROWS 5;
COMMENT ON FUNCTION align.touches(align.lead, align.funnel) IS
	'one row per touch: an entry with a campaign and no stage, or a stage entry with another campaign than before; with what parse_campaign reads from the campaign, and its channel under the agreement';

CREATE FUNCTION align.first_touch(lead align.lead, OUT touch integer, OUT at timestamptz, OUT campaign text)
	AS 'MODULE_PATHNAME', 'align_first_touch'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 5;
COMMENT ON FUNCTION align.first_touch(align.lead) IS
	'the first touch, as in touches(lead, funnel); NULL if the lead has no touch';

CREATE FUNCTION align.last_touch(lead align.lead, before timestamptz, OUT touch integer, OUT at timestamptz, OUT campaign text)
	AS 'MODULE_PATHNAME', 'align_last_touch'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 5;
COMMENT ON FUNCTION align.last_touch(align.lead, timestamptz) IS
	'the last touch, as in touches(lead, funnel), at or before a time, which may be infinity; NULL if there is none';

CREATE FUNCTION align.decisive_touch(lead align.lead, funnel align.funnel, OUT touch integer, OUT at timestamptz, OUT campaign text)
	AS 'MODULE_PATHNAME', 'align_decisive_touch'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 10;
COMMENT ON FUNCTION align.decisive_touch(align.lead, align.funnel) IS
	'the last touch whose channel is not Direct at or before the lead''s first submission to a handoff (without handoffs, its first won stage), or the last one of all if all are Direct; NULL if there is none, or no submission yet';

/* credit: what campaigns earned */

CREATE FUNCTION align.credit(lead align.lead, model text, lookback interval DEFAULT NULL,
		half_life interval DEFAULT '7 days', milestones text[] DEFAULT NULL) RETURNS TABLE (
		touch integer, at timestamptz, campaign text, channel text, share float8, amount numeric)
	AS 'MODULE_PATHNAME', 'align_credit_sql'
	LANGUAGE C IMMUTABLE PARALLEL SAFE COST 20 ROWS 5;
COMMENT ON FUNCTION align.credit(align.lead, text, interval, interval, text[]) IS
	'divides the credit for the lead''s conversion, the entry into its current stage, among the touches up to it and within the lookback: one row per touch that earns something, or one for "(none)"; shares add up to 1 and amounts to the amount. Models: first, last, last_non_direct, linear, position, time_decay, u_shaped, w_shaped, full_path';

CREATE FUNCTION align.funnel_credit(lead align.lead, funnel align.funnel, model text, lookback interval DEFAULT NULL,
		half_life interval DEFAULT '7 days', milestones text[] DEFAULT NULL) RETURNS TABLE (
		touch integer, at timestamptz, campaign text, channel text, share float8, amount numeric)
	AS 'MODULE_PATHNAME', 'align_funnel_credit_sql'
	LANGUAGE C IMMUTABLE PARALLEL SAFE COST 20 ROWS 5;
COMMENT ON FUNCTION align.funnel_credit(align.lead, align.funnel, text, interval, interval, text[]) IS
	'the same as credit(lead, model, ...) under an agreement: the conversion is the first entry into a won stage, there are no rows if there is none, and labels and channels are those of the agreement';

/* over many leads */

CREATE TYPE align.campaign_credit AS (
	campaign text, channel text, touches bigint, conversions float8, amount numeric);
COMMENT ON TYPE align.campaign_credit IS
	'what a campaign earned, an element of the result of credit_agg: its channel, the number of touches that earned something, their shares of conversions, and of the amount';

CREATE FUNCTION align.credit_agg_trans(internal, align.lead, text) RETURNS internal
	AS 'MODULE_PATHNAME', 'align_credit_agg_trans'
	LANGUAGE C IMMUTABLE PARALLEL SAFE COST 10;
COMMENT ON FUNCTION align.credit_agg_trans(internal, align.lead, text) IS
	'transition function of the aggregate credit_agg';

CREATE FUNCTION align.credit_agg_trans(internal, align.lead, text, interval) RETURNS internal
	AS 'MODULE_PATHNAME', 'align_credit_agg_trans'
	LANGUAGE C IMMUTABLE PARALLEL SAFE COST 10;
COMMENT ON FUNCTION align.credit_agg_trans(internal, align.lead, text, interval) IS
	'transition function of the aggregate credit_agg';

CREATE FUNCTION align.credit_agg_trans(internal, align.lead, text, interval, interval) RETURNS internal
	AS 'MODULE_PATHNAME', 'align_credit_agg_trans'
	LANGUAGE C IMMUTABLE PARALLEL SAFE COST 10;
COMMENT ON FUNCTION align.credit_agg_trans(internal, align.lead, text, interval, interval) IS
	'transition function of the aggregate credit_agg';

CREATE FUNCTION align.credit_agg_trans(internal, align.lead, text, interval, interval, text[]) RETURNS internal
	AS 'MODULE_PATHNAME', 'align_credit_agg_trans'
	LANGUAGE C IMMUTABLE PARALLEL SAFE COST 10;
COMMENT ON FUNCTION align.credit_agg_trans(internal, align.lead, text, interval, interval, text[]) IS
	'transition function of the aggregate credit_agg';

CREATE FUNCTION align.funnel_credit_agg_trans(internal, align.lead, align.funnel, text) RETURNS internal
	AS 'MODULE_PATHNAME', 'align_funnel_credit_agg_trans'
	LANGUAGE C IMMUTABLE PARALLEL SAFE COST 10;
COMMENT ON FUNCTION align.funnel_credit_agg_trans(internal, align.lead, align.funnel, text) IS
	'transition function of the aggregate funnel_credit_agg';

CREATE FUNCTION align.funnel_credit_agg_trans(internal, align.lead, align.funnel, text, interval) RETURNS internal
	AS 'MODULE_PATHNAME', 'align_funnel_credit_agg_trans'
	LANGUAGE C IMMUTABLE PARALLEL SAFE COST 10;
COMMENT ON FUNCTION align.funnel_credit_agg_trans(internal, align.lead, align.funnel, text, interval) IS
	'transition function of the aggregate funnel_credit_agg';

CREATE FUNCTION align.funnel_credit_agg_trans(internal, align.lead, align.funnel, text, interval, interval) RETURNS internal
	AS 'MODULE_PATHNAME', 'align_funnel_credit_agg_trans'
	LANGUAGE C IMMUTABLE PARALLEL SAFE COST 10;
COMMENT ON FUNCTION align.funnel_credit_agg_trans(internal, align.lead, align.funnel, text, interval, interval) IS
	'transition function of the aggregate funnel_credit_agg';

CREATE FUNCTION align.funnel_credit_agg_trans(internal, align.lead, align.funnel, text, interval, interval, text[]) RETURNS internal
	AS 'MODULE_PATHNAME', 'align_funnel_credit_agg_trans'
	LANGUAGE C IMMUTABLE PARALLEL SAFE COST 10;
COMMENT ON FUNCTION align.funnel_credit_agg_trans(internal, align.lead, align.funnel, text, interval, interval, text[]) IS
	'transition function of the aggregate funnel_credit_agg';

CREATE FUNCTION align.credit_agg_combine(internal, internal) RETURNS internal
	AS 'MODULE_PATHNAME', 'align_credit_agg_combine'
	LANGUAGE C IMMUTABLE PARALLEL SAFE COST 50;
COMMENT ON FUNCTION align.credit_agg_combine(internal, internal) IS
	'combine function of the aggregates credit_agg and funnel_credit_agg';

CREATE FUNCTION align.credit_agg_serialise(internal) RETURNS bytea
	AS 'MODULE_PATHNAME', 'align_credit_agg_serialise'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 50;
COMMENT ON FUNCTION align.credit_agg_serialise(internal) IS
	'serialisation of the state of the aggregates credit_agg and funnel_credit_agg';

CREATE FUNCTION align.credit_agg_deserialise(bytea, internal) RETURNS internal
	AS 'MODULE_PATHNAME', 'align_credit_agg_deserialise'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 50;
COMMENT ON FUNCTION align.credit_agg_deserialise(bytea, internal) IS
	'deserialisation of the state of the aggregates credit_agg and funnel_credit_agg';

CREATE FUNCTION align.credit_agg_final(internal) RETURNS align.campaign_credit[]
	AS 'MODULE_PATHNAME', 'align_credit_agg_final'
	LANGUAGE C IMMUTABLE PARALLEL SAFE COST 100;
COMMENT ON FUNCTION align.credit_agg_final(internal) IS
	'final function of the aggregates credit_agg and funnel_credit_agg';

CREATE AGGREGATE align.credit_agg(lead align.lead, model text) (
	SFUNC = align.credit_agg_trans, STYPE = internal, SSPACE = 2000,
	FINALFUNC = align.credit_agg_final, FINALFUNC_MODIFY = READ_ONLY,
	COMBINEFUNC = align.credit_agg_combine,
	SERIALFUNC = align.credit_agg_serialise, DESERIALFUNC = align.credit_agg_deserialise,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE align.credit_agg(align.lead, text) IS
	'what campaigns earned over many leads: the sums of credit(lead, model), by campaign in the order of bytes, as an array of campaign_credit. The other arguments must be the same in all rows; NULL leads are ignored, NULL if there are no others';

CREATE AGGREGATE align.credit_agg(lead align.lead, model text, lookback interval) (
	SFUNC = align.credit_agg_trans, STYPE = internal, SSPACE = 2000,
	FINALFUNC = align.credit_agg_final, FINALFUNC_MODIFY = READ_ONLY,
	COMBINEFUNC = align.credit_agg_combine,
	SERIALFUNC = align.credit_agg_serialise, DESERIALFUNC = align.credit_agg_deserialise,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE align.credit_agg(align.lead, text, interval) IS
	'the same with lookback (NULL: all touches before the conversion count)';

CREATE AGGREGATE align.credit_agg(lead align.lead, model text, lookback interval, half_life interval) (
	SFUNC = align.credit_agg_trans, STYPE = internal, SSPACE = 2000,
	FINALFUNC = align.credit_agg_final, FINALFUNC_MODIFY = READ_ONLY,
	COMBINEFUNC = align.credit_agg_combine,
	SERIALFUNC = align.credit_agg_serialise, DESERIALFUNC = align.credit_agg_deserialise,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE align.credit_agg(align.lead, text, interval, interval) IS
	'the same with half_life (NULL: 7 days)';

CREATE AGGREGATE align.credit_agg(lead align.lead, model text, lookback interval, half_life interval, milestones text[]) (
	SFUNC = align.credit_agg_trans, STYPE = internal, SSPACE = 2000,
	FINALFUNC = align.credit_agg_final, FINALFUNC_MODIFY = READ_ONLY,
	COMBINEFUNC = align.credit_agg_combine,
	SERIALFUNC = align.credit_agg_serialise, DESERIALFUNC = align.credit_agg_deserialise,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE align.credit_agg(align.lead, text, interval, interval, text[]) IS
	'the same with milestones (NULL: none)';

CREATE AGGREGATE align.funnel_credit_agg(lead align.lead, funnel align.funnel, model text) (
	SFUNC = align.funnel_credit_agg_trans, STYPE = internal, SSPACE = 2000,
	FINALFUNC = align.credit_agg_final, FINALFUNC_MODIFY = READ_ONLY,
	COMBINEFUNC = align.credit_agg_combine,
	SERIALFUNC = align.credit_agg_serialise, DESERIALFUNC = align.credit_agg_deserialise,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE align.funnel_credit_agg(align.lead, align.funnel, text) IS
	'the same as credit_agg(lead, model) under an agreement, from funnel_credit(lead, funnel, model): leads that have not won add nothing';

CREATE AGGREGATE align.funnel_credit_agg(lead align.lead, funnel align.funnel, model text, lookback interval) (
	SFUNC = align.funnel_credit_agg_trans, STYPE = internal, SSPACE = 2000,
	FINALFUNC = align.credit_agg_final, FINALFUNC_MODIFY = READ_ONLY,
	COMBINEFUNC = align.credit_agg_combine,
	SERIALFUNC = align.credit_agg_serialise, DESERIALFUNC = align.credit_agg_deserialise,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE align.funnel_credit_agg(align.lead, align.funnel, text, interval) IS
	'the same with lookback (NULL: all touches before the conversion count)';

CREATE AGGREGATE align.funnel_credit_agg(lead align.lead, funnel align.funnel, model text, lookback interval, half_life interval) (
	SFUNC = align.funnel_credit_agg_trans, STYPE = internal, SSPACE = 2000,
	FINALFUNC = align.credit_agg_final, FINALFUNC_MODIFY = READ_ONLY,
	COMBINEFUNC = align.credit_agg_combine,
	SERIALFUNC = align.credit_agg_serialise, DESERIALFUNC = align.credit_agg_deserialise,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE align.funnel_credit_agg(align.lead, align.funnel, text, interval, interval) IS
	'the same with half_life (NULL: 7 days)';

CREATE AGGREGATE align.funnel_credit_agg(lead align.lead, funnel align.funnel, model text, lookback interval, half_life interval, milestones text[]) (
	SFUNC = align.funnel_credit_agg_trans, STYPE = internal, SSPACE = 2000,
	FINALFUNC = align.credit_agg_final, FINALFUNC_MODIFY = READ_ONLY,
	COMBINEFUNC = align.credit_agg_combine,
	SERIALFUNC = align.credit_agg_serialise, DESERIALFUNC = align.credit_agg_deserialise,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE align.funnel_credit_agg(align.lead, align.funnel, text, interval, interval, text[]) IS
	'the same with milestones (NULL: none)';
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
