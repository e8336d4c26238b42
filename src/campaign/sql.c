/*
 * sql.c
 *	  SQL functions of type campaign.
 */
#include "postgres.h"

#include "fmgr.h"
#include "utils/builtins.h"
#include "utils/jsonb.h"

#include "campaign/text.h"

PG_FUNCTION_INFO_V1(align_campaign_in);
PG_FUNCTION_INFO_V1(align_campaign_out);
PG_FUNCTION_INFO_V1(align_campaign_recv);
PG_FUNCTION_INFO_V1(align_campaign_send);
PG_FUNCTION_INFO_V1(align_parse_campaign);
PG_FUNCTION_INFO_V1(align_parse_campaign_referrer);
PG_FUNCTION_INFO_V1(align_campaign_source_of);
PG_FUNCTION_INFO_V1(align_campaign_medium_of);
PG_FUNCTION_INFO_V1(align_campaign_name_of);
PG_FUNCTION_INFO_V1(align_campaign_term_of);
PG_FUNCTION_INFO_V1(align_campaign_content_of);
PG_FUNCTION_INFO_V1(align_campaign_id_of);
PG_FUNCTION_INFO_V1(align_campaign_referrer_of);
PG_FUNCTION_INFO_V1(align_campaign_to_jsonb);
PG_FUNCTION_INFO_V1(align_make_campaign);
PG_FUNCTION_INFO_V1(align_campaign_key);

Datum
align_campaign_in(PG_FUNCTION_ARGS)
{
	TextValue  *value = align_campaign_parse_value(PG_GETARG_CSTRING(0), fcinfo->context);

	if (value == NULL)
		PG_RETURN_NULL();		/* after a soft error */
	PG_RETURN_POINTER(value);
}

Datum
align_campaign_out(PG_FUNCTION_ARGS)
{
	LeadString	text = align_campaign_arg(PG_GETARG_DATUM(0));

	PG_RETURN_CSTRING(pnstrdup(text.text, text.len));
}

Datum
align_campaign_recv(PG_FUNCTION_ARGS)
{
	char	   *text = align_text_value_recv((StringInfo) PG_GETARG_POINTER(0), "campaign");

	PG_RETURN_POINTER(align_campaign_parse_value(text, NULL));
}

Datum
align_campaign_send(PG_FUNCTION_ARGS)
{
	PG_RETURN_BYTEA_P(align_text_value_send(align_text_value_arg(PG_GETARG_DATUM(0), "campaign")));
}

/*
 * The campaign of an address and a referrer, either of which may be absent.
 */
static Datum
ParseCampaign(LeadString url, LeadString referrer)
{
	CampaignFields fields;

	(void) align_campaign_parse_utf8(url.text, url.len, referrer.text, referrer.len, &fields);
	return PointerGetDatum(align_campaign_value(&fields));
}

Datum
align_parse_campaign(PG_FUNCTION_ARGS)
{
	return ParseCampaign(align_lead_varlena(PG_GETARG_DATUM(0)), align_lead_bytes(NULL, 0));
}

Datum
align_parse_campaign_referrer(PG_FUNCTION_ARGS)
{
	LeadString	url = {NULL, 0};
	LeadString	referrer = {NULL, 0};

	if (PG_ARGISNULL(0) && PG_ARGISNULL(1))
		PG_RETURN_NULL();
	if (!PG_ARGISNULL(0))
		url = align_lead_varlena(PG_GETARG_DATUM(0));
	if (!PG_ARGISNULL(1))
		referrer = align_lead_varlena(PG_GETARG_DATUM(1));
	return ParseCampaign(url, referrer);
}

/*
 * make_campaign(source, medium, name, id) returns the campaign of these
 * fields, cleaned as those of an address are; NULL if none is left.
 */
Datum
align_make_campaign(PG_FUNCTION_ARGS)
{
	static const CampaignField numbers[] = {CAMPAIGN_SOURCE, CAMPAIGN_MEDIUM, CAMPAIGN_NAME, CAMPAIGN_ID};
	CampaignFields fields;
	bool		is_empty = true;

	memset(&fields, 0, sizeof(fields));
	for (int i = 0; i < (int) lengthof(numbers); i++)
	{
		LeadString *field = align_campaign_field(&fields, numbers[i]);

		if (PG_ARGISNULL(i))
			continue;
		*field = align_campaign_clean(align_campaign_to_utf8(align_lead_varlena(PG_GETARG_DATUM(i))),
									  numbers[i] <= CAMPAIGN_MEDIUM);
		is_empty &= field->text == NULL;
	}
	if (is_empty)
		PG_RETURN_NULL();
	PG_RETURN_POINTER(align_campaign_value(&fields));
}

/*
 * campaign_key(campaign) returns the canonical text of source, medium and name
 * alone; of the id if there are none, else of the campaign.
 */
Datum
align_campaign_key(PG_FUNCTION_ARGS)
{
	LeadString	text = align_campaign_arg(PG_GETARG_DATUM(0));
	CampaignFields fields;
	CampaignFields key;
	TextValue  *value;

	align_campaign_decode_value(text.text, text.len, CAMPAIGN_ID, &fields);
	memset(&key, 0, sizeof(key));
	key.source = fields.source;
	key.medium = fields.medium;
	key.name = fields.name;
	if (key.source.text == NULL && key.medium.text == NULL && key.name.text == NULL)
	{
		if (fields.id.text == NULL)
			return align_lead_text_datum(text);
		key.id = fields.id;
	}
	value = align_campaign_value(&key);
	return align_lead_text_datum(align_lead_bytes(value->text, TEXT_VALUE_LEN(value)));
}

/*
 * One field of the argument as text, NULL if absent.
 */
static Datum
FieldOf(FunctionCallInfo fcinfo, CampaignField number)
{
	LeadString	text = align_campaign_arg(PG_GETARG_DATUM(0));
	CampaignFields fields;
	LeadString	field;

	align_campaign_decode_value(text.text, text.len, number, &fields);
	field = *align_campaign_field(&fields, number);
	if (field.text == NULL)
		PG_RETURN_NULL();
	return align_lead_text_datum(align_campaign_from_utf8(field));
}

Datum
align_campaign_source_of(PG_FUNCTION_ARGS)
{
	return FieldOf(fcinfo, CAMPAIGN_SOURCE);
}

Datum
align_campaign_medium_of(PG_FUNCTION_ARGS)
{
	return FieldOf(fcinfo, CAMPAIGN_MEDIUM);
}

Datum
align_campaign_name_of(PG_FUNCTION_ARGS)
{
	return FieldOf(fcinfo, CAMPAIGN_NAME);
}

Datum
align_campaign_term_of(PG_FUNCTION_ARGS)
{
	return FieldOf(fcinfo, CAMPAIGN_TERM);
}

Datum
align_campaign_content_of(PG_FUNCTION_ARGS)
{
	return FieldOf(fcinfo, CAMPAIGN_CONTENT);
}

Datum
align_campaign_id_of(PG_FUNCTION_ARGS)
{
	return FieldOf(fcinfo, CAMPAIGN_ID);
}

Datum
align_campaign_referrer_of(PG_FUNCTION_ARGS)
{
	return FieldOf(fcinfo, CAMPAIGN_REFERRER);
}

/*
 * An object of the fields that are present, by the names of their parameters
 * without "utm_".
 */
Datum
align_campaign_to_jsonb(PG_FUNCTION_ARGS)
{
	LeadString	text = align_campaign_arg(PG_GETARG_DATUM(0));
	CampaignFields fields;
	JsonbParseState *state = NULL;
	JsonbValue	item;

	align_campaign_decode_value(text.text, text.len, CAMPAIGN_REFERRER, &fields);
	pushJsonbValue(&state, WJB_BEGIN_OBJECT, NULL);
	for (int i = 0; i < CAMPAIGN_NFIELDS; i++)
	{
		LeadString	field = *align_campaign_field(&fields, i);
		int			prefix = i == CAMPAIGN_REFERRER ? 0 : (int) strlen("utm_");

		if (field.text == NULL)
			continue;
		field = align_campaign_from_utf8(field);
		item.type = jbvString;
		item.val.string.val = unconstify(char *, align_campaign_tags[i].text + prefix);
		item.val.string.len = align_campaign_tags[i].len - prefix;
		pushJsonbValue(&state, WJB_KEY, &item);
		item.val.string.val = unconstify(char *, field.text);
		item.val.string.len = field.len;
		pushJsonbValue(&state, WJB_VALUE, &item);
	}
	PG_RETURN_JSONB_P(JsonbValueToJsonb(pushJsonbValue(&state, WJB_END_OBJECT, NULL)));
}
