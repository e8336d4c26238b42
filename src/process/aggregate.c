/*
 * aggregate.c
 *	  dfg_agg and rollup: many leads, or many processes, to one process.
 *
 * The transition type is process itself, held as a read-write expanded object
 * in a context that the states of all groups share; see conversion_agg.c.
 */
#include "postgres.h"

#include "fmgr.h"
#include "utils/memutils.h"

#include "group_states.h"
#include "judge/judge.h"
#include "process/process.h"

PG_FUNCTION_INFO_V1(align_dfg_trans);
PG_FUNCTION_INFO_V1(align_process_combine);

/*
 * What a call site remembers: the context of the states, and the calendar of
 * the last row.
 */
typedef struct DfgSite
{
	GroupStates states;
	ValueMemo	memo;
	uint64		fingerprint;	/* of the calendar in memo */
} DfgSite;

static DfgSite *
SiteOf(FunctionCallInfo fcinfo)
{
	DfgSite    *site = (DfgSite *) fcinfo->flinfo->fn_extra;

	if (unlikely(site == NULL))
	{
		site = MemoryContextAllocZero(fcinfo->flinfo->fn_mcxt, sizeof(DfgSite));
		site->memo.context = AllocSetContextCreate(fcinfo->flinfo->fn_mcxt,
												   "align dfg calendar", ALLOCSET_SMALL_SIZES);
		fcinfo->flinfo->fn_extra = site;
	}
	return site;
}

/*
 * The calendar, argument 2 of those that have it; NULL without one.
 */
static Calendar *
CalendarArg(FunctionCallInfo fcinfo, DfgSite *site, ProcessIdentity *identity)
{
	TextValue  *value;

	if (PG_NARGS() < 3 || PG_ARGISNULL(2))
		return NULL;
	value = align_text_value_arg(PG_GETARG_DATUM(2), "calendar");
	if (unlikely(!align_memo_valid(&site->memo, value)))
	{
		Calendar   *calendar;

		align_memo_reset(&site->memo);
		calendar = align_calendar_compile(align_text_value_cstring(value), site->memo.context);
		site->fingerprint = align_fingerprint(value->text, TEXT_VALUE_LEN(value));
		align_memo_keep(&site->memo, value, calendar);
	}
	identity->has_working = true;
	identity->calendar = site->fingerprint;
	return (Calendar *) site->memo.compiled;
}

/*
 * A new state with the contents of a value.
 */
static Process *
StateFromDatum(Datum datum, DfgSite *site, MemoryContext context)
{
	MemoryContext states = align_group_states(&site->states, context);

	return align_process_decode_datum(datum, states, true);
}

/*
 * The state to add to, of the given identity.
 */
static Process *
StateArg(FunctionCallInfo fcinfo, const ProcessIdentity *identity, DfgSite *site,
		 MemoryContext context)
{
	Process    *state;

	if (PG_ARGISNULL(0))
		return align_process_make(identity,
								  align_group_states(&site->states, context), true);
	state = align_process_writable(PG_GETARG_DATUM(0), context);
	if (unlikely(state == NULL))
		state = StateFromDatum(PG_GETARG_DATUM(0), site, context);
	if (unlikely(!align_process_same_identity(&state->identity, identity)))
		align_process_differs(&state->identity, identity, true);
	return state;
}

/*
 * dfg_agg: (state, lead [, calendar [, as_of timestamptz]])
 */
Datum
align_dfg_trans(PG_FUNCTION_ARGS)
{
	MemoryContext context = align_aggregate_context(fcinfo);
	ProcessIdentity identity = {0};
	TimestampTz as_of = DT_NOEND;
	struct varlena *lead;
	DfgSite    *site;
	Calendar   *calendar;
	Process    *state;

	if (PG_ARGISNULL(1))
		return align_state_as_it_is(fcinfo);
	site = SiteOf(fcinfo);
	calendar = CalendarArg(fcinfo, site, &identity);
	if (PG_NARGS() > 3)
	{
		identity.has_as_of = true;
		as_of = align_as_of_arg(fcinfo, 3);
	}
	lead = PG_GETARG_VARLENA_PP(1);
	if (!align_process_counts(lead, as_of))
		return align_state_as_it_is(fcinfo);
	state = StateArg(fcinfo, &identity, site, context);
	align_process_add(state, lead, calendar, as_of);
	PG_RETURN_DATUM(EOHPGetRWDatum(&state->header));
}

/*
 * rollup(process), and the combine function of dfg_agg: (state, process).  The
 * second argument may be flat, packed or a read-only expanded object; it is
 * only read.
 */
Datum
align_process_combine(PG_FUNCTION_ARGS)
{
	MemoryContext context = align_aggregate_context(fcinfo);
	Process    *state;
	Process    *other;

	if (PG_ARGISNULL(1))
		return align_state_as_it_is(fcinfo);
	if (PG_ARGISNULL(0))
	{
		state = StateFromDatum(PG_GETARG_DATUM(1), SiteOf(fcinfo), context);
		PG_RETURN_DATUM(EOHPGetRWDatum(&state->header));
	}
	state = align_process_writable(PG_GETARG_DATUM(0), context);
	if (unlikely(state == NULL))
		state = StateFromDatum(PG_GETARG_DATUM(0), SiteOf(fcinfo), context);
	other = align_process_decode_datum(PG_GETARG_DATUM(1), CurrentMemoryContext, false);
	align_process_merge(state, other);
	MemoryContextDelete(PROCESS_CONTEXT(other));
	PG_RETURN_DATUM(EOHPGetRWDatum(&state->header));
}
