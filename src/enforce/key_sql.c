/*
 * key_sql.c
 *	  SQL text about keys.
 */
#include "postgres.h"

#include "utils/builtins.h"
#include "utils/ruleutils.h"

#include "enforce/key_sql.h"

void
align_append_key(StringInfo sql, const Attachment *attachment, AttachedTable table)
{
	for (int i = 0; i < attachment->nkeys; i++)
		appendStringInfo(sql, "%sh.%s", i > 0 ? ", " : "", align_table_key(attachment, table, i));
}

void
align_append_key_match(StringInfo sql, const Attachment *attachment, AttachedTable table,
					   const char *alias, const char *others)
{
	for (int i = 0; i < attachment->nkeys; i++)
	{
		const KeyColumn *key = &attachment->keys[i];

		if (i > 0)
			appendStringInfoString(sql, " AND ");
		generate_operator_clause(sql,
								 psprintf("%s.%s", alias, align_table_key(attachment, table, i)),
								 key->type, key->eq_operator,
								 psprintf("%s_%d", others, i + 1), key->type);
	}
}

void
align_append_key_assignment(StringInfo sql, const Attachment *attachment, AttachedTable table,
							int parameter)
{
	for (int i = 0; i < attachment->nkeys; i++)
		appendStringInfo(sql, "%s%s = $%d", i > 0 ? ", " : "", align_table_key(attachment, table, i),
						 parameter + i);
}

void
align_append_key_parameters(StringInfo sql, const Attachment *attachment, AttachedTable table,
							const char *alias, int parameter)
{
	for (int i = 0; i < attachment->nkeys; i++)
	{
		const KeyColumn *key = &attachment->keys[i];

		if (i > 0)
			appendStringInfoString(sql, " AND ");
		generate_operator_clause(sql,
								 psprintf("%s.%s", alias, align_table_key(attachment, table, i)),
								 key->type, key->eq_operator,
								 psprintf("$%d", parameter + i), key->type);
	}
}

void
align_append_key_condition(StringInfo sql, const Attachment *attachment, AttachedTable table,
						   int parameter)
{
	appendStringInfoChar(sql, '(');
	align_append_key_parameters(sql, attachment, table, "h", parameter);
	appendStringInfoChar(sql, ')');
}

void
align_key_types(const Attachment *attachment, Oid *types)
{
	for (int i = 0; i < attachment->nkeys; i++)
		types[i] = attachment->keys[i].type;
}
