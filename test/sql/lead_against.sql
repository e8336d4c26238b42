-- A lead against a calendar and against an agreement.
SET search_path = public, align;
SET TimeZone = 'UTC';
SET IntervalStyle = 'postgres';
\pset null '-'

-- Working time between two stages is working_time over the same span.
SELECT from_stage, to_stage, time_between(lead, from_stage, to_stage), working_time_between(lead, from_stage, to_stage, 'Europe/London Mo-Fr 09:00-17:30')
FROM (SELECT '{2026-03-06T16:30:00Z inquiry, 2026-03-09T09:30:00Z mql, 2026-03-27T09:00:00Z sal, 2026-03-30T08:30:00Z sql}'::align.lead AS lead) l,
	(VALUES ('inquiry', 'mql'), ('mql', 'sal'), ('sal', 'sql'), ('inquiry', 'sql'), ('sql', 'mql'), ('sal', 'sal'), ('x', 'mql')) AS v (from_stage, to_stage);
-- The calendar of a call site may change from row to row.
SELECT hours, working_time_between('{2026-03-06T16:30:00Z inquiry, 2026-03-09T09:30:00Z mql}', 'inquiry', 'mql', hours)
FROM unnest('{24/7, "Mo-Fr 09:00-17:30", 24/7, off}'::align.calendar[]) AS hours;
SELECT working_time_between(NULL, 'a', 'b', '24/7'), working_time_between('{2026-03-06T16:30:00Z a}', NULL, 'a', '24/7'), working_time_between('{2026-03-06T16:30:00Z a}', 'a', NULL, '24/7'), working_time_between('{2026-03-06T16:30:00Z a}', 'a', 'a', NULL);
SELECT working_time_between('{2026-03-06T16:30:00Z a}', 'a', 'a', 'Mars/Olympus Mo-Fr 09:00-17:00');

CREATE TEMP TABLE agreed AS SELECT $$stage visitor; stage inquiry, mql held by marketing; stage sal held by sales; won customer;
	entry visitor, inquiry, mql, sal;
	success path visitor -> inquiry -> mql -> sal -> customer; path inquiry, mql -> customer;
	sal known as 'Sales Accepted';$$::align.funnel AS funnel;
SELECT lead, touchless(lead, funnel) FROM agreed, unnest('{
	"{2026-03-01T00:00:00Z inquiry, 2026-03-02T00:00:00Z mql, 2026-03-03T00:00:00Z customer}",
	"{2026-03-01T00:00:00Z visitor, 2026-03-02T00:00:00Z mql by sales, 2026-03-03T00:00:00Z customer}",
	"{2026-03-01T00:00:00Z inquiry, 2026-03-02T00:00:00Z mql, 2026-03-03T00:00:00Z sal}",
	"{2026-03-01T00:00:00Z inquiry, 2026-03-03T00:00:00Z \"Sales Accepted\"}",
	"{2026-03-01T00:00:00Z visitor, 2026-03-02T00:00:00Z sal, 2026-03-03T00:00:00Z customer}",
	"{2026-03-01T00:00:00Z visitor, 2026-03-02T00:00:00Z sal, 2026-03-03T00:00:00Z mql}",
	"{2026-03-01T00:00:00Z visitor}",
	"{2026-03-01T00:00:00Z inquiry, 2026-03-02T00:00:00Z unheard_of}",
	"{2026-03-01T00:00:00Z ~ spring}"}'::align.lead[]) AS lead;
SELECT touchless(NULL, funnel), touchless('{2026-03-01T00:00:00Z sal}', NULL) FROM agreed;
