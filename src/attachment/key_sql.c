/*
 * key_sql.c
 *	  SQL text for the keys of leads; see key_sql.h.
 */
#include "postgres.h"

#include "utils/builtins.h"
#include "utils/typcache.h"

#include "attachment/key_sql.h"

/*
 * Appends " AND left = right".
 */
void
align_append_key_equality(StringInfo sql, int keyno, Oid type, const char *left,
						  const char *right)
{
	if (keyno > 0)
		appendStringInfoString(sql, " AND ");
	generate_operator_clause(sql, left, type, lookup_type_cache(type, TYPECACHE_EQ_OPR)->eq_opr,
							 right, type);
}

/*
 * Appends "h.region, h.id".
 */
void
align_append_key(StringInfo sql, const Attachment *attachment, AttachedTable table)
{
	for (int i = 0; i < attachment->nkeys; i++)
		appendStringInfo(sql, "%sh.%s", i > 0 ? ", " : "", align_table_key(attachment, table, i));
}

/*
 * Appends "h.region = r.key_1 AND h.id = r.key_2".
 */
void
align_append_key_match(StringInfo sql, const Attachment *attachment, AttachedTable table,
					   const char *alias, const char *others)
{
	for (int i = 0; i < attachment->nkeys; i++)
		align_append_key_equality(sql, i, attachment->keys[i].type,
								  psprintf("%s.%s", alias, align_table_key(attachment, table, i)),
								  psprintf("%s_%d", others, i + 1));
}

/*
 * Appends "t.region = h.region AND t.id = h.id".
 */
void
align_append_key_join(StringInfo sql, const Attachment *attachment, AttachedTable left,
					  const char *left_alias, AttachedTable right, const char *right_alias)
{
	for (int i = 0; i < attachment->nkeys; i++)
	{
		char	   *left_key = psprintf("%s.%s", left_alias, align_table_key(attachment, left, i));
		char	   *right_key = psprintf("%s.%s", right_alias, align_table_key(attachment, right, i));

		align_append_key_equality(sql, i, attachment->keys[i].type, left_key, right_key);
	}
}

/*
 * Appends "region = $1, id = $2".
 */
void
align_append_key_assignment(StringInfo sql, const Attachment *attachment, AttachedTable table,
							int parameter)
{
	for (int i = 0; i < attachment->nkeys; i++)
		appendStringInfo(sql, "%s%s = $%d", i > 0 ? ", " : "",
						 align_table_key(attachment, table, i), parameter + i);
}

/*
 * Appends "r.region = $1 AND r.id = $2".
 */
void
align_append_key_parameters(StringInfo sql, const Attachment *attachment, AttachedTable table,
							const char *alias, int parameter)
{
	for (int i = 0; i < attachment->nkeys; i++)
		align_append_key_equality(sql, i, attachment->keys[i].type,
								  psprintf("%s.%s", alias, align_table_key(attachment, table, i)),
								  psprintf("$%d", parameter + i));
}

/*
 * Appends "(h.region = $1 AND h.id = $2)".
 */
void
align_append_key_condition(StringInfo sql, const Attachment *attachment, AttachedTable table,
						   int parameter)
{
	appendStringInfoChar(sql, '(');
	align_append_key_parameters(sql, attachment, table, "h", parameter);
	appendStringInfoChar(sql, ')');
}

/*
 * The types of the key columns.
 */
void
align_key_types(const Attachment *attachment, Oid *types)
{
	for (int i = 0; i < attachment->nkeys; i++)
		types[i] = attachment->keys[i].type;
}
