/*
 * zone.c
 *	  The time zone at the beginning of a calendar.
 *
 * Only the syntax of its name is checked here.  compile.c raises for a zone
 * that the server does not have.
 */
#include "postgres.h"

#include "pgtime.h"

#include "calendar/calendar.h"
#include "calendar/words.h"

/*
 * Could the IANA database have a zone of this name?  True for words of letters
 * joined by "/", "-" and "_".  Digits are accepted only in the names in which
 * the database has them, because pg_tzset also accepts POSIX zones such as
 * EST5.
 */
static bool
IsZoneName(const char *name)
{
	static const char *const with_digits[] =
	{"Etc/GMT0", "Etc/GMT+0", "Etc/GMT-0", "GMT0", "GMT+0", "GMT-0",
	"EST5EDT", "CST6CDT", "MST7MDT", "PST8PDT"};
	bool		in_word = false;
	int			hours;

	if (strlen(name) > TZ_STRLEN_MAX || pg_strcasecmp(name, "localtime") == 0)
		return false;
	for (size_t i = 0; i < lengthof(with_digits); i++)
	{
		if (pg_strcasecmp(name, with_digits[i]) == 0)
			return true;
	}

	/* Etc/GMT+1 to Etc/GMT+12 and Etc/GMT-1 to Etc/GMT-14 */
	if (pg_strncasecmp(name, "Etc/GMT", 7) == 0 &&
		(name[7] == '+' || name[7] == '-') &&
		CountDigits(name + 8) == (int) strlen(name + 8) &&
		strlen(name + 8) <= 2 && name[8] != '0' && name[8] != '\0')
	{
		hours = atoi(name + 8);
		return hours <= (name[7] == '+' ? 12 : 14);
	}

	for (const char *p = name; *p; p++)
	{
		if (IsLetter(*p))
			in_word = true;
		else if ((*p == '/' || *p == '-' || *p == '_') && in_word)
			in_word = false;
		else
			return false;
	}
	return in_word;
}

/*
 * Returns the canonical name of a zone that the server has, or NULL.
 */
const char *
align_time_zone_name(const char *name)
{
	pg_tz	   *zone = IsZoneName(name) ? pg_tzset(name) : NULL;

	return zone != NULL && pg_tz_acceptable(zone) ? pg_get_timezone_name(zone) : NULL;
}

/*
 * True if the text begins with a zone.  A word is the zone unless it begins a
 * rule, or a rule of the full opening_hours specification.
 */
static bool
ZoneIsNext(const char *p)
{
	if (!IsLetter(*p) || IsWeekday(p) || IsMonth(p) || IsClosed(p))
		return false;
	return align_rules_hint(p) == NULL;
}

/*
 * Reads the zone, UTC if there is none, into rules->zone.  A zone that the
 * server has gets its canonical case.  An unknown one is kept as written, so
 * that a dump can be restored on a server with another time zone database.
 */
bool
align_rules_scan_zone(TextScan *scan, CalendarRules *rules)
{
	const char *at;
	const char *stop;
	char	   *name;
	pg_tz	   *zone;

	align_scan_space(scan);
	at = scan->cur;
	if (!ZoneIsNext(at))
	{
		rules->zone = pstrdup("UTC");
		return true;
	}
	for (stop = at; *stop != '\0' && strchr("; \t\n\r\f\v", *stop) == NULL;)
		stop++;
	name = pnstrdup(at, stop - at);
	if (!IsZoneName(name))
		return align_scan_fail(scan, at,
							   psprintf("\"%s\" is not a name in the IANA time zone database.", name),
							   "Use a name such as \"Europe/London\"; the view pg_timezone_names lists them.",
							   "expected a time zone");
	zone = pg_tzset(name);
	rules->zone = zone != NULL ? pstrdup(pg_get_timezone_name(zone)) : name;
	scan->cur = stop;
	return true;
}
