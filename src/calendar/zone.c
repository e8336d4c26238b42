/*
 * zone.c
 *	  The time zone at the beginning of a calendar.
 *
 * Its syntax is checked here; whether the server knows it, where it is used.
 */
#include "postgres.h"

#include "pgtime.h"

#include "calendar/words.h"

/*
 * Is this name one that the IANA database could have?  Words of letters,
 * joined by "/", "-" and "_".  Digits only where the database really has them,
 * so that a POSIX zone such as EST5 is refused whatever the server knows.
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
 * A word at the beginning is the zone unless it can begin a rule.
 */
static bool
ZoneIsNext(const char *p)
{
	if (!IsLetter(*p) || IsWeekday(p) || IsMonth(p) || IsClosed(p))
		return false;
	return align_rules_hint(p) == NULL;
}

/*
 * The zone, if there is one.  Known zones are cased as the server's database
 * has them; an unknown one is kept as it is, so that a dump can be restored
 * where it is not installed, and raises when it is used.
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
							   psprintf("\"%s\" is not a name of the IANA time zone database.", name),
							   "Use a name such as \"Europe/London\"; the view pg_timezone_names has a list.",
							   "expected a time zone");
	zone = pg_tzset(name);
	rules->zone = zone != NULL ? pstrdup(pg_get_timezone_name(zone)) : name;
	scan->cur = stop;
	return true;
}
