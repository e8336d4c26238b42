/*
 * compat.h
 *	  Every difference between the supported PostgreSQL majors (15 to 18).
 *
 * No other file in the tree tests PG_VERSION_NUM.
 */
#ifndef ALIGN_COMPAT_H
#define ALIGN_COMPAT_H

#include "postgres.h"

#include "nodes/nodes.h"

#if PG_VERSION_NUM >= 160000
#include "nodes/miscnodes.h"
#include "varatt.h"
#endif

/*
 * 18 says pg_noreturn, in front of the declaration.
 */
#if PG_VERSION_NUM >= 180000
#define pg_attribute_noreturn() __attribute__((noreturn))
#endif

/*
 * Soft errors arrived in 16.  In 15 an input function is never called with an
 * error context, so the same code raises at once.
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

/* make_range reports softly since 16. */
#if PG_VERSION_NUM >= 160000
#define align_make_range(typcache, lower, upper, empty) \
	make_range(typcache, lower, upper, empty, NULL)
#else
#define align_make_range(typcache, lower, upper, empty) \
	make_range(typcache, lower, upper, empty)
#endif

/*
 * Generated columns need not be stored since 18; an expression that names one
 * then has to be written with what it is computed from.
 */
#if PG_VERSION_NUM >= 180000
#define ALIGN_IS_VIRTUAL(attribute) ((attribute)->attgenerated == ATTRIBUTE_GENERATED_VIRTUAL)
#define align_expand_virtual_columns(node, rel) expand_generated_columns_in_expr(node, rel, 1)
#else
#define ALIGN_IS_VIRTUAL(attribute) ((void) (attribute), false)
#define align_expand_virtual_columns(node, rel) ((void) (rel), (node))
#endif

/* Intervals can be infinite since 17. */
#if PG_VERSION_NUM >= 170000
#define ALIGN_INTERVAL_NOT_FINITE(interval) INTERVAL_NOT_FINITE(interval)
#else
#define ALIGN_INTERVAL_NOT_FINITE(interval) ((void) (interval), false)
#endif

/*
 * Parse the text of another type inside that of our own.  Its complaint comes
 * back in *error, for us to report with a position of ours.  In 15 it can only
 * be caught, which is sound because the caller raises it again.
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

/*
 * Before 16, being a member of a role is to be allowed to become it.
 */
#if PG_VERSION_NUM < 160000
#define check_can_set_role(member, role) check_is_member_of_role(member, role)
#endif

/* 16 has one check of ownership for all kinds of objects. */
#if PG_VERSION_NUM >= 160000
#define align_table_ownercheck(relid, role) object_ownercheck(RelationRelationId, relid, role)
#else
#define align_table_ownercheck(relid, role) pg_class_ownercheck(relid, role)
#endif

/* May a role create objects in a schema? */
#if PG_VERSION_NUM >= 160000
#define align_may_create_in(schema, role) \
	(object_aclcheck(NamespaceRelationId, schema, role, ACL_CREATE) == ACLCHECK_OK)
#else
#define align_may_create_in(schema, role) \
	(pg_namespace_aclcheck(schema, role, ACL_CREATE) == ACLCHECK_OK)
#endif

/* Names are parsed softly since 16. */
#if PG_VERSION_NUM >= 160000
#define align_qualified_name_list(text) stringToQualifiedNameList(text, NULL)
#else
#define align_qualified_name_list(text) stringToQualifiedNameList(text)
#endif

/*
 * Since 16 an update says which indexes it wants, not only whether.
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

#endif							/* ALIGN_COMPAT_H */
