#include "postgres.h"
#include "access/htup_details.h"
#include "utils/builtins.h"
#include "enforce/verdict.h"
LeadString
align_row_column(Attachment *attachment, RowRole role, TupleDesc desc, HeapTuple row)
{
	bool isnull; Datum d; char *s;
	if (attachment->column[role] == 0) return (LeadString){NULL,0};
	d = heap_getattr(row, attachment->column[role], desc, &isnull);
	if (isnull) return (LeadString){NULL,0};
	s = OutputFunctionCall(&attachment->out[role], d);
	return (LeadString){s, strlen(s)};
}
int
align_row_stage(Attachment *attachment, TupleDesc desc, HeapTuple row, const Funnel *funnel, LeadString *label)
{
	*label = align_row_column(attachment, ROW_STAGE, desc, row);
	if (label->text == NULL) return -1;
	return align_funnel_stage(funnel, label->text, label->len);
}
void
align_verdict(Attachment *attachment, Relation rel, const RowMove *move, HeapTuple row, Verdict *verdict)
{
	if (move->move.to_label.text == NULL) { verdict->nbroken = 1; verdict->broken[0] = RULE_LEFT_FUNNEL; return; }
	verdict->nbroken = align_judge_move(move->funnel, &move->move, verdict->broken);
}
void align_verdict_report(Attachment *attachment, Relation rel, const RowMove *move, HeapTuple row, const Verdict *verdict, int elevel)
{
	ereport(elevel, (errcode(align_rule_sqlstate(verdict->broken[0])), errmsg("refused: %s", align_rule_name(verdict->broken[0]))));
}
char *align_verdict_names(const Verdict *verdict) { return pstrdup(align_rule_name(verdict->broken[0])); }
const char *align_override(void) { return NULL; }
