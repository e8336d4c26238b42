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
	'divides the credit for the lead''s conversion, the entry into its current stage, among the touches up to it and within the lookback: one row per touch that earns something, or one for "(none)"; shares add up to 1 and amounts to the amount. Models: first, last, last_non_direct, linear, position, time_decay, u_shaped, w_shaped, full_path, shapley';

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
