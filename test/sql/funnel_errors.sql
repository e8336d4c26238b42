-- Type funnel: every complaint, with its code, its position and its hint.
SET client_encoding = 'UTF8';
\pset format unaligned
\pset tuples_only on

-- What a statement fails with: code, message, detail, hint.
CREATE FUNCTION pg_temp.failure(statement text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	m text; d text; h text;
BEGIN
	EXECUTE statement;
	RETURN 'no error';
EXCEPTION WHEN OTHERS THEN
	GET STACKED DIAGNOSTICS m = MESSAGE_TEXT, d = PG_EXCEPTION_DETAIL, h = PG_EXCEPTION_HINT;
	RETURN concat_ws(E'\n  ', SQLSTATE || ' ' || m, nullif(d, ''), nullif(h, ''));
END $$;

CREATE FUNCTION pg_temp.bad(document text) RETURNS text LANGUAGE sql AS
	$$SELECT pg_temp.failure(format('SELECT %L::align.funnel', document))$$;

-- A statement after a sound agreement.
CREATE FUNCTION pg_temp.more(statements text) RETURNS text LANGUAGE sql AS $$
	SELECT pg_temp.bad(E'stage a, b held by x; stage c held by y; won w; lost l; success path a -> b -> c -> w; path any -> l;\n' || statements)
$$;

-- Grammar
SELECT pg_temp.bad('');
SELECT pg_temp.bad('  -- nothing but a comment');
SELECT pg_temp.bad('stage a');
SELECT pg_temp.bad('stage a, b; won');
SELECT pg_temp.bad('stage a,; won w;');
SELECT pg_temp.bad('stage 1a;');
SELECT pg_temp.bad('stage ä;');
SELECT pg_temp.bad('stage "";');
SELECT pg_temp.bad('stage "a;');
SELECT pg_temp.bad('stage a held of x;');
SELECT pg_temp.bad('stage a held by ;');
SELECT pg_temp.bad('stage a; ; won w;');
SELECT pg_temp.bad('stge a;');

-- The name of an agreement instead of a document.
SELECT pg_temp.bad('b2b');
SELECT pg_temp.bad(' EMEA new business ');
SELECT pg_temp.bad('2026');
SELECT pg_temp.bad('it''s ours');
SELECT pg_temp.bad('stge');
SELECT pg_temp.bad('"stage" a;');
SELECT pg_temp.bad('stage a won w;');
SELECT pg_temp.bad('a knows email;');
SELECT pg_temp.bad('a known 1;');
SELECT pg_temp.bad('a known as "x";');
SELECT pg_temp.bad('a known as '''';');
SELECT pg_temp.bad('a needs ;');
SELECT pg_temp.bad('a needs email phone;');
SELECT pg_temp.bad('a needs ''x;');
SELECT pg_temp.bad('a needs reason (;');
SELECT pg_temp.bad('a needs reason ();');
SELECT pg_temp.bad('a needs reason (x;');
SELECT pg_temp.bad('a -> b;');
SELECT pg_temp.bad('a -> b knows x;');
SELECT pg_temp.bad('hours 9;');
SELECT pg_temp.bad('hours of ''x'';');
SELECT pg_temp.bad('entry ;');
SELECT pg_temp.bad('success a -> b;');
SELECT pg_temp.bad('success path a;');
SELECT pg_temp.bad('success path a, b -> c;');
SELECT pg_temp.bad('success path any -> c;');
SELECT pg_temp.bad('path a;');
SELECT pg_temp.bad('path any;');
SELECT pg_temp.bad('path a -> any;');
SELECT pg_temp.bad('path a, Any -> b;');
SELECT pg_temp.bad('path any, a -> b;');
SELECT pg_temp.bad('path a -> ;');
SELECT pg_temp.bad('handoff h b from x to y;');
SELECT pg_temp.bad('handoff h: b by x;');
SELECT pg_temp.bad('handoff h: b from x;');
SELECT pg_temp.bad('handoff h: b from x to y;');
SELECT pg_temp.bad('handoff h: b from x to y, reject l;');
SELECT pg_temp.bad('handoff h: b from x to y accept c;');
SELECT pg_temp.bad('handoff h: b from x to y, accept c, accept d;');
SELECT pg_temp.bad('handoff h: b from x to y, accept c, reject l, reject m;');
SELECT pg_temp.bad('handoff h: b from x to y, accept c, reject l with reasons;');
SELECT pg_temp.bad('handoff h: b from x to y, accept c, pause d;');
SELECT pg_temp.bad('handoff h: b from x to y, accept c, within 1 day, until d;');
SELECT pg_temp.bad('handoff h: b from x to y, accept c, within 1 day, within 2 days;');
SELECT pg_temp.bad('handoff h: b from x to y, accept c, within 1 day, warn after 1 hour, warn after 2 hours;');
SELECT pg_temp.bad('sla s: from a to b within 1 day;');
SELECT pg_temp.bad('sla s by t: a to b within 1 day;');
SELECT pg_temp.bad('sla s by t: from a within 1 day;');
SELECT pg_temp.bad('sla s by t: from a to b;');
SELECT pg_temp.bad('sla s by t: from a to b, pause c, within 1 day;');
SELECT pg_temp.bad('sla s by t: from a to b within 1 day, pause c, pause d;');
SELECT pg_temp.bad('sla s by t: from a to b within 1 day pause c;');
SELECT pg_temp.bad('sla s by t: from a to b within 1 day warn after 1 hour;');
SELECT pg_temp.bad('handoff h: b from x to y, accept c within 4 hours;');
SELECT pg_temp.bad('handoff h: b from x to y, accept c reject d;');
SELECT pg_temp.bad('sla s by t: from a to b within 1 day, stop c;');
SELECT pg_temp.bad('sla s by t: from a to b within 1 day by end of next working day;');
SELECT pg_temp.bad('target t 400 a per month;');
SELECT pg_temp.bad('target t: many a per month;');
SELECT pg_temp.bad('target t: -5 a per month;');
SELECT pg_temp.bad('target t: 5. a per month;');
SELECT pg_temp.bad('target t: 5 a a month;');
SELECT pg_temp.bad('target t: 5 a per decade;');
SELECT pg_temp.bad('target t: 5% a per month;');
SELECT pg_temp.bad('target t: 5% from a;');

-- Times
SELECT pg_temp.bad('sla s by t: from a to b within hours;');
SELECT pg_temp.bad('sla s by t: from a to b within 4;');
SELECT pg_temp.bad('sla s by t: from a to b within 4 months;');
SELECT pg_temp.bad('sla s by t: from a to b within 1.5 hours;');
SELECT pg_temp.bad('sla s by t: from a to b within 4 working;');
SELECT pg_temp.bad('sla s by t: from a to b within 0 working days;');
SELECT pg_temp.bad('sla s by t: from a to b within 367 working days;');
SELECT pg_temp.bad('sla s by t: from a to b within 1.5 working days;');
SELECT pg_temp.bad('sla s by t: from a to b within 1 day, within 1 hour when c;');
SELECT pg_temp.bad('sla s by t: from a to b within 1 hour when c;');
SELECT pg_temp.bad('handoff h: b from x to y, accept c, within 1 hour when d, warn 5 minutes before;');
SELECT pg_temp.bad('sla s by t: from a to b within 1 hour when;');
SELECT pg_temp.bad('sla s by t: from a to b within 1 day, warn 1 hour;');
SELECT pg_temp.bad('sla s by t: from a to b within 1 day, warn before 1 hour;');
SELECT pg_temp.bad('segment ''x = 1'';');
SELECT pg_temp.bad('segment s;');
SELECT pg_temp.bad('segment s: ;');
SELECT pg_temp.bad('segment s: x = 1;');
SELECT pg_temp.bad('segment s: '''';');
SELECT pg_temp.bad('segment s: ''a'' or ''b'';');
SELECT pg_temp.bad('sla s by t: from a to b within 1 working week;');
SELECT pg_temp.bad('sla s by t: from a to b within 0 days;');
SELECT pg_temp.bad('sla s by t: from a to b within 36526 days;');
SELECT pg_temp.bad('sla s by t: from a to b within 99999999999999999999 days;');
SELECT pg_temp.bad('sla s by t: from a to b by next working day;');
SELECT pg_temp.bad('sla s by t: from a to b by end of last working day;');
SELECT pg_temp.bad('sla s by t: from a to b by end of 2 working day;');
SELECT pg_temp.bad('sla s by t: from a to b by end of 2th working day;');
SELECT pg_temp.bad('sla s by t: from a to b by end of 0th working day;');
SELECT pg_temp.bad('sla s by t: from a to b by end of 367th working day;');
SELECT pg_temp.bad('sla s by t: from a to b by end of next day;');
SELECT pg_temp.bad('sla s by t: from a to b within 2 days, warn after 1 working day;');
SELECT pg_temp.bad('target t: 5% from a to b within 2 working hours;');

-- Stages and labels
SELECT pg_temp.more('stage d;');
SELECT pg_temp.more('stage c;');
SELECT pg_temp.more('won a;');
SELECT pg_temp.more('path a -> ghost;');
SELECT pg_temp.bad('stage inquiry, mql; won customer; success path inquiry -> mqls -> customer;');
SELECT pg_temp.bad('stage Inquiry; won customer; success path inquiry -> customer;');
SELECT pg_temp.more('ghost needs email;');
SELECT pg_temp.more('b known as ''B''; path c -> B;');
SELECT pg_temp.more('b known as ''B''; path c -> "B";');
SELECT pg_temp.more('b known as ''B'', ''B'';');
SELECT pg_temp.more('b known as ''B''; c known as ''B'';');
SELECT pg_temp.more('b known as ''c'';');
SELECT pg_temp.more('b known as ''b'';');
SELECT pg_temp.bad('a known as ''w''; stage a; won w; success path a -> w;');
SELECT pg_temp.more('ghost known as ''B'';');

-- Paths and entries
SELECT pg_temp.bad('stage a; won w;');
SELECT pg_temp.bad(E'stage a; won w;\nsuccess path a -> w;\nsuccess path a -> w;');
SELECT pg_temp.bad('stage a, b; success path a -> b;');
SELECT pg_temp.bad('stage a, b; won w; success path a -> w -> b;');
SELECT pg_temp.bad('stage a; lost l; success path a -> l;');
SELECT pg_temp.bad('stage a; lost l; won w; success path a -> l -> w;');
SELECT pg_temp.bad('stage a, b; won w; success path a -> b -> a -> w;');
SELECT pg_temp.more('path a -> a;');
SELECT pg_temp.more('path a, b -> c, b;');
SELECT pg_temp.more('path a, b, a -> c;');
SELECT pg_temp.more('entry a; entry b;');
SELECT pg_temp.more('entry a, b, a;');
SELECT pg_temp.more('entry ghost;');
SELECT pg_temp.more('entry b;');
SELECT pg_temp.bad('stage a, "left out"; won w; success path a -> w;');
SELECT pg_temp.bad('stage a, b; won w; success path a -> w; path b -> a;');

-- Needs
SELECT pg_temp.more('b needs email, email;');
SELECT pg_temp.more('b needs email; b needs ''x > 1'', email;');
SELECT pg_temp.more('b needs ''x > 1'', ''x > 1'';');
SELECT pg_temp.more('b needs reason, reason (x);');
SELECT pg_temp.more('b needs reason (x, y, x);');
SELECT pg_temp.more('a -> c needs email;');
SELECT pg_temp.more('a -> ghost needs email;');
SELECT pg_temp.more('w -> b needs email;');

-- Handoffs and service levels
SELECT pg_temp.more('handoff h: b from x to y, accept c; sla h by y: from a to c within 1 day;');
SELECT pg_temp.more('handoff h: b from y to x, accept c;');
SELECT pg_temp.more('handoff h: b from x to x, accept c;');
SELECT pg_temp.more('handoff h: b from x to y, accept b;');
SELECT pg_temp.more('handoff h: b from x to y, accept c, reject b;');
SELECT pg_temp.more('handoff h: b from x to y, accept c, reject c;');
SELECT pg_temp.more('handoff h: b from x to y, accept w;');
SELECT pg_temp.more('handoff h: b from x to y, accept c, reject a;');
SELECT pg_temp.more('handoff h: b from x to y, accept ghost;');
SELECT pg_temp.more('handoff h: b from x to y, accept c, reject l with reason (p, q, p);');
SELECT pg_temp.more('handoff h: b from x to y, accept c, reject l with reason (p, q); b -> l needs reason (r);');
SELECT pg_temp.more('handoff h: b from x to y, accept c, reject l with reason (p, q); l needs reason (r);');
SELECT pg_temp.more('handoff h: b from x to y, accept c, within 4 working hours;');
SELECT pg_temp.more('handoff h: b from x to y, accept c, warn after 3 hours;');
SELECT pg_temp.more('sla s by x: from a to c by end of next working day;');
SELECT pg_temp.more('hours of x ''24/7''; sla s by y: from a to c within 4 working hours;');
SELECT pg_temp.more('hours ''24/7''; sla s by y: from a to c within 4 working hours, warn after 3 hours;');
SELECT pg_temp.more('hours ''24/7''; sla s by y: from a to c by end of next working day, warn after 3 hours;');
SELECT pg_temp.more('sla s by y: from a to c within 4 hours, warn after 3 working hours;');
SELECT pg_temp.more('sla s by y: from a to c within 4 hours, warn after 4 hours;');
SELECT pg_temp.more('sla s by y: from a to c within 4 hours, warn 4 hours before;');
SELECT pg_temp.more('sla s by y: from a to c within 4 hours, warn 1 working hour before;');
SELECT pg_temp.more('hours ''24/7''; sla s by y: from a to c within 2 working days, warn 1 hour before;');
SELECT pg_temp.more('sla s by y: from a to c within 2 working days;');
SELECT pg_temp.more('segment demo: ''x''; sla s by y: from a to c within 1 hour when dmeo, within 4 hours;');
SELECT pg_temp.more('sla s by y: from a to c within 1 hour when demo, within 4 hours;');
SELECT pg_temp.more('segment demo: ''x''; sla s by y: from a to c within 1 hour when demo, within 2 hours when demo, within 4 hours;');
SELECT pg_temp.more('hours ''24/7''; segment demo: ''x''; sla s by y: from a to c within 1 working hour when demo, within 4 hours;');
SELECT pg_temp.more('hours ''24/7''; segment demo: ''x''; sla s by y: from a to c within 1 hour when demo, within 4 working days;');
SELECT pg_temp.more('segment demo: ''x''; segment demo: ''y'';');
SELECT pg_temp.more((SELECT string_agg(format('segment s%s: ''x'';', i), ' ') FROM generate_series(1, 65) i));
SELECT pg_temp.more('segment demo: ''' || repeat('x', 8193) || ''';');
SELECT pg_temp.more('sla s by y: from a to c within 1 week, warn after 8 days;');
SELECT pg_temp.more('sla s by y: from a to a within 1 day;');
SELECT pg_temp.more('sla s by y: from a to c within 1 day, pause b, c;');
SELECT pg_temp.more('sla s by y: from a to c within 1 day, pause a;');
SELECT pg_temp.more('sla s by y: from a, a to c within 1 day;');
SELECT pg_temp.more('sla s by y: from c to a within 1 day;');
SELECT pg_temp.more('sla s by y: from w, l to c within 1 day;');
SELECT pg_temp.more('sla s by y: from a to ghost within 1 day;');

-- Targets, teams and hours
SELECT pg_temp.more('target x: 400 ghost per month;');
SELECT pg_temp.more('target x: 90% of ghost;');
SELECT pg_temp.more('sla speed by y: from a to c within 1 day; target x: 90% of sped;');
SELECT pg_temp.more('target z: 400 b per month;');
SELECT pg_temp.bad('stage a held by sales; won w; success path a -> w; target salse: 4 w per day;');
SELECT pg_temp.bad('stage a held by sales; won w; success path a -> w; hours of Sales ''24/7'';');
SELECT pg_temp.more('target x: 0 b per month;');
SELECT pg_temp.more('target x: 0.00% from a to b;');
SELECT pg_temp.more('target x: 100.1% from a to b;');
SELECT pg_temp.more('target x: 1000% from a to b;');
SELECT pg_temp.more('target x: 12345678901234567890.123456789012345 b per month;');
SELECT pg_temp.more('target x: 5% from b to a;');
SELECT pg_temp.more('target x: 5% from b to b;');
SELECT pg_temp.more('target x: 5 b per month; target x: 6.0 b per month;');
SELECT pg_temp.more('target x: 5% from a to b; target x: 6% from a to b within 1 day; target x: 7% from a to b;');
SELECT pg_temp.more('hours ''24/7''; hours ''Mo 09:00-17:00'';');
SELECT pg_temp.more(E'hours of x ''24/7'';\nhours of x ''Mo 09:00-17:00'';');
SELECT pg_temp.more('hours ''Europe/London Mo-Fr 09:00-24:30'';');

-- Limits
SELECT pg_temp.bad('stage ' || string_agg('s' || i, ', ') || '; won w; success path s1 -> w; path s1 -> ' || string_agg('s' || i, ', ') FILTER (WHERE i > 1) || ';')
FROM generate_series(1, 200) AS i;	-- 201 with the won one
SELECT ('stage ' || string_agg('s' || i, ', ') || '; won w; success path s1 -> w; path s1 -> ' || string_agg('s' || i, ', ') FILTER (WHERE i > 1) || ';')::align.funnel IS NOT NULL
FROM generate_series(1, 199) AS i;
SELECT pg_temp.bad('stage ' || string_agg('s' || i, ', ') || '; won w; success path ' || string_agg('s' || i, ' -> ') || ' -> w;')
FROM generate_series(1, 64) AS i;
SELECT pg_temp.more('b known as ' || string_agg(quote_literal('B' || i), ', ') || ';') FROM generate_series(1, 1996) AS i;
SELECT pg_temp.more('b needs ' || string_agg('f' || i, ', ') || ';') FROM generate_series(1, 201) AS i;
SELECT pg_temp.more('b needs reason (' || string_agg('r' || i, ', ') || ');') FROM generate_series(1, 1001) AS i;
SELECT pg_temp.more('b needs ' || quote_literal(repeat('x', 8193)) || ';');
SELECT pg_temp.more(string_agg(format('sla s%s by x: from a to b within 1 day;', i), '')) FROM generate_series(1, 201) AS i;
SELECT pg_temp.more(string_agg(format('sla s%s by t%s: from a to b within 1 day;', i, i), '')) FROM generate_series(1, 63) AS i;
SELECT pg_temp.more(string_agg(format('target x: 5%% from a to b within %s hours;', i), '')) FROM generate_series(1, 201) AS i;
SELECT pg_temp.bad(repeat(' ', 256 * 1024) || 'x');
SELECT pg_temp.bad('stage b, c, "' || repeat('x', 100000) || '"; won w; success path b -> w; path b -> "' || repeat('x', 100000) || '" -> c;');	-- the canonical form is longer
-- Names with letters outside ASCII are not read up to the first of them.
SELECT 'stage größe, mql; won k; success path mql -> k;'::align.funnel;
SELECT 'stage a; won k; success path a -> kündigung;'::align.funnel;
SELECT 'stage a held by führung; won k; success path a -> k;'::align.funnel;
SELECT 'stage a; won k; success path a -> k; größe needs email;'::align.funnel;
SELECT 'stage a; won k; success path a -> k; handoff gespräch: a from b to c, accept k;'::align.funnel;
SELECT 'stage "größe"; won "kündigung"; success path "größe" -> "kündigung";'::align.funnel;
