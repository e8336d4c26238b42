/*
 * json_document.h
 *	  Writing a document from a JSON object; private to src/funnel.
 *
 * Marks record which member of the object each part of the document comes
 * from, so that an error in the document can be reported for that member.
 */
#ifndef ALIGN_FUNNEL_JSON_DOCUMENT_H
#define ALIGN_FUNNEL_JSON_DOCUMENT_H

#include "funnel/draft.h"
#include "utils/jsonb.h"

/* From this offset to the next mark, the text comes from that member. */
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
	int			max_marks;
} JsonDocument;

/* A JSON value and its path from the root, such as "stages[0].kind". */
typedef struct JsonNode
{
	JsonbValue *value;			/* NULL if absent or null */
	char	   *path;			/* "" for the root */
} JsonNode;

/* Raise; "problem" completes the sentence "member "path" ...". */
extern void align_json_fail(const JsonNode *node, const char *problem) pg_attribute_noreturn();

/* True if the value is a string and, if text is not NULL, this one. */
extern bool align_json_is_string(const JsonNode *node, const char *text);

/*
 * Raises unless the value is an object with no other members than these (an
 * array that ends with NULL; NULL allows any).
 */
extern void align_json_check_object(const JsonNode *node, const char *const *members);

/* A member of an object. */
extern JsonNode align_json_member(const JsonNode *object, const char *key);

/* Number of elements of an array, 0 if it is absent. */
extern int	align_json_count(const JsonNode *array);

/* An element of an array. */
extern JsonNode align_json_element(const JsonNode *array, int i);

/* Records that the text written next comes from this member. */
extern void align_json_mark(JsonDocument *document, const JsonNode *node);

/* TextScan.describe: the member that a position comes from. */
extern char *align_json_describe(void *arg, const char *at);

/* Appends text; a string in quotes; a name, which is always quoted. */
extern void align_json_put(JsonDocument *document, const char *text);
extern void align_json_put_quoted(JsonDocument *document, const JsonNode *node, char quote);
extern void align_json_put_name(JsonDocument *document, const JsonNode *node);
extern void align_json_put_name_member(JsonDocument *document, const JsonNode *object,
									   const char *key);

/* Appends the names of an array, which must not be empty. */
extern void align_json_put_names(JsonDocument *document, const JsonNode *array,
								 const char *separator);
extern void align_json_put_names_member(JsonDocument *document, const JsonNode *object,
										const char *key);

/* Appends a number. */
extern void align_json_put_number_member(JsonDocument *document, const JsonNode *object,
										 const char *key);

/*
 * Appends a due or warning time after its first words, "within" or "warn
 * after", which are replaced where the time asks for others.
 */
extern void align_json_put_time(JsonDocument *document, const JsonNode *node, const char *prefix);

/*
 * channels.c, segments.c, targets.c, mixes.c: append the statement of an
 * element of the member "channels", "segments", "targets" or "mixes".
 * periods.c: that of the member "fiscal_year_begins"; a period.
 */
extern void align_json_read_target(JsonDocument *document, const JsonNode *target);
extern void align_json_read_mix(JsonDocument *document, const JsonNode *mix);
extern void align_json_read_fiscal_year(JsonDocument *document, const JsonNode *root);
extern void align_json_put_period(JsonDocument *document, const JsonNode *node);
extern void align_json_read_channel(JsonDocument *document, const JsonNode *channel);
extern void align_json_read_segment(JsonDocument *document, const JsonNode *segment);

#endif							/* ALIGN_FUNNEL_JSON_DOCUMENT_H */
