-- Segments, promises to them, working days, and warnings before the due instant.
SET search_path = public, align;
SET client_encoding = 'UTF8';
SET TimeZone = 'UTC';
SET intervalstyle = 'postgres';
\pset format unaligned
\pset tuples_only on

CREATE TABLE agreed (name text, f align.funnel);
INSERT INTO agreed VALUES ('new', $$
	hours 'Europe/London Mo-Fr 09:00-17:30';
	segment demo: 'kind = ''demo''';
	stage inquiry, mql held by marketing;
	stage sal, segment held by sales;
	won customer;
	lost dq;
	success path inquiry -> mql -> sal -> segment -> customer;
	path any -> dq;
	path sal -> mql;
	segment needs email, 'size > 1';
	segment known as 'Seg';
	segment -> dq needs reason;
	Segment "big one": 'size > 100';
	segment needs: 'true'; segment known: 'true'; segment "when": 'it''s -- so';
	handoff h: mql from marketing to sales, accept sal, reject dq with reason,
		within 30 working minutes when demo, by end of the same working day WHEN "big one", within 2 working days,
		warn 1 working hour before;
	sla s by sales: from sal to segment, dq within 1 hour when demo, within 1 day when when, within 2 days, warn 30 minutes before, pause mql;
	sla t by sales: from segment to customer, dq, by end of next working day, warn after 1 working hour;
	target sales: 90% of h; target marketing: 400 mql per month; target sales: 25% from mql to customer within 90 days;
$$), ('old', $$
	hours 'Europe/London Mo-Fr 09:00-17:30';
	stage inquiry, mql held by marketing; stage sal, segment held by sales; won customer; lost dq;
	success path inquiry -> mql -> sal -> segment -> customer; path any -> dq; path sal -> mql;
	segment demo: 'kind = 1'; segment known: 'true';
	handoff h: mql from marketing to sales, accept sal, reject dq with reason, within 30 working minutes when demo, within 1 working day, warn after 1 working hour;
$$);
SELECT f FROM agreed;

-- The canonical text and jsonb are the value again.
SELECT name, f::text::funnel = f AS by_text, f::jsonb::funnel = f AS by_jsonb, f::text = f::text::funnel::text AS canonical FROM agreed;
SELECT jsonb_pretty((f::jsonb -> 'segments') || (f::jsonb -> 'handoffs') || (f::jsonb -> 'slas')) FROM agreed WHERE name = 'new';
SELECT segment, condition FROM agreed, segments(f) WHERE name = 'new';
SELECT s.* FROM agreed, service_levels(f) s WHERE name = 'new';
SELECT h.handoff, h.due, h.warn FROM agreed, handoffs(f) h;
SELECT t.* FROM agreed, agreed_targets(f) t WHERE name = 'new';
SELECT d.* FROM agreed a, agreed b, diff(a.f, b.f) d WHERE a.name = 'old' AND b.name = 'new';
SELECT d.change, d.what FROM diff('stage a; won w; success path a -> w; segment x: ''1''; segment y: ''2'';', 'stage a; won w; success path a -> w; segment y: ''2''; segment x: ''1'';') d;
SELECT line FROM agreed, string_to_table(mermaid(f), E'\n') line WHERE name = 'new' AND line ~ 'accepted';

-- Mistakes in jsonb name the member.
SELECT (f::jsonb || '{"segments": [{"segment": "demo"}]}')::funnel FROM agreed WHERE name = 'new';
SELECT (jsonb_set(f::jsonb, '{handoffs,0,due_when,0,due}', '"soon"'))::funnel FROM agreed WHERE name = 'new';
SELECT (jsonb_set(f::jsonb, '{handoffs,0,due_when,0,segment}', '"dmeo"'))::funnel FROM agreed WHERE name = 'new';
SELECT ((f::jsonb) #- '{handoffs,0,due}')::funnel FROM agreed WHERE name = 'new';
SELECT (jsonb_set(f::jsonb, '{handoffs,0,warn}', '"1 working hour later before"'))::funnel FROM agreed WHERE name = 'new';

-- The clock of a lead is due by the segments that hold when it starts.
SELECT j, c.sla, c.cycle, c.started_at, c.due_at, c.warn_at, c.state
FROM agreed, unnest(ARRAY[
	'{2026-03-02T10:00:00Z mql}',
	'{2026-03-02T10:00:00Z mql [demo]}',
	'{2026-03-02T10:00:00Z mql ["big one"]}',
	'{2026-03-02T10:00:00Z mql ["big one", demo, "not agreed"]}',
	'{2026-03-02T10:00:00Z mql ["not agreed"]}',
	-- the segments at the start decide, not those of later entries
	'{2026-03-02T10:00:00Z mql, 2026-03-02T10:01:00Z sal [demo], 2026-03-02T10:02:00Z mql, 2026-03-02T10:12:00Z sal}',
	'{2026-03-02T10:00:00Z mql, 2026-03-02T10:01:00Z sal, 2026-03-02T10:02:00Z mql [demo], 2026-03-02T10:12:00Z sal [demo]}']) j,
	sla_clocks(j::lead, f, '2026-03-02 10:20Z') c WHERE name = 'new';

-- A warning before the due instant never comes before the start, and moves with a pause.
SELECT c.sla, c.started_at, c.warn_at, c.due_at, c.state FROM sla_clocks('{2026-03-02T16:45:00Z a, 2026-03-03T10:00:00Z b, 2026-03-05T10:00:00Z a}',
	$$hours 'UTC Mo-Fr 09:00-17:00'; stage a, b; won w; success path a -> w; path a -> b -> a;
	sla near by x: from a to w by end of the same working day, warn 4 working hours before, pause b;
	sla far by x: from a to w within 5 working days, warn 8 working hours before, pause b;
	sla days by x: from a to w within 10 days, warn 2 days before, pause b;$$, '2026-03-05 10:00Z') c;

-- Against a slow oracle: for every subset of segments the first promise whose segment holds.
SELECT count(*), bool_and(c.due_at = timestamptz '2026-03-02 09:00Z' + CASE
		WHEN mask & 4 > 0 THEN interval '3 hours' WHEN mask & 1 > 0 THEN interval '1 hour' WHEN mask & 2 > 0 THEN interval '2 hours' ELSE interval '4 hours' END)
FROM generate_series(0, 15) mask,
	LATERAL (SELECT ('{2026-03-02T09:00:00Z s' || coalesce(' [' || string_agg(chr(100 - i), ', ') || ']', '') || '}')::lead AS j FROM generate_series(0, 3) i WHERE mask & (1 << 3 - i) > 0) l,
	sla_clocks(j, $$stage s; won w; success path s -> w; segment a: '1'; segment b: '1'; segment c: '1'; segment d: '1';
		sla x by t: from s to w within 3 hours when c, within 1 hour when a, within 2 hours when b, within 4 hours;$$, '2026-03-02 09:00Z') c;
DROP TABLE agreed;
