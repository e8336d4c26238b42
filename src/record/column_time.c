/*
 * column_time.c
 *	  Times in columns of the attached table.
 *
 * A timestamp without time zone is local time in the time zone of the
 * attachment, and a date the midnight at which it begins there.  A table that
 * was attached by a version before 0.4 has none; then it is that of the
 * session.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "pgtime.h"
#include "utils/builtins.h"
#include "utils/date.h"
#include "utils/datetime.h"
#include "utils/timestamp.h"

#include "record/column_time.h"

/*
 * Returns the time zone of an attachment.
 */
static pg_tz *
Zone(const Attachment *attachment)
{
	pg_tz	   *zone;

	if (attachment->marker.options.time_zone[0] == '\0')
		return session_timezone;
	/* kept in a hash table */
	zone = pg_tzset(attachment->marker.options.time_zone);
	if (zone == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("time zone \"%s\" of table %s does not exist",
						attachment->marker.options.time_zone, attachment->root_name),
				 errdetail("The time zone database of this server does not have it."),
				 errhint("Attach the table again with another time_zone.")));
	return zone;
}

/*
 * Returns the instant of a local time, which is finite.
 */
static TimestampTz
LocalTime(const Attachment *attachment, Timestamp local)
{
	struct pg_tm tm;
	fsec_t		fsec;
	int			offset;
	Timestamp	result;

	if (timestamp2tm(local, NULL, &tm, &fsec, NULL, NULL) != 0)
		ereport(ERROR,
				(errcode(ERRCODE_DATETIME_VALUE_OUT_OF_RANGE),
				 errmsg("timestamp out of range")));
	offset = DetermineTimeZoneOffset(&tm, Zone(attachment));
	if (tm2timestamp(&tm, fsec, &offset, &result) != 0)
		ereport(ERROR,
				(errcode(ERRCODE_DATETIME_VALUE_OUT_OF_RANGE),
				 errmsg("timestamp out of range")));
	return result;
}

/*
 * Returns a value of a column as an instant.
 */
TimestampTz
align_column_time(const Attachment *attachment, RowRole role, Datum value)
{
	Oid			type = attachment->type[role];

	if (type == DATEOID)
		value = DirectFunctionCall1(date_timestamp, value);
	if (TIMESTAMP_NOT_FINITE(DatumGetTimestamp(value)))
		ereport(ERROR,
				(errcode(ERRCODE_DATETIME_VALUE_OUT_OF_RANGE),
				 errmsg("time of a change in table %s must be finite", attachment->root_name)));
	if (type == TIMESTAMPTZOID)
		return DatumGetTimestampTz(value);
	return LocalTime(attachment, DatumGetTimestamp(value));
}
