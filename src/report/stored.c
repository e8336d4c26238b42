#include "postgres.h"

#include "report/stored.h"

char *
align_report_stored_name(const ReportBody *body)
{
	return psprintf("stored_%s", body->name);
}
