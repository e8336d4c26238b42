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
