/*
 * words.c
 *	  The vocabulary of the stored form of lead: words that take one byte.
 *
 * A word's number is part of the format.  The list may never be reordered, and
 * adding to it needs a new format flag, because a string that is a word must
 * always be stored as one.
 */
#include "postgres.h"

#include "lead/lead.h"

static const char *const words[LEAD_NWORDS] = {
	/* stages */
	"inquiry", "mql", "sal", "sql",
	"opportunity", "customer", "nurture", "disqualified",
	"lead", "prospect", "new", "open",
	"contacted", "qualified", "unqualified", "demo",
	"proposal", "negotiation", "won", "lost",
	"closed_won", "closed_lost", "recycled", "converted",
	"working", "trial", "signup", "visitor",
	"subscriber", "evangelist", "rejected", "accepted",
	"MQL", "SAL", "SQL", "Inquiry",
	"Opportunity", "Customer", "Nurture", "Disqualified",
	"Lead", "New", "Open", "Contacted",
	"Qualified", "Closed Won", "Closed Lost",
	/* teams */
	"marketing", "sales", "success", "support", "partner",
	/* reasons */
	"no_budget", "no_interest", "poor_fit", "bad_timing",
	"unreachable", "content_unclear", "price", "competitor",
	"no_decision", "duplicate", "churned", "spam"
};

/* Open addressing; holds 1 + the number of a word, 0 where empty. */
#define NSLOTS 256

static uint8 slots[NSLOTS];
static uint8 lengths[LEAD_NWORDS];
static bool ready = false;

static inline unsigned int
FirstSlot(const char *text, int len)
{
	return ((uint8) text[0] * 37u + (uint8) text[len - 1] * 11u + (unsigned int) len * 71u) % NSLOTS;
}

static void
MakeSlots(void)
{
	for (int word = 0; word < LEAD_NWORDS; word++)
	{
		int			len = strlen(words[word]);
		unsigned int slot = FirstSlot(words[word], len);

		while (slots[slot] != 0)
			slot = (slot + 1) % NSLOTS;
		slots[slot] = word + 1;
		lengths[word] = len;
	}
	ready = true;
}

int
align_lead_word(const char *text, int len)
{
	if (!ready)
		MakeSlots();
	if (len == 0)
		return -1;
	for (unsigned int slot = FirstSlot(text, len); slots[slot] != 0; slot = (slot + 1) % NSLOTS)
	{
		int			word = slots[slot] - 1;

		if (lengths[word] == len && memcmp(words[word], text, len) == 0)
			return word;
	}
	return -1;
}

LeadString
align_lead_word_text(int word)
{
	Assert(word >= 0 && word < LEAD_NWORDS);
	if (!ready)
		MakeSlots();
	return (LeadString) {words[word], lengths[word]};
}
