/*
 * words.c
 *	  The vocabulary of the stored form of lead: words that take one byte.
 *
 * The number of a word is part of the format.  The list must never be
 * reordered, and an addition needs a new format flag, because a string in the
 * list must always be stored as a word.
 */
#include "postgres.h"

#include "lead/lead.h"

#define WORD(word) {word, sizeof(word) - 1}

const LeadString align_lead_words[LEAD_NWORDS] = {
	/* stages */
	WORD("inquiry"), WORD("mql"), WORD("sal"), WORD("sql"),
	WORD("opportunity"), WORD("customer"), WORD("nurture"), WORD("disqualified"),
	WORD("lead"), WORD("prospect"), WORD("new"), WORD("open"),
	WORD("contacted"), WORD("qualified"), WORD("unqualified"), WORD("demo"),
	WORD("proposal"), WORD("negotiation"), WORD("won"), WORD("lost"),
	WORD("closed_won"), WORD("closed_lost"), WORD("recycled"), WORD("converted"),
	WORD("working"), WORD("trial"), WORD("signup"), WORD("visitor"),
	WORD("subscriber"), WORD("evangelist"), WORD("rejected"), WORD("accepted"),
	WORD("MQL"), WORD("SAL"), WORD("SQL"), WORD("Inquiry"),
	WORD("Opportunity"), WORD("Customer"), WORD("Nurture"), WORD("Disqualified"),
	WORD("Lead"), WORD("New"), WORD("Open"), WORD("Contacted"),
	WORD("Qualified"), WORD("Closed Won"), WORD("Closed Lost"),
	/* teams */
	WORD("marketing"), WORD("sales"), WORD("success"), WORD("support"), WORD("partner"),
	/* reasons */
	WORD("no_budget"), WORD("no_interest"), WORD("poor_fit"), WORD("bad_timing"),
	WORD("unreachable"), WORD("content_unclear"), WORD("price"), WORD("competitor"),
	WORD("no_decision"), WORD("duplicate"), WORD("churned"), WORD("spam")
};

/* Hash table with open addressing: 1 + the number of a word, 0 if empty. */
#define NSLOTS 256

static uint8 slots[NSLOTS];
static bool ready = false;

static inline unsigned int
FirstSlot(const char *text, int len)
{
	return ((uint8) text[0] * 37u + (uint8) text[len - 1] * 11u +
			(unsigned int) len * 71u) % NSLOTS;
}

static void
MakeSlots(void)
{
	for (int word = 0; word < LEAD_NWORDS; word++)
	{
		unsigned int slot = FirstSlot(align_lead_words[word].text, align_lead_words[word].len);

		while (slots[slot] != 0)
			slot = (slot + 1) % NSLOTS;
		slots[slot] = word + 1;
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

		if (align_lead_words[word].len == len &&
			memcmp(align_lead_words[word].text, text, len) == 0)
			return word;
	}
	return -1;
}
