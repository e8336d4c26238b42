-- Type funnel: what the agreement language says, and its canonical form.
SET search_path = public, align;	-- operators are looked up by the search path
SET client_encoding = 'UTF8';
\pset format unaligned
\pset tuples_only on

-- The agreement of the introduction.
SELECT $$
    hours 'Europe/London Mo-Fr 09:00-17:30; Dec 25 off';
    hours of sales 'America/New_York Mo-Fr 08:00-18:00';       -- a team's own
    stage inquiry, mql held by marketing;
    stage sal, sql, opportunity held by sales;
    stage nurture held by marketing;
    won  customer;
    lost disqualified;
    entry inquiry, mql;                                        -- where a lead may appear; default: the head of the success path
    success path inquiry -> mql -> sal -> sql -> opportunity -> customer;
    path mql, sal, sql, opportunity -> nurture -> mql;         -- a detour
    path inquiry -> customer;                                  -- self-serve: no salesperson involved
    path any -> disqualified;                                  -- from every open stage
    handoff speed_to_lead: mql from marketing to sales,
        accept sal,
        reject nurture, disqualified with reason (no_budget, no_interest, poor_fit, bad_timing, unreachable, content_unclear),
        within 4 working hours, warn after 3 working hours;
    mql needs email, company;                                  -- columns that must be filled to enter the stage
    sql needs budget, need, timeline, 'budget >= 10000';       -- or a condition on the row, in quotes
    opportunity -> disqualified needs reason (price, competitor, no_decision);
    sal known as 'Sales Accepted', 'S-ACC';                    -- labels that existing tables use for it
    sla qualify by sales: from sal to sql, disqualified within 40 working hours, pause nurture;
    sla first_touch by marketing: from inquiry to mql, customer, disqualified within 2 days;
    sla call_back by sales: from sql to opportunity, disqualified by end of next working day;
    target marketing: 400 mql per month;
    target sales: 90% of speed_to_lead;
    target sales: 25% from mql to customer within 90 days;
$$::align.funnel AS example \gset
SELECT :'example';
SELECT :'example'::align.funnel::text = :'example' AS "canonical text parses to itself";

-- The smallest one.  White space, case of keywords, order of statements and
-- comments mean nothing.
SELECT 'stage a; won b; success path a->b;'::align.funnel;
SELECT 'SUCCESS PATH a -> b -- the way
;	Stage a;
Won b ; -- last'::align.funnel = 'stage a; won b; success path a->b;'::align.funnel;

-- A statement wrapped into the rest of a small agreement.
CREATE FUNCTION pg_temp.lines(statements text) RETURNS text LANGUAGE sql AS $$
	WITH base (document) AS (VALUES (
		'hours ''Mo-Fr 09:00-17:00''; stage a, b held by x; stage c held by y; won w; lost l; '
		'success path a -> b -> c -> w; path any -> l;'))
	SELECT coalesce(string_agg(line, E'\n' ORDER BY n), '(nothing new)')
	FROM base, regexp_split_to_table((document || statements)::align.funnel::text, E'\n') WITH ORDINALITY AS t(line, n)
	WHERE line <> ALL (regexp_split_to_array(document::align.funnel::text, E'\n'))
$$;

-- Times of a promise.
SELECT due, s FROM unnest(ARRAY[
	'within 1 minute', 'within 90 minutes', 'within 120 minutes', 'within 1 hour', 'within 36 hours', 'within 48 hours',
	'within 1 day', 'within 3 days', 'within 1 week', 'within 2 weeks', 'WITHIN 1 Working Hour', 'within 30 working minutes',
	'within 480 working minutes', 'within 36525 days',
	'by end of working day', 'by end of same working day', 'by end of the same working day', 'by end of next working day',
	'by end of the next working day', 'by end of 1st working day', 'by end of 2nd working day', 'by end of the 3rd working day',
	'by end of 4TH working day', 'by end of 11th working day', 'by end of 12th working day', 'by end of 13th working day',
	'by end of 21st working day', 'by end of 22nd working day', 'by end of 101st working day', 'by end of 111th working day',
	'by end of 366th working day']) WITH ORDINALITY AS t(s, n),
	LATERAL (SELECT due FROM align.service_levels(('hours ''24/7''; stage a; won w; success path a -> w; sla s by t: from a to w ' || s || ';')::align.funnel)) AS d
ORDER BY n;

-- Warnings count in the same kind of time; clauses come in any order.
SELECT pg_temp.lines('sla s by y: from a to c within 2 days, warn after 36 hours;');
SELECT pg_temp.lines('sla s by y: from a, b to c, w, within 10 working hours, pause l, warn after 90 working minutes;');
SELECT pg_temp.lines('sla s by y: from a to c by end of 2nd working day, warn after 20 working hours;');
SELECT pg_temp.lines('handoff h: b from x to y, accept c;');
SELECT pg_temp.lines('handoff h: b from x to y, warn after 1 hour, within 2 hours, reject l, accept c;');
SELECT pg_temp.lines('handoff h: b from x to y, by end of next working day, accept c, reject l with reason, warn after 1 working hour;');
SELECT pg_temp.lines('handoff h: b from x to y, accept c, reject l with reason ("no budget", other);');
-- handoffs are told first
SELECT pg_temp.lines('sla s by y: from a to c within 1 day; handoff h: b from x to y, accept c;');

-- Needs: columns, conditions, reasons; several statements add up.
SELECT pg_temp.lines('b needs email, "Company Name", ''budget >= 10000 and country = ''''UK''''''; b needs phone;');
SELECT pg_temp.lines('l needs reason; a -> b needs reason (x, "y z"), email; a -> l needs reason, "reason";');
SELECT pg_temp.lines('l needs REASON; b needs "REASON", reasons;');
-- Labels; those of several statements add up.  A label may be a number or blank.
SELECT pg_temp.lines('b known as ''B'', ''3''; b known as '' '', ''it''''s'';');
-- Targets.
SELECT pg_temp.lines('target x: 400 a per day; target x: 0.50 a per week; target x: 007 a per month; target x: 1000.10 a per quarter; target y: 5.00 w per year;');
SELECT pg_temp.lines('target y: 100% from a to w; target y: 12.5 % from a to w within 90 days; target x: 0.01% from b to c within 36 hours; target y: 99.9% from a to w within 2 weeks;');
SELECT pg_temp.lines('target y: 90% of h; handoff h: b from x to y, accept c;');
-- Nobody else is named: a target or hours may name any team.
SELECT 'stage a; won w; success path a -> w; target anyone: 5 w per day; hours of someone ''Mo 10:00-12:00'';'::align.funnel;

-- Paths: chains, lists at any place, "any", out of won and lost stages by name.
SELECT pg_temp.lines('path a, b -> l, c -> a;');
SELECT pg_temp.lines('path c -> a, b; path w -> a; path l -> a;');
SELECT pg_temp.lines('path any -> a;');
SELECT pg_temp.lines('path any -> a -> c; path w, l -> a;');
SELECT pg_temp.lines('path b -> a; path c -> a;');
SELECT pg_temp.lines('path a -> w; path b -> w;');
SELECT pg_temp.lines('path a -> b; path a -> b -> c; path any -> l;');	-- all known before
SELECT pg_temp.lines('path any -> l, b;');
-- Entries: the head of the success path need not be said.
SELECT pg_temp.lines('entry a;');
SELECT pg_temp.lines('entry c, a;');
SELECT pg_temp.lines('entry b; path b -> a;');
-- Won and lost stages may be several, held, and part of the path.
SELECT 'stage a; won b, "C d" held by t; lost x, y held by u; stage e held by t; success path a -> b -> "C d"; path any -> x, y, e;'::align.funnel;
-- The order of declaration is part of the value, that of other statements is not.
SELECT 'stage a, b; won w; success path a -> b -> w;'::align.funnel = 'stage b, a; won w; success path a -> b -> w;'::align.funnel AS "stages",
	'stage a, b; won w; path a -> w; success path a -> b -> w; b known as ''B''; a known as ''A'';'::align.funnel
	= 'a known as ''A''; b known as ''B''; stage a; stage b; success path a -> b -> w; won w; path a -> w;'::align.funnel AS "others";
SELECT 'hours of q ''24/7''; hours of p ''24/7''; stage a; won w; success path a -> w;'::align.funnel
	= 'hours of p ''24/7''; hours of q ''24/7''; stage a; won w; success path a -> w;'::align.funnel AS "hours";

-- No word is reserved.
SELECT 'stage stage; won won; success path stage -> won;'::align.funnel;
SELECT 'stage needs, known; won held; success path needs -> known -> held; needs needs needs; known known as ''as''; needs -> known needs needs;'::align.funnel;
SELECT 'stage needs; stage known held by by; won held held by held; success path needs -> known -> held;'::align.funnel;
SELECT 'stage stage, hours, entry, success, path, handoff, sla, target; won won; lost lost;
	success path stage -> hours -> entry -> success -> path -> handoff -> sla -> target -> won; path any -> lost;
	stage needs email; hours needs x; entry needs x, y; success needs ''x''; path needs reason (z); handoff needs x; sla needs by; target needs held; won needs x; lost needs reason;
	stage known as ''1''; hours known as ''2''; entry known as ''3''; success known as ''4''; path known as ''5''; handoff known as ''6''; sla known as ''7''; target known as ''8'';
	stage -> hours needs x; path -> handoff needs x; won known as ''9'';'::align.funnel;
SELECT 'stage "any", a, to, "from", within, by, warn, pause, accept, reject, with, reason; won w;
	success path "any" -> a -> to -> "from" -> within -> by -> warn -> pause -> accept -> reject -> with -> reason -> w; path a -> accept, reject, with, within, by, warn, pause;
	handoff to: a from from to to, accept accept, within, by, reject reject, warn, with, pause with reason (with, reason), within 2 hours, warn after 1 hour;
	sla by by by: from from to to, within, reject within 1 hour;
	sla sla by sla: from a to to, by, warn by end of next working day, pause pause, within, accept, warn after 2 working hours;
	target to: 50% from a to within within 3 days;
	hours ''24/7''; path to -> "any"; path "from" -> to;'::align.funnel;
