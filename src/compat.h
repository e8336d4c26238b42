/*
 * compat.h
 *	  Every difference between the supported PostgreSQL majors (15 to 18).
 *
 * No other file tests PG_VERSION_NUM.
 */
#ifndef ALIGN_COMPAT_H
#define ALIGN_COMPAT_H

#include "postgres.h"

#include "nodes/nodes.h"
#include "utils/guc_tables.h"

#if PG_VERSION_NUM >= 160000
#include "catalog/pg_class_d.h"
#include "catalog/pg_namespace_d.h"
#include "nodes/miscnodes.h"
#include "varatt.h"
#endif
#if PG_VERSION_NUM >= 180000
#include "rewrite/rewriteHandler.h"
#endif

/* Since 18 the attribute is pg_noreturn, before the declaration. */
#if PG_VERSION_NUM >= 180000
#define pg_attribute_noreturn() __attribute__((noreturn))
#endif

/*
 * Soft errors exist since 16.  Before, an input function is never called with
 * an error context, so the same code raises a hard error.
 */
#if PG_VERSION_NUM < 160000
#define ereturn(context, dummy_value, ...) \
	do { \
		(void) (context); \
		ereport(ERROR, __VA_ARGS__); \
		return dummy_value; \
	} while (0)
#define errsave(context, ...) \
	do { \
		(void) (context); \
		ereport(ERROR, __VA_ARGS__); \
	} while (0)
#define SOFT_ERROR_OCCURRED(context) ((void) (context), false)
#endif

/* make_range takes an error context since 16. */
#if PG_VERSION_NUM >= 160000
#define align_make_range(typcache, lower, upper, empty) \
	make_range(typcache, lower, upper, empty, NULL)
#else
#define align_make_range(typcache, lower, upper, empty) \
	make_range(typcache, lower, upper, empty)
#endif

/*
 * Since 18 generated columns may be virtual; in an expression, a reference to
 * one must be replaced by its generation expression.
 */
#if PG_VERSION_NUM >= 180000
#define ALIGN_IS_VIRTUAL(attribute) ((attribute)->attgenerated == ATTRIBUTE_GENERATED_VIRTUAL)
#define align_expand_virtual_columns(node, rel) expand_generated_columns_in_expr(node, rel, 1)
#else
#define ALIGN_IS_VIRTUAL(attribute) ((void) (attribute), false)
#define align_expand_virtual_columns(node, rel) ((void) (rel), (node))
#endif

/* The number of the current transaction in this backend; members since 17. */
#if PG_VERSION_NUM >= 170000
#define ALIGN_LOCAL_TRANSACTION (MyProc->vxid.lxid)
#else
#define ALIGN_LOCAL_TRANSACTION (MyProc->lxid)
#endif

/* Memory for the "extra" of a setting, NULL if out of memory. */
#if PG_VERSION_NUM >= 160000
#define align_setting_alloc(size) guc_malloc(LOG, size)
#else
#define align_setting_alloc(size) malloc(size)
#endif

/* The setting of a name, a struct config_generic; NULL if there is none. */
#if PG_VERSION_NUM >= 160000
#define align_find_setting(name) find_option(name, false, true, 0)
#else
static inline struct config_generic *
align_find_setting(const char *name)
{
	struct config_generic **settings = get_guc_variables();

	for (int i = 0; i < GetNumConfigOptions(); i++)
	{
		if (strcmp(settings[i]->name, name) == 0)
			return settings[i];
	}
	return NULL;
}
#endif

/* Intervals can be infinite since 17. */
#if PG_VERSION_NUM >= 170000
#define ALIGN_INTERVAL_NOT_FINITE(interval) INTERVAL_NOT_FINITE(interval)
#else
#define ALIGN_INTERVAL_NOT_FINITE(interval) ((void) (interval), false)
#endif

/*
 * Parse the text of another type within a text of our own.  Returns NULL after
 * an error, with the error data in *error, for the caller to report with a
 * position in its own text.  Before 16 the error has to be caught, which is
 * safe because the caller raises it again.
 */
struct TextValue;
typedef struct TextValue *(*AlignTextParser) (const char *text, Node *escontext);

#if PG_VERSION_NUM >= 160000
static inline struct TextValue *
align_capture_error(AlignTextParser parse, const char *text, ErrorData **error)
{
	ErrorSaveContext escontext = {.type = T_ErrorSaveContext,.details_wanted = true};
	struct TextValue *result;

	result = parse(text, (Node *) &escontext);
	*error = escontext.error_data;
	return escontext.error_occurred ? NULL : result;
}
#else
static inline struct TextValue *
align_capture_error(AlignTextParser parse, const char *text, ErrorData **error)
{
	MemoryContext context = CurrentMemoryContext;
	struct TextValue *volatile result = NULL;

	*error = NULL;
	PG_TRY();
	{
		result = parse(text, NULL);
	}
	PG_CATCH();
	{
		if (ERRCODE_TO_CATEGORY(geterrcode()) != ERRCODE_DATA_EXCEPTION &&
			geterrcode() != ERRCODE_PROGRAM_LIMIT_EXCEEDED)
			PG_RE_THROW();
		MemoryContextSwitchTo(context);
		*error = CopyErrorData();
		FlushErrorState();
	}
	PG_END_TRY();
	return result;
}
#endif

/* Read an interval from its text; false after a soft error. */
#if PG_VERSION_NUM >= 160000
#define align_interval_in(text, escontext, result) \
	DirectInputFunctionCallSafe(interval_in, text, InvalidOid, -1, escontext, result)
#else
#define align_interval_in(text, escontext, result) \
	((void) (escontext), \
	 *(result) = DirectFunctionCall3(interval_in, CStringGetDatum(text), \
									 ObjectIdGetDatum(InvalidOid), Int32GetDatum(-1)), \
	 true)
#endif

/* Before 16, a member of a role may always SET ROLE to it. */
#if PG_VERSION_NUM < 160000
#define check_can_set_role(member, role) check_is_member_of_role(member, role)
#endif

/* Since 16 one function checks the ownership of all kinds of objects. */
#if PG_VERSION_NUM >= 160000
#define align_table_ownercheck(relid, role) object_ownercheck(RelationRelationId, relid, role)
#else
#define align_table_ownercheck(relid, role) pg_class_ownercheck(relid, role)
#endif

/* True if a role may create objects in a schema. */
#if PG_VERSION_NUM >= 160000
#define align_may_create_in(schema, role) \
	(object_aclcheck(NamespaceRelationId, schema, role, ACL_CREATE) == ACLCHECK_OK)
#else
#define align_may_create_in(schema, role) \
	(pg_namespace_aclcheck(schema, role, ACL_CREATE) == ACLCHECK_OK)
#endif

/* True if a role may look up objects in a schema. */
#if PG_VERSION_NUM >= 160000
#define align_may_use(schema, role) \
	(object_aclcheck(NamespaceRelationId, schema, role, ACL_USAGE) == ACLCHECK_OK)
#else
#define align_may_use(schema, role) \
	(pg_namespace_aclcheck(schema, role, ACL_USAGE) == ACLCHECK_OK)
#endif

/* stringToQualifiedNameList takes an error context since 16. */
#if PG_VERSION_NUM >= 160000
#define align_qualified_name_list(text) stringToQualifiedNameList(text, NULL)
#else
#define align_qualified_name_list(text) stringToQualifiedNameList(text)
#endif

/*
 * Since 16 an update returns which indexes need new entries (all or only
 * summarizing ones), before only whether any do.
 */
#if PG_VERSION_NUM >= 160000
#define AlignUpdateIndexes TU_UpdateIndexes
#define ALIGN_ALL_INDEXES TU_All
#define ALIGN_UPDATES_INDEXES(which) ((which) != TU_None)
#define align_insert_index_tuples(result_rel, slot, estate, is_update, which) \
	ExecInsertIndexTuples(result_rel, slot, estate, is_update, false, NULL, NIL, \
						  (which) == TU_Summarizing)
#else
#define AlignUpdateIndexes bool
#define ALIGN_ALL_INDEXES true
#define ALIGN_UPDATES_INDEXES(which) (which)
#define align_insert_index_tuples(result_rel, slot, estate, is_update, which) \
	((void) (which), ExecInsertIndexTuples(result_rel, slot, estate, is_update, false, NULL, NIL))
#endif

/* Fetch a line of memory into the cache; a hint to the processor. */
#if defined(__GNUC__) || defined(__clang__)
#define align_prefetch(address) __builtin_prefetch(address)
#else
#define align_prefetch(address) ((void) 0)
#endif

#endif							/* ALIGN_COMPAT_H */
