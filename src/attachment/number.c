/*
 * number.c
 *	  The number of an attachment in the names and arguments of its triggers.
 *
 * Attachment n >= 2 of a table appends "_n" to the names of its triggers, and
 * n is the argument of those that record.  The first attachment does neither.
 */
#include "postgres.h"

#include "common/string.h"

#include "attachment/attachment.h"

/*
 * The name that a trigger has in an attachment; palloc'd if it is not the
 * first.
 */
const char *
align_numbered_name(const char *name, int32 number)
{
	return number == ATTACHMENT_FIRST ? name : psprintf("%s_%d", name, number);
}

/*
 * The number of the attachment to which a trigger belongs by its name; 0 if
 * the name is not one that align_numbered_name() makes of base.
 */
int32
align_number_in_name(const char *name, const char *base)
{
	size_t		len = strlen(base);

	if (strncmp(name, base, len) != 0)
		return 0;
	if (name[len] == '\0')
		return ATTACHMENT_FIRST;
	return name[len] == '_' ? align_parse_number(name + len + 1) : 0;
}

/*
 * The number that a text contains, or 0 if it is not that of a further
 * attachment as align writes it.
 */
int32
align_parse_number(const char *text)
{
	char	   *end;
	int			number;

	errno = 0;
	number = strtoint(text, &end, 10);
	if (errno != 0 || number <= ATTACHMENT_FIRST || strcmp(psprintf("%d", number), text) != 0)
		return 0;
	return number;
}
