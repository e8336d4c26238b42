/*
 * host.c
 *	  The host of an address.
 */
#include "postgres.h"

#include "campaign/text.h"

/* The longest name that the Domain Name System has. */
#define MAX_HOST 253

int
align_campaign_scheme(LeadString text)
{
	int			i = 0;

	while (i < text.len &&
		   ((text.text[i] >= 'a' && text.text[i] <= 'z') ||
			(text.text[i] >= 'A' && text.text[i] <= 'Z') ||
			(i > 0 && ((text.text[i] >= '0' && text.text[i] <= '9') ||
					   text.text[i] == '+' || text.text[i] == '.' || text.text[i] == '-'))))
		i++;
	if (i == 0 || i + 1 >= text.len || text.text[i] != ':' || text.text[i + 1] != '/')
		return 0;
	return i + 1;
}

bool
align_campaign_same_letters(const char *a, const char *b, int len)
{
	for (int i = 0; i < len; i++)
	{
		char		x = a[i] >= 'A' && a[i] <= 'Z' ? a[i] + ('a' - 'A') : a[i];
		char		y = b[i] >= 'A' && b[i] <= 'Z' ? b[i] + ('a' - 'A') : b[i];

		if (x != y)
			return false;
	}
	return true;
}

/* True if the character may be part of a host. */
static inline bool
IsHostChar(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
		c == '.' || c == '-' || c == '_' || IS_HIGHBIT_SET(c);
}

LeadString
align_campaign_host(LeadString address, LeadString *path)
{
	const char *p = address.text + align_campaign_scheme(address);
	const char *end = address.text + address.len;
	const char *stop;
	const char *at;
	char	   *lower;
	int			len = 0;

	if (end - p >= 2 && p[0] == '/' && p[1] == '/')
		p += 2;
	for (stop = p; stop < end && *stop != '/' && *stop != '?' && *stop != '#' && *stop != '\\';)
		stop++;
	*path = align_lead_bytes(stop, (int) (end - stop));

	/* user and password end at the last "@" */
	for (at = stop; at > p && at[-1] != '@';)
		at--;
	while (at + len < stop && IsHostChar(at[len]))
		len++;
	/* only a port may follow */
	if (at + len < stop)
	{
		if (at[len] != ':')
			return align_lead_bytes(NULL, 0);
		for (const char *q = at + len + 1; q < stop; q++)
			if (*q < '0' || *q > '9')
				return align_lead_bytes(NULL, 0);
	}
	while (len > 0 && at[len - 1] == '.')
		len--;
	if (len == 0 || len > MAX_HOST || at[0] == '.')
		return align_lead_bytes(NULL, 0);

	lower = pnstrdup(at, len);
	/* a blank that align_campaign_trim removes is no part of a host */
	if (strstr(lower, "\xC2\xA0") != NULL || strstr(lower, "\xE2\x80\x8B") != NULL ||
		strstr(lower, "\xE3\x80\x80") != NULL || strstr(lower, "\xEF\xBB\xBF") != NULL)
		return align_lead_bytes(NULL, 0);
	for (int i = 0; i < len; i++)
		if (lower[i] >= 'A' && lower[i] <= 'Z')
			lower[i] += 'a' - 'A';
	return align_lead_bytes(lower, len);
}
