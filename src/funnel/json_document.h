/*
 * json_document.h
 *	  A document of the agreement language in the making, from a JSON object;
 *	  private to this room.
 *
 * Marks remember which member each part of the document came from.
 */
#ifndef ALIGN_FUNNEL_JSON_DOCUMENT_H
#define ALIGN_FUNNEL_JSON_DOCUMENT_H

#include "funnel/draft.h"
#include "utils/jsonb.h"

/* From this offset of the document on, it stems from that member. */
typedef struct Mark
{
	int			offset;
	char	   *path;
} Mark;

typedef struct JsonDocument
{
	StringInfoData text;
	Mark	   *marks;
	int			nmarks;
	int			room;
} JsonDocument;

/* A JSON value and how one gets to it: "stages[0].kind". */
typedef struct JsonNode
{
	JsonbValue *value;			/* NULL if absent or null */
	char	   *path;
} JsonNode;

extern void align_json_bad(const JsonNode *node, const char *problem) pg_attribute_noreturn();
/* Is it a string, and if text is not NULL, this one? */
extern bool align_json_is_string(const JsonNode *node, const char *text);
/* An object that has none but these members (NULL-terminated; NULL: any). */
extern void align_json_check_object(const JsonNode *node, const char *const *members);
extern JsonNode align_json_member(const JsonNode *object, const char *key);
/* Elements of an array; none if it is absent. */
extern int	align_json_count(const JsonNode *array);
extern JsonNode align_json_element(const JsonNode *array, int i);

/* What is written next stems from this member. */
extern void align_json_mark(JsonDocument *document, const JsonNode *node);
/* The describe function of the scanner; arg is the document. */
extern char *align_json_describe(void *arg, const char *at);

extern void align_json_put(JsonDocument *document, const char *text);
extern void align_json_put_quoted(JsonDocument *document, const JsonNode *node, char quote);
extern void align_json_put_name(JsonDocument *document, const JsonNode *node);
extern void align_json_put_name_member(JsonDocument *document, const JsonNode *object, const char *key);
/* The names of an array, between separators; at least one. */
extern void align_json_put_names(JsonDocument *document, const JsonNode *array, const char *separator);
extern void align_json_put_names_member(JsonDocument *document, const JsonNode *object, const char *key);

#endif							/* ALIGN_FUNNEL_JSON_DOCUMENT_H */
