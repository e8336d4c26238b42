/*
 * deletion.c
 *	  The stored form of deferred deletions; see deletion.h.
 *
 * The form is a StoredDeletion; the values of the key, each aligned, by-value
 * ones as Datums; then those strings that are not NULL, null-terminated.
 */
#include "postgres.h"

#include "access/detoast.h"
#include "utils/datum.h"

#include "record/deletion.h"

#define NO_CHANGED_AT 0x01
#define LIVE 0x02
#define TRUNCATED 0x04
#define RESTRICTED 0x08

typedef struct StoredDeletion
{
	int64		changed_at;
	CommandId	command;
	CommandId	replaced_command;
	uint8		flags;
	uint8		strings;		/* bit i: string i is not NULL */
} StoredDeletion;

#define NSTRINGS 6

/*
 * Sets the places of the strings of a deletion, in the order in which they are
 * stored.
 */
static void
FindStrings(DeferredDeletion *deletion, const char **places[NSTRINGS])
{
	places[0] = &deletion->stage;
	places[1] = &deletion->team;
	places[2] = &deletion->assignee;
	places[3] = &deletion->reason;
	places[4] = &deletion->actor;
	places[5] = &deletion->db_role;
}

/*
 * Appends zeros up to the next aligned position.
 */
static void
AppendPadding(StringInfo record)
{
	static const char zeros[MAXIMUM_ALIGNOF] = {0};

	appendBinaryStringInfo(record, zeros, MAXALIGN(record->len) - record->len);
}

/*
 * Appends the values of a key.
 */
static void
AppendKey(StringInfo record, const Attachment *attachment, const Datum *key)
{
	for (int i = 0; i < attachment->nkeys; i++)
	{
		const KeyColumn *column = &attachment->keys[i];
		char	   *value;

		AppendPadding(record);
		if (column->typbyval)
		{
			appendBinaryStringInfo(record, (const char *) &key[i], sizeof(Datum));
			continue;
		}
		value = DatumGetPointer(key[i]);
		/* after a TRUNCATE, the TOAST table no longer has the value */
		if (column->typlen == -1 && VARATT_IS_EXTERNAL(value))
			value = (char *) detoast_external_attr((struct varlena *) value);
		appendBinaryStringInfo(record, value,
							   (int) datumGetSize(PointerGetDatum(value), false, column->typlen));
	}
}

/*
 * Appends the stored form of a key and of a deletion.
 */
void
align_deletion_store(StringInfo record, const Attachment *attachment, const Datum *key,
					 const DeferredDeletion *deletion)
{
	DeferredDeletion from = {0};
	const char **strings[NSTRINGS];
	StoredDeletion stored;

	if (deletion != NULL)
		from = *deletion;
	FindStrings(&from, strings);
	memset(&stored, 0, sizeof(stored));
	stored.changed_at = from.changed_at;
	stored.command = from.command;
	stored.replaced_command = from.replaced_command;
	stored.flags = (from.no_changed_at ? NO_CHANGED_AT : 0) | (from.live ? LIVE : 0) |
		(from.truncated ? TRUNCATED : 0) | (from.restricted ? RESTRICTED : 0);
	for (int i = 0; i < NSTRINGS; i++)
	{
		if (*strings[i] != NULL)
			stored.strings |= 1 << i;
	}
	appendBinaryStringInfo(record, (const char *) &stored, sizeof(stored));
	AppendKey(record, attachment, key);
	for (int i = 0; i < NSTRINGS; i++)
	{
		if (*strings[i] != NULL)
			appendBinaryStringInfo(record, *strings[i], (int) strlen(*strings[i]) + 1);
	}
}

/*
 * Reads the key of a stored form, and returns what follows it.
 */
static const char *
ReadKey(const char *record, const Attachment *attachment, Datum *key)
{
	const char *next = record + sizeof(StoredDeletion);

	for (int i = 0; i < attachment->nkeys; i++)
	{
		const KeyColumn *column = &attachment->keys[i];

		next = record + MAXALIGN(next - record);
		if (column->typbyval)
		{
			memcpy(&key[i], next, sizeof(Datum));
			next += sizeof(Datum);
		}
		else
		{
			key[i] = PointerGetDatum(next);
			next += datumGetSize(key[i], false, column->typlen);
		}
	}
	return next;
}

/*
 * Reads the key of a stored form.
 */
void
align_deletion_key(const char *record, const Attachment *attachment, Datum *key)
{
	(void) ReadKey(record, attachment, key);
}

/*
 * Reads the deletion of a stored form.
 */
void
align_deletion_read(const char *record, const Attachment *attachment, DeferredDeletion *deletion)
{
	const StoredDeletion *stored = (const StoredDeletion *) record;
	const char **strings[NSTRINGS];
	Datum		key[ATTACHMENT_MAX_KEYS];
	const char *next = ReadKey(record, attachment, key);

	memset(deletion, 0, sizeof(DeferredDeletion));
	deletion->changed_at = stored->changed_at;
	deletion->command = stored->command;
	deletion->replaced_command = stored->replaced_command;
	deletion->no_changed_at = (stored->flags & NO_CHANGED_AT) != 0;
	deletion->live = (stored->flags & LIVE) != 0;
	deletion->truncated = (stored->flags & TRUNCATED) != 0;
	deletion->restricted = (stored->flags & RESTRICTED) != 0;
	FindStrings(deletion, strings);
	for (int i = 0; i < NSTRINGS; i++)
	{
		if (!(stored->strings & (1 << i)))
			continue;
		*strings[i] = next;
		next += strlen(next) + 1;
	}
}
