/*
 * campaign_tables.c
 *	  align.create_campaign_tables(): creates the tables of cost, budgets,
 *	  reviews and actions that reports read.
 *
 * The tables belong to the user who calls, and are filled in by the users: no
 * function of align writes to them.  create_reports() finds them by name in
 * the schema of the reports, and uses those of the owner of the attached
 * table.
 */
#include "postgres.h"

#include "access/xact.h"
#include "catalog/namespace.h"
#include "catalog/pg_class.h"
#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "miscadmin.h"
#include "nodes/makefuncs.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/syscache.h"

#include "catalog/as_role.h"
#include "catalog/relation.h"
#include "report/campaign_tables.h"
#include "value.h"

PG_FUNCTION_INFO_V1(align_create_campaign_tables);

/* Letters of a currency code. */
#define CURRENCY_LEN 3

#define MAX_COLUMNS 16

typedef struct TableColumn
{
	const char *name;
	const char *definition;		/* type and constraints; %s is the currency, a
								 * literal */
	const char *comment;
} TableColumn;

typedef struct CampaignTable
{
	const char *name;
	const char *comment;
	const char *constraints;	/* of the table */
	TableColumn columns[MAX_COLUMNS];	/* ends with a name that is NULL */
} CampaignTable;

#define ID_COLUMN(what) {"id", "bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY", "number of the " what}

/* NaN is greater than Infinity. */
#define AMOUNT_CHECK "CHECK (amount >= 0 AND amount < 'Infinity')"

#define CURRENCY_COLUMN {"currency", "text NOT NULL DEFAULT %1$s CHECK (currency = %1$s)", "ISO 4217 code of the one currency of all amounts"}

#define NOT_BLANK(column) "CHECK (" column " ~ '[^[:space:]]')"

/*
 * Which campaign: campaign_id, or source, medium and name.
 */
#define CAMPAIGN_COLUMNS \
	{"campaign_source", "text", "source of the campaign, as in utm_source"}, \
	{"campaign_medium", "text", "medium of the campaign, as in utm_medium"}, \
	{"campaign_name", "text", "name of the campaign, as in utm_campaign"}, \
	{"campaign_id", "text", "id of the campaign, as in utm_id or gad_campaignid; if touches have it, it decides before the name"}

#define CAMPAIGN_CONSTRAINT(table) \
	"CONSTRAINT " table "_has_campaign CHECK (pg_catalog.concat(campaign_source, campaign_medium, campaign_name, campaign_id) ~ '[^[:space:]]')"

static const CampaignTable campaign_tables[] = {
	{
		.name = "campaign_cost",
		.comment = "What campaigns cost: one row per day and campaign, or finer. One currency. Read by campaign_results and channel_results.",
		.constraints = CAMPAIGN_CONSTRAINT("campaign_cost"),
		.columns = {
			ID_COLUMN("row"),
			{"day", "date NOT NULL CHECK (pg_catalog.isfinite(day))", "day of the cost, in the time zone of the reports"},
			CAMPAIGN_COLUMNS,
			{"amount", "numeric NOT NULL " AMOUNT_CHECK, "cost in the currency"},
			CURRENCY_COLUMN,
			{"clicks", "bigint CHECK (clicks >= 0)", "clicks, as the platform reports them"},
			{"impressions", "bigint CHECK (impressions >= 0)", "impressions, as the platform reports them"},
			{"note", "text", "free text"}
		}
	},
	{
		.name = "campaign_budget",
		.comment = "What campaigns may cost: one row per month and campaign. One currency.",
		.constraints = CAMPAIGN_CONSTRAINT("campaign_budget") ", "
		"CONSTRAINT campaign_budget_once UNIQUE NULLS NOT DISTINCT (month, campaign_source, campaign_medium, campaign_name, campaign_id)",
		.columns = {
			ID_COLUMN("row"),
			{"month", "date NOT NULL CHECK (pg_catalog.isfinite(month) AND EXTRACT(day FROM month) = 1)", "first day of the month"},
			CAMPAIGN_COLUMNS,
			{"amount", "numeric NOT NULL " AMOUNT_CHECK, "budget of the month in the currency"},
			CURRENCY_COLUMN
		}
	},
	{
		.name = "campaign_review",
		.comment = "What both teams say about campaigns: verdicts, the next step, and requests of one team to the other.",
		.constraints = CAMPAIGN_CONSTRAINT("campaign_review") ", "
		"CONSTRAINT campaign_review_is_not_empty CHECK (pg_catalog.concat(verdict, request) ~ '[^[:space:]]'), "
		"CONSTRAINT campaign_review_answer CHECK (answered_on IS NULL OR (request IS NOT NULL AND answered_on >= reviewed_on))",
		.columns = {
			ID_COLUMN("review"),
			CAMPAIGN_COLUMNS,
			{"reviewed_on", "date NOT NULL DEFAULT CURRENT_DATE CHECK (pg_catalog.isfinite(reviewed_on))", "day of the review or request"},
			{"team", "text NOT NULL " NOT_BLANK("team"), "team whose verdict it is, as in the agreement"},
			{"verdict", "text", "what the team thinks of the campaign and its leads: more of it, as it is, change, stop"},
			{"why", "text", "what the verdict rests on"},
			{"next_step", "text", "what follows from it"},
			{"reviewed_by", "text", "person who wrote it"},
			{"request", "text", "what the team asks of the other, such as content that is missing"},
			{"requested_by", "text", "person who asks"},
			{"answered_on", "date", "day on which the request was answered; NULL while it is open"}
		}
	},
	{
		.name = "action",
		.comment = "What was decided in the meetings of both teams: one row per action, with its owner and when it is due.",
		.constraints = "CONSTRAINT action_days CHECK (due_on >= decided_on AND done_on >= decided_on)",
		.columns = {
			ID_COLUMN("action"),
			{"what", "text NOT NULL " NOT_BLANK("what"), "what is to be done"},
			{"owner", "text NOT NULL " NOT_BLANK("owner"), "person who does it"},
			{"decided_on", "date NOT NULL DEFAULT CURRENT_DATE CHECK (pg_catalog.isfinite(decided_on))", "day of the decision"},
			{"due_on", "date CHECK (pg_catalog.isfinite(due_on))", "day by which it is to be done"},
			{"done_on", "date CHECK (pg_catalog.isfinite(done_on))", "day on which it was done; NULL while it is open"},
			{"note", "text", "free text"}
		}
	}
};

/*
 * Creates a table, with its comments.  The schema is quoted, the currency a
 * literal.
 */
static void
CreateTable(const CampaignTable *table, const char *schema, const char *currency)
{
	const char *name = psprintf("%s.%s", schema, quote_identifier(table->name));
	StringInfoData command;

	initStringInfo(&command);
	appendStringInfo(&command, "CREATE TABLE %s (", name);
	for (const TableColumn *column = table->columns; column->name != NULL; column++)
	{
		appendStringInfo(&command, "%s ", quote_identifier(column->name));
		appendStringInfo(&command, column->definition, currency);
		appendStringInfoString(&command, ", ");
	}
	appendStringInfo(&command, "%s)", table->constraints);
	align_spi_execute(command.data);

	align_spi_execute(psprintf("COMMENT ON TABLE %s IS %s", name, quote_literal_cstr(table->comment)));
	for (const TableColumn *column = table->columns; column->name != NULL; column++)
		align_spi_execute(psprintf("COMMENT ON COLUMN %s.%s IS %s", name, quote_identifier(column->name),
								   quote_literal_cstr(column->comment)));
}

/*
 * Returns the schema of a name, in which the current user may create tables.
 */
static Oid
FindSchema(const char *name)
{
	Oid			schema = get_namespace_oid(name, true);

	if (!OidIsValid(schema))
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_SCHEMA),
				 errmsg("schema \"%s\" does not exist", name),
				 errhint("Create it first: CREATE SCHEMA %s;", quote_identifier(name))));
	if (isAnyTempNamespace(schema))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_SCHEMA_NAME),
				 errmsg("campaign tables cannot be temporary"),
				 errdetail("Schema \"%s\" is for temporary tables.", name)));
	if (!align_may_create_in(schema, GetUserId()) || !align_may_use(schema, GetUserId()))
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("permission denied for schema %s", name),
				 errdetail("The tables belong to the current user, \"%s\", who may not create anything there.",
						   GetUserNameFromId(GetUserId(), false)),
				 errhint("Choose a schema of your own, or ask for the privileges USAGE and CREATE.")));
	return schema;
}

/*
 * Checks that nothing of the schema has the name of a table.
 */
static void
CheckNames(Oid schema, const char *schema_name)
{
	for (int i = 0; i < (int) lengthof(campaign_tables); i++)
	{
		const char *name = campaign_tables[i].name;
		bool		is_relation = OidIsValid(get_relname_relid(name, schema));

		if (is_relation ||
			SearchSysCacheExists2(TYPENAMENSP, CStringGetDatum(name), ObjectIdGetDatum(schema)))
			ereport(ERROR,
					(errcode(is_relation ? ERRCODE_DUPLICATE_TABLE : ERRCODE_DUPLICATE_OBJECT),
					 errmsg("%s \"%s\" in schema \"%s\" already exists",
							is_relation ? "relation" : "type", name, schema_name),
					 errdetail("None of the tables is created."),
					 errhint("Choose another schema, or rename it.")));
	}
}

/*
 * Returns a currency as a literal.
 */
static const char *
CurrencyLiteral(const char *currency)
{
	bool		is_valid = strlen(currency) == CURRENCY_LEN;

	for (const char *p = currency; is_valid && *p != '\0'; p++)
		is_valid = *p >= 'A' && *p <= 'Z';
	if (!is_valid)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("\"%s\" is not a currency", currency),
				 errhint("Give the three capital letters of ISO 4217, such as EUR.")));
	return quote_literal_cstr(currency);
}

/*
 * create_campaign_tables(in_schema text, currency text) returns bigint, the
 * number of tables
 */
Datum
align_create_campaign_tables(PG_FUNCTION_ARGS)
{
	RestrictedCaller caller;
	const char *name;
	const char *currency;
	Oid			schema;

	align_require_argument(fcinfo, 0, "in_schema");
	align_require_argument(fcinfo, 1, "currency");
	PreventCommandIfReadOnly("align.create_campaign_tables()");
	name = text_to_cstring(PG_GETARG_TEXT_PP(0));
	currency = CurrencyLiteral(text_to_cstring(PG_GETARG_TEXT_PP(1)));
	schema = FindSchema(name);
	CheckNames(schema, name);

	/* the texts of constraints are read with the search_path that this sets */
	align_begin_restricted(&caller, GetUserId());
	align_spi_connect();
	for (int i = 0; i < (int) lengthof(campaign_tables); i++)
		CreateTable(&campaign_tables[i], quote_identifier(name), currency);
	SPI_finish();
	align_end_restricted(&caller);
	PG_RETURN_INT64(lengthof(campaign_tables));
}

void
align_check_campaign_tables(Oid schema, Oid owner)
{
	for (int i = 0; i < (int) lengthof(campaign_tables); i++)
	{
		const CampaignTable *table = &campaign_tables[i];
		Oid			relid = get_relname_relid(table->name, schema);

		if (!OidIsValid(relid) || get_rel_relkind(relid) != RELKIND_RELATION)
			continue;
		if (align_relation_owner(relid) != owner)
		{
			ereport(NOTICE,
					(errmsg("table \"%s\" in schema \"%s\" is not used", table->name,
							get_namespace_name(schema)),
					 errdetail("It belongs to \"%s\", not to the owner of the reports, \"%s\".",
							   GetUserNameFromId(align_relation_owner(relid), false),
							   GetUserNameFromId(owner, false))));
			continue;
		}
		for (const TableColumn *column = table->columns; column->name != NULL; column++)
		{
			if (get_attnum(relid, column->name) == InvalidAttrNumber)
				ereport(ERROR,
						(errcode(ERRCODE_UNDEFINED_COLUMN),
						 errmsg("table \"%s\" in schema \"%s\" has no column \"%s\"", table->name,
								get_namespace_name(schema), column->name),
						 errdetail("The reports read a table of this name that has the columns that align.create_campaign_tables() gives it."),
						 errhint("Choose another schema, or rename the table.")));
		}
	}
}

Oid
align_campaign_table(Oid schema, const char *name, Oid owner)
{
	RangeVar   *table = makeRangeVar(get_namespace_name(schema), pstrdup(name), -1);
	Oid			relid = RangeVarGetRelid(table, AccessShareLock, true);

	if (!OidIsValid(relid) || get_rel_relkind(relid) != RELKIND_RELATION ||
		align_relation_owner(relid) != owner)
		return InvalidOid;
	return relid;
}
