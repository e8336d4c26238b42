/*
 * key.c
 *	  Keys of leads: reading them from arguments, and printing them.
 *
 * A value that does not have the type of its key column is converted through
 * its text form.  So a key column accepts what the input function of its type
 * accepts, or that of the base type of a domain.
 *
 * These functions run with the rights of any caller, so they run no code of
 * the table's owner: neither constraints of domains nor casts to json.
 */
#include "postgres.h"

#include "access/detoast.h"
#include "access/htup_details.h"
#include "access/transam.h"
#include "access/tupdesc.h"
#include "catalog/pg_type.h"
#include "funcapi.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/datum.h"
#include "utils/fmgroids.h"
#include "utils/fmgrprotos.h"
#include "utils/guc.h"
#include "utils/jsonb.h"
#include "utils/lsyscache.h"
#include "utils/typcache.h"

#include "attachment/attachment.h"
#include "attachment/key.h"
#include "condition/condition.h"

/*
 * "(region, id)"
 */
static char *
KeyNames(const Attachment *attachment)
{
	StringInfoData names;

	initStringInfo(&names);
	for (int i = 0; i < attachment->nkeys; i++)
		appendStringInfo(&names, "%s%s", i == 0 ? "(" : ", ", attachment->keys[i].name);
	appendStringInfoChar(&names, ')');
	return names.data;
}

static void
RaiseKeyIsNull(const Attachment *attachment, const char *name)
{
	ereport(ERROR,
			(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
			 name == NULL ? errmsg("key must not be null") :
			 errmsg("key column \"%s\" must not be null", name),
			 errdetail("The key of %s is %s.", attachment->root_name, KeyNames(attachment))));
}

static void
RaiseWrongKeyType(const Attachment *attachment, Oid type)
{
	ereport(ERROR,
			(errcode(ERRCODE_DATATYPE_MISMATCH),
			 errmsg("a value of type %s is not a key of %s", format_type_be(type),
					attachment->root_name),
			 errdetail("The key is %s.", KeyNames(attachment)),
			 errhint("Use a row, an array or a jsonb object of the key columns.")));
}

static void
RaiseWrongKeyCount(const Attachment *attachment, int n)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg_plural("the key of %s has %d column, not %d",
						   "the key of %s has %d columns, not %d",
						   attachment->nkeys, attachment->root_name, attachment->nkeys, n),
			 errdetail("The key is %s.", KeyNames(attachment))));
}

static char *
ValueText(Datum value, Oid type)
{
	Oid			output;
	bool		is_varlena;

	if (type == UNKNOWNOID)
		return DatumGetCString(value);
	getTypeOutputInfo(type, &output, &is_varlena);
	return OidOutputFunctionCall(output, value);
}

/*
 * The type that a key column is read as, and its typmod: the base type of a
 * domain, since a key that is only looked up need not satisfy constraints.
 * These would run functions of the table's owner with the caller's rights,
 * and so would domains inside of other types; they are refused.
 */
static Oid
InputType(const KeyColumn *key, int32 *typmod)
{
	Oid			type;

	*typmod = key->typmod;
	type = getBaseTypeAndTypmod(key->type, typmod);
	if (!align_type_is_safe(type))
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("key column \"%s\" of type %s cannot be read from text",
						key->name, format_type_be(key->type)),
				 errdetail("The input of this type may run functions of other users."),
				 errhint("Use a value of type %s.", format_type_be(type))));
	return type;
}

static Datum
KeyFromText(const KeyColumn *key, char *text)
{
	int32		typmod;
	Oid			type = InputType(key, &typmod);
	Oid			input;
	Oid			ioparam;

	getTypeInputInfo(type, &input, &ioparam);
	return OidInputFunctionCall(input, text, ioparam, typmod);
}

static Datum
KeyFromValue(const KeyColumn *key, Datum value, Oid type)
{
	if (type == key->type || getBaseType(type) == getBaseType(key->type))
		return value;
	return KeyFromText(key, ValueText(value, type));
}

/*
 * The text of a JSON value for the input function of a key column; NULL for
 * null.
 */
static char *
JsonText(const JsonbValue *value)
{
	switch (value->type)
	{
		case jbvString:
			return pnstrdup(value->val.string.val, value->val.string.len);
		case jbvNumeric:
			return DatumGetCString(DirectFunctionCall1(numeric_out,
													   NumericGetDatum(value->val.numeric)));
		case jbvBool:
			return value->val.boolean ? "true" : "false";
		case jbvBinary:
			return JsonbToCString(NULL, value->val.binary.data, value->val.binary.len);
		default:
			return NULL;
	}
}

/*
 * The key in a JSON array: its elements in the order of the key.
 */
static void
KeyFromJsonArray(const Attachment *attachment, Jsonb *json, Datum *values)
{
	if (JB_ROOT_COUNT(json) != (uint32) attachment->nkeys)
		RaiseWrongKeyCount(attachment, JB_ROOT_COUNT(json));
	for (int i = 0; i < attachment->nkeys; i++)
	{
		JsonbValue *element = getIthJsonbValueFromContainer(&json->root, i);

		if (element->type == jbvNull)
			RaiseKeyIsNull(attachment, attachment->keys[i].name);
		values[i] = KeyFromText(&attachment->keys[i], JsonText(element));
	}
}

/*
 * The key in JSON: an object by column name, or an array.
 */
static void
KeyFromJson(const Attachment *attachment, Jsonb *json, Datum *values)
{
	if (JB_ROOT_IS_ARRAY(json) && !JB_ROOT_IS_SCALAR(json))
	{
		KeyFromJsonArray(attachment, json, values);
		return;
	}
	if (!JB_ROOT_IS_OBJECT(json))
		RaiseWrongKeyType(attachment, JSONBOID);
	for (int i = 0; i < attachment->nkeys; i++)
	{
		const KeyColumn *key = &attachment->keys[i];
		JsonbValue	buffer;
		JsonbValue *member = getKeyJsonValueFromContainer(&json->root, key->name,
														  strlen(key->name), &buffer);

		if (member == NULL || member->type == jbvNull)
			RaiseKeyIsNull(attachment, key->name);
		values[i] = KeyFromText(key, JsonText(member));
	}
}

static void
KeyFromArray(const Attachment *attachment, ArrayType *array, Datum *values)
{
	Oid			type = ARR_ELEMTYPE(array);
	int16		typlen;
	bool		typbyval;
	char		typalign;
	Datum	   *elements;
	bool	   *nulls;
	int			n;

	get_typlenbyvalalign(type, &typlen, &typbyval, &typalign);
	deconstruct_array(array, type, typlen, typbyval, typalign, &elements, &nulls, &n);
	if (n != attachment->nkeys)
		RaiseWrongKeyCount(attachment, n);
	for (int i = 0; i < n; i++)
	{
		if (nulls[i])
			RaiseKeyIsNull(attachment, attachment->keys[i].name);
		values[i] = KeyFromValue(&attachment->keys[i], elements[i], type);
	}
}

/*
 * Finds the index of each key column in a row type, by name; false if one is
 * missing.
 */
static bool
FindKeyByName(const Attachment *attachment, TupleDesc desc, int *attributes)
{
	for (int i = 0; i < attachment->nkeys; i++)
	{
		attributes[i] = -1;
		for (int j = 0; j < desc->natts; j++)
		{
			Form_pg_attribute attribute = TupleDescAttr(desc, j);

			if (!attribute->attisdropped &&
				strcmp(NameStr(attribute->attname), attachment->keys[i].name) == 0)
				attributes[i] = j;
		}
		if (attributes[i] < 0)
			return false;
	}
	return true;
}

/*
 * The key in a row: by name if the row has all key columns, else by position.
 */
static void
KeyFromRow(const Attachment *attachment, HeapTupleHeader row, Datum *values)
{
	TupleDesc	desc = lookup_rowtype_tupdesc(HeapTupleHeaderGetTypeId(row),
											  HeapTupleHeaderGetTypMod(row));
	int			attributes[ATTACHMENT_MAX_KEYS];
	HeapTupleData tuple;
	Datum	   *columns = palloc(desc->natts * sizeof(Datum));
	bool	   *nulls = palloc(desc->natts * sizeof(bool));

	if (!FindKeyByName(attachment, desc, attributes))
	{
		if (desc->natts != attachment->nkeys)
			RaiseWrongKeyCount(attachment, desc->natts);
		for (int i = 0; i < attachment->nkeys; i++)
			attributes[i] = i;
	}
	tuple.t_len = HeapTupleHeaderGetDatumLength(row);
	ItemPointerSetInvalid(&tuple.t_self);
	tuple.t_tableOid = InvalidOid;
	tuple.t_data = row;
	heap_deform_tuple(&tuple, desc, columns, nulls);
	for (int i = 0; i < attachment->nkeys; i++)
	{
		if (nulls[attributes[i]])
			RaiseKeyIsNull(attachment, attachment->keys[i].name);
		values[i] = KeyFromValue(&attachment->keys[i], columns[attributes[i]],
								 TupleDescAttr(desc, attributes[i])->atttypid);
	}
	ReleaseTupleDesc(desc);
}

/*
 * The key in the text of a row, "(emea,42)", or of a JSON object or array.
 */
static void
KeyFromRowText(const Attachment *attachment, char *text, Datum *values)
{
	char		first = text[strspn(text, " \t\n\r")];
	TupleDesc	desc;
	Datum		row;

	if (first == '{' || first == '[')
	{
		KeyFromJson(attachment,
					DatumGetJsonbP(DirectFunctionCall1(jsonb_in, CStringGetDatum(text))), values);
		return;
	}
	desc = CreateTemplateTupleDesc(attachment->nkeys);
	for (int i = 0; i < attachment->nkeys; i++)
	{
		int32		typmod;
		Oid			type = InputType(&attachment->keys[i], &typmod);

		TupleDescInitEntry(desc, i + 1, attachment->keys[i].name, type, typmod, 0);
	}
	desc = BlessTupleDesc(desc);
	row = OidInputFunctionCall(F_RECORD_IN, text, RECORDOID, desc->tdtypmod);
	KeyFromRow(attachment, DatumGetHeapTupleHeader(row), values);
}

/*
 * Reads a key from an argument of any type.
 */
void
align_key_argument(FunctionCallInfo fcinfo, int argno, const Attachment *attachment, Datum *values)
{
	Oid			type = get_fn_expr_argtype(fcinfo->flinfo, argno);
	Oid			base = getBaseType(type);
	Datum		value;

	if (PG_ARGISNULL(argno))
		RaiseKeyIsNull(attachment, NULL);
	value = PG_GETARG_DATUM(argno);
	if (!OidIsValid(type))
		elog(ERROR, "could not determine the data type of the key");

	/*
	 * A string, and any value of the type of the only key column, is that
	 * column's value, even if it is a json object, a row or an array.
	 */
	if (attachment->nkeys == 1 && (base == getBaseType(attachment->keys[0].type) || align_type_is_string(base)))
		values[0] = KeyFromValue(&attachment->keys[0], value, type);
	else if (base == JSONBOID)
		KeyFromJson(attachment, DatumGetJsonbP(value), values);
	else if (base == JSONOID)
		KeyFromJson(attachment,
					DatumGetJsonbP(DirectFunctionCall1(jsonb_in,
													   CStringGetDatum(ValueText(value, base)))),
					values);
	else if (type_is_rowtype(base))
		KeyFromRow(attachment, DatumGetHeapTupleHeader(value), values);
	else if (OidIsValid(get_element_type(base)))
		KeyFromArray(attachment, DatumGetArrayTypeP(value), values);
	else if (attachment->nkeys == 1)
		values[0] = KeyFromValue(&attachment->keys[0], value, type);
	else if (align_type_is_string(base))
		KeyFromRowText(attachment, ValueText(value, base), values);
	else
		RaiseWrongKeyType(attachment, type);
}

static void
RaiseStoredKeyIsNull(const Attachment *attachment, AttachedTable table, int keyno)
{
	ereport(ERROR,
			(errcode(ERRCODE_NOT_NULL_VIOLATION),
			 errmsg("key column \"%s\" of table %s is null",
					attachment->keys[keyno].name, align_table_name(attachment, table)),
			 errdetail("The history of a lead is kept under its key.")));
}

/*
 * The key of a row of the attached relation.
 */
void
align_key_from_row(const Attachment *attachment, HeapTuple row, TupleDesc desc, Datum *key)
{
	for (int i = 0; i < attachment->nkeys; i++)
	{
		bool		isnull;

		key[i] = heap_getattr(row, attachment->keys[i].attnum, desc, &isnull);
		if (isnull)
			RaiseStoredKeyIsNull(attachment, TABLE_ITSELF, i);
	}
}

/*
 * The key in the columns of a row of a query, from number first on.
 */
void
align_key_from_result(const Attachment *attachment, AttachedTable table, HeapTuple row,
					  TupleDesc desc, int first, Datum *key)
{
	for (int i = 0; i < attachment->nkeys; i++)
	{
		bool		isnull;

		key[i] = heap_getattr(row, first + i, desc, &isnull);
		if (isnull)
			RaiseStoredKeyIsNull(attachment, table, i);
	}
}

static char *
KeyValueText(const KeyColumn *key, Datum value)
{
	return OutputFunctionCall(unconstify(FmgrInfo *, &key->out), value);
}

/*
 * Can no user have created a cast from a type to json, which row_to_json()
 * would call?  A cast belongs to the owner of one of its types.
 */
static bool
IsBuiltInType(Oid type)
{
	return getBaseType(type) < FirstNormalObjectId;
}

/*
 * The row type of the key as JSON, in the memory context of the attachment.
 * Values of types that are not built in are represented by their text.
 */
static TupleDesc
JsonDesc(const Attachment *attachment)
{
	Attachment *own = unconstify(Attachment *, attachment);
	MemoryContext old_context;

	if (own->json_desc != NULL)
		return own->json_desc;
	old_context = MemoryContextSwitchTo(own->context);
	own->json_desc = CreateTemplateTupleDesc(own->nkeys);
	for (int i = 0; i < own->nkeys; i++)
	{
		const KeyColumn *key = &own->keys[i];

		TupleDescInitEntry(own->json_desc, i + 1, key->name,
						   IsBuiltInType(key->type) ? key->type : TEXTOID,
						   IsBuiltInType(key->type) ? key->typmod : -1, 0);
	}
	BlessTupleDesc(own->json_desc);
	MemoryContextSwitchTo(old_context);
	return own->json_desc;
}

/*
 * {"id":42}
 */
char *
align_key_json(const Attachment *attachment, const Datum *values)
{
	bool		nulls[ATTACHMENT_MAX_KEYS] = {false};
	Datum		columns[ATTACHMENT_MAX_KEYS];
	HeapTuple	row;
	Datum		json;
	char	   *result;

	for (int i = 0; i < attachment->nkeys; i++)
		columns[i] = IsBuiltInType(attachment->keys[i].type) ? values[i] :
			CStringGetTextDatum(KeyValueText(&attachment->keys[i], values[i]));
	row = heap_form_tuple(JsonDesc(attachment), columns, nulls);
	json = DirectFunctionCall1(row_to_json, HeapTupleGetDatum(row));
	result = TextDatumGetCString(json);
	pfree(DatumGetPointer(json));
	heap_freetuple(row);
	return result;
}

/*
 * {"id": 42} as jsonb
 */
Datum
align_key_jsonb(const Attachment *attachment, const Datum *values)
{
	char	   *json = align_key_json(attachment, values);
	Datum		result = DirectFunctionCall1(jsonb_in, CStringGetDatum(json));

	pfree(json);
	return result;
}

/*
 * (id)=(42)
 */
char *
align_key_text(const Attachment *attachment, const Datum *values)
{
	StringInfoData buf;

	initStringInfo(&buf);
	appendStringInfo(&buf, "%s=(", KeyNames(attachment));
	for (int i = 0; i < attachment->nkeys; i++)
		appendStringInfo(&buf, "%s%s", i > 0 ? ", " : "",
						 KeyValueText(&attachment->keys[i], values[i]));
	appendStringInfoChar(&buf, ')');
	return buf.data;
}

/*
 * True if the text form of a type depends on session settings.  Types that are
 * not listed are assumed to.
 */
bool
align_key_text_varies(Oid type)
{
	switch (getBaseType(type))
	{
		case BOOLOID:
		case INT2OID:
		case INT4OID:
		case INT8OID:
		case OIDOID:
		case NUMERICOID:
		case TEXTOID:
		case VARCHAROID:
		case BPCHAROID:
		case NAMEOID:
		case CHAROID:
		case UUIDOID:
		case INETOID:
		case CIDROID:
		case MACADDROID:
		case BITOID:
		case VARBITOID:
			return false;
		default:
			return !type_is_enum(getBaseType(type));
	}
}

/*
 * Settings that affect output functions, with the values used for storage.
 */
static const struct
{
	const char *name;
	const char *value;
}			stored_text_settings[] =

{
	{"DateStyle", "ISO, YMD"},
	{"IntervalStyle", "postgres"},
	{"TimeZone", "UTC"},
	{"extra_float_digits", "1"},
	{"bytea_output", "hex"},
	{"lc_monetary", "C"},
};

/*
 * Use the settings of stored text until AtEOXact_GUC(false, <the result>).
 */
int
align_use_stored_text_settings(void)
{
	int			nest_level = NewGUCNestLevel();

	for (int i = 0; i < (int) lengthof(stored_text_settings); i++)
		(void) set_config_option(stored_text_settings[i].name, stored_text_settings[i].value,
								 PGC_USERSET, PGC_S_SESSION, GUC_ACTION_SAVE, true, 0, false);
	return nest_level;
}

/*
 * (id)=(42), independent of session settings.
 */
char *
align_stored_key_text(const Attachment *attachment, const Datum *values)
{
	int			nest_level;
	char	   *result;

	if (!attachment->key_text_varies)
		return align_key_text(attachment, values);
	nest_level = align_use_stored_text_settings();
	result = align_key_text(attachment, values);
	AtEOXact_GUC(false, nest_level);
	return result;
}

/*
 * Copies a key into the current memory context.  The copy does not refer to
 * TOAST tables, whose rows may be gone before it is used.
 */
void
align_copy_key(const Attachment *attachment, const Datum *key, Datum *copy)
{
	for (int i = 0; i < attachment->nkeys; i++)
	{
		const KeyColumn *column = &attachment->keys[i];

		if (column->typlen == -1 && VARATT_IS_EXTERNAL(DatumGetPointer(key[i])))
			copy[i] = PointerGetDatum(detoast_external_attr((struct varlena *)
															DatumGetPointer(key[i])));
		else
			copy[i] = datumCopy(key[i], column->typbyval, column->typlen);
	}
}

/*
 * True if two keys are equal.  Values of any type with the same bytes
 * are.
 */
bool
align_same_key(Attachment *attachment, const Datum *a, const Datum *b)
{
	for (int i = 0; i < attachment->nkeys; i++)
	{
		KeyColumn  *column = &attachment->keys[i];

		if (datum_image_eq(a[i], b[i], column->typbyval, column->typlen))
			continue;
		if (!DatumGetBool(FunctionCall2Coll(&column->eq, column->collation, a[i], b[i])))
			return false;
	}
	return true;
}

/*
 * The name of a table of the attachment, qualified and quoted.
 */
const char *
align_table_name(const Attachment *attachment, AttachedTable table)
{
	switch (table)
	{
		case TABLE_ITSELF:
			return attachment->root_name;
		case TABLE_HISTORY:
			return attachment->history_name;
		case TABLE_SLA:
			return attachment->sla_name;
	}
	elog(ERROR, "unrecognized table of an attachment: %d", (int) table);
}

/*
 * The name of a key column in a table of the attachment, quoted.
 */
const char *
align_table_key(const Attachment *attachment, AttachedTable table, int keyno)
{
	const KeyColumn *key = &attachment->keys[keyno];

	switch (table)
	{
		case TABLE_ITSELF:
			return quote_identifier(key->name);
		case TABLE_HISTORY:
			return key->history_column;
		case TABLE_SLA:
			return key->sla_column;
	}
	elog(ERROR, "unrecognized table of an attachment: %d", (int) table);
}
