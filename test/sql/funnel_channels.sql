-- Type funnel: the statement "channel", in every form of the value.
SET search_path = public, align;	-- operators are looked up by the search path
SET client_encoding = 'UTF8';
SET client_min_messages = warning;
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
-- Statements after a sound agreement: what they fail with, and the lines that
-- the canonical document has more.
CREATE FUNCTION pg_temp.document(statements text) RETURNS text LANGUAGE sql AS
	$$SELECT E'stage a, b; won w; success path a -> b -> w;\n' || statements$$;
CREATE FUNCTION pg_temp.more(statements text) RETURNS text LANGUAGE sql AS
	$$SELECT pg_temp.failure(format('SELECT %L::align.funnel', pg_temp.document(statements)))$$;
CREATE FUNCTION pg_temp.lines(statements text) RETURNS SETOF text LANGUAGE sql AS $$
	SELECT line FROM regexp_split_to_table(pg_temp.document(statements)::align.funnel::text, '\n') WITH ORDINALITY AS l(line, n)
	WHERE n > 3 ORDER BY n
$$;

-- All kinds, in any order and number; case and white space of keywords.
SELECT pg_temp.lines($$channel partner when source 'partner-*';$$);
SELECT pg_temp.lines($$channel a when name '*spring*' AND Source 'x' and MEDIUM 'y'; Channel b When medium 'z'; CHANNEL c -- comment
	when name
	'n' and source 's';$$);
-- The order of the statements is part of the value, that of the conditions is not.
SELECT pg_temp.document($$channel p when source 's' and medium 'm'; channel q when name 'n';$$)::align.funnel
	= pg_temp.document($$channel p when medium 'm' and source 's'; channel q when name 'n';$$)::align.funnel AS "conditions",
	funnel_hash(pg_temp.document($$channel p when source 's' and medium 'm';$$)::align.funnel)
	= funnel_hash(pg_temp.document($$channel p when medium 'm' and source 's';$$)::align.funnel) AS "hash",
	pg_temp.document($$channel p when source 's'; channel q when name 'n';$$)::align.funnel
	= pg_temp.document($$channel q when name 'n'; channel p when source 's';$$)::align.funnel AS "statements",
	pg_temp.document($$channel p when source 's';$$)::align.funnel = pg_temp.document('')::align.funnel AS "none";
-- They may stand anywhere in the document, and come last in the canonical one.
SELECT 'channel p when source ''s''; stage a held by t; won w; channel q when source ''s2''; success path a -> w; target t: 1 w per day;'::align.funnel;
-- Names in quotes, and those of built-in channels and of stages.
SELECT pg_temp.lines($$channel "Paid Search" when source 'google'; channel Direct when medium 'x'; channel direct when medium 'x'; channel "it's ""q""" when name 'x';
	channel "größe" when name 'ü'; channel a when name 'a'; channel Paid-Social when name 'a-b';$$);
-- Patterns are kept as written.
SELECT pg_temp.lines($$channel p when source '*' and medium ' A**b' and name 'it''s "q"; -- 100% \_?
next line';$$);
SELECT source = repeat('x', 1024), octet_length(medium) FROM
	align.channels(pg_temp.document(format($$channel p when source '%s' and medium '%s';$$, repeat('x', 1024), repeat('ü', 512)))::align.funnel);

-- channels()
SELECT * FROM align.channels(pg_temp.document($$channel z when name 'n'; channel "A b" when medium 'm' and source 'S*'; channel y when source '*' and name 'n*' and medium '*m';$$)::align.funnel);
SELECT count(*) FROM align.channels(pg_temp.document('')::align.funnel);
SELECT count(*) FROM align.channels(NULL);

-- Errors of the grammar
SELECT pg_temp.more($$channel$$);
SELECT pg_temp.more($$channel;$$);
SELECT pg_temp.more($$channel p;$$);
SELECT pg_temp.more($$channel p source 's';$$);
SELECT pg_temp.more($$channel "Paid Search" in 's';$$);
SELECT pg_temp.more($$channel Paid Search when source 's';$$);
SELECT pg_temp.more($$channel 'Paid Search' when source 's';$$);
SELECT pg_temp.more($$channel "" when source 's';$$);
SELECT pg_temp.more($$channel 1st when source 's';$$);
SELECT pg_temp.more($$channel größe when source 's';$$);
SELECT pg_temp.more($$channel p when;$$);
SELECT pg_temp.more($$channel p when$$);
SELECT pg_temp.more($$channel p when and source 's';$$);
SELECT pg_temp.more($$channel p when campaign 's';$$);
SELECT pg_temp.more($$channel p when "source" 's';$$);
SELECT pg_temp.more($$channel p when source;$$);
SELECT pg_temp.more($$channel p when source s;$$);
SELECT pg_temp.more($$channel p when source "s";$$);
SELECT pg_temp.more($$channel p when source = 's';$$);
SELECT pg_temp.more($$channel p when source 's;$$);
SELECT pg_temp.more($$channel p when source '';$$);
SELECT pg_temp.more($$channel p when source 's' and name '';$$);
SELECT pg_temp.more($$channel p when source 's' medium 'm';$$);
SELECT pg_temp.more($$channel p when source 's', medium 'm';$$);
SELECT pg_temp.more($$channel p when source 's', 't';$$);
SELECT pg_temp.more($$channel p when source 's' or source 't';$$);
SELECT pg_temp.more($$channel p when source 's' and;$$);
SELECT pg_temp.more($$channel p when source 's' and 'm';$$);
SELECT pg_temp.more($$channel p when source 's' and term 'm';$$);
SELECT pg_temp.more($$channel p when source 's'$$);
SELECT pg_temp.more($$chanel p when source 's';$$);
SELECT pg_temp.more($$"channel" p when source 's';$$);
-- and of what it says
SELECT pg_temp.more($$channel p when source 's' and source 't';$$);
SELECT pg_temp.more($$channel p when name 's' and medium 'x' and NAME 's';$$);
SELECT pg_temp.more($$channel p when source 's'; channel q when source 't';
	channel "p" when medium 'm';$$);
SELECT pg_temp.more(format($$channel p when source '%s';$$, repeat('x', 1025)));
SELECT pg_temp.more(format($$channel p when source 's' and medium '%s';$$, repeat('*', 10240)));
SELECT pg_temp.more(format($$channel p when name '%s';$$, repeat('ü', 513)));
SELECT pg_temp.more(string_agg(format('channel c%s when source ''s'';', i), E'\n')) FROM generate_series(1, 201) AS i;
SELECT count(*) FROM align.channels((SELECT pg_temp.document(string_agg(format('channel c%s when source ''s'';', i), E'\n')) FROM generate_series(1, 200) AS i)::align.funnel);

-- No word is reserved: what has been stored in stages of such names is read as
-- before, and its canonical document is the one that was stored.
CREATE FUNCTION pg_temp.canonical(document text) RETURNS boolean LANGUAGE sql AS
	$$SELECT document::align.funnel::text = document AND align.funnel_send(document::align.funnel) = '\x01'::bytea || convert_to(document, 'UTF8')$$;
SELECT n, pg_temp.canonical(document) FROM (VALUES
	(1, E'stage channel, when, source, medium, name, and;\nwon w;\nsuccess path channel -> w;\npath channel -> when, source, medium, name, and;'),
	(2, E'stage channel, when, b;\nwon w;\nsuccess path channel -> when -> b -> w;\nchannel needs when;\nwhen needs source, channel;\nchannel -> when needs name;\nwhen -> b needs medium;\nchannel known as ''C'', ''channel when source'';\nwhen known as ''W'';'),
	(3, E'stage channel;\nwon w;\nsuccess path channel -> w;\nchannel needs when, source, ''medium'', reason (and, name);'),
	(4, E'stage channel;\nwon w;\nsuccess path channel -> w;\nchannel needs ''when source = 1'';'),
	(5, E'stage channel;\nwon w;\nsuccess path channel -> w;\nchannel needs reason;'),
	(6, E'stage channel;\nwon w;\nsuccess path channel -> w;\nchannel needs reason (when);'),
	(7, E'stage channel;\nwon w;\nsuccess path channel -> w;\nchannel needs "reason", when;'),
	(8, E'stage Channel;\nwon w;\nsuccess path Channel -> w;\nChannel needs "a b";\nChannel -> w needs when;\nChannel known as ''when'';'),
	(9, E'stage a held by channel;\nwon w held by when;\nsuccess path a -> w;\nhandoff channel: a from channel to when,\n    accept w,\n    within 1 day;\nsla when by channel: from a to w within 1 day;\ntarget channel: 1 a per day;\ntarget when: 50% of channel;'))
AS d(n, document);
SELECT 'stage channel, when; won w; success path channel -> when -> w; "channel" needs when; channel -> when needs source; channel known as ''x'';'::align.funnel;
-- The same words as names of channels, beside such stages.
SELECT 'stage channel, needs, known, as, when; won w; success path channel -> needs -> known -> as -> when -> w;
	channel needs when; channel needs when name ''x''; channel known when source ''x''; channel known as ''x''; channel as when source ''x''; channel when when name ''x'';
	channel channel when source ''y''; channel and when source ''z'' and name ''and''; channel source when medium ''x''; channel name when name ''name'';'::align.funnel AS f \gset
SELECT :'f';
SELECT pg_temp.canonical(:'f'), count(*) FROM align.channels(:'f');

-- jsonb
SELECT jsonb_pretty(pg_temp.document($$channel "Paid Search" when source 'google'; channel p when name 'n*' and medium 'it''s "m"';$$)::align.funnel::jsonb -> 'channels');
SELECT pg_temp.document('')::align.funnel::jsonb ? 'channels';
CREATE FUNCTION pg_temp.json(channels jsonb) RETURNS jsonb LANGUAGE sql AS
	$$SELECT pg_temp.document('')::align.funnel::jsonb || jsonb_build_object('channels', channels)$$;
SELECT c.* FROM align.channels(pg_temp.json('[{"channel": "b", "source": "x''y"}, {"name": "n", "medium": null, "channel": "a \"b\"", "source": "''; lost l; --"}]')::align.funnel) AS c;
SELECT count(*) FROM align.channels(pg_temp.json('[]')::align.funnel);
SELECT count(*) FROM align.channels(pg_temp.json('null')::align.funnel);
SELECT channels, pg_temp.failure(format('SELECT pg_temp.json(%L)::align.funnel', channels)) FROM unnest(ARRAY[
	'{}', '"x"', '["x"]', '[null]', '[[]]', '[{}]', '[{"channel": "a"}]', '[{"channel": "a", "source": null}]', '[{"source": "s"}]', '[{"channel": null, "source": "s"}]',
	'[{"channel": "", "source": "s"}]', '[{"channel": 1, "source": "s"}]', '[{"channel": "a", "source": 1}]', '[{"channel": "a", "source": ["s"]}]',
	'[{"channel": "a", "source": ""}]', '[{"channel": "a", "source": "s", "campaign": "c"}]', '[{"channel": "a", "when": {"source": "s"}}]',
	'[{"channel": "a", "source": "s"}, {"channel": "b", "name": "s"}, {"channel": "a", "medium": "s"}]']) AS channels;
SELECT pg_temp.failure(format('SELECT pg_temp.json(%L)::align.funnel', jsonb_build_array(jsonb_build_object('channel', 'a', 'name', repeat('x', 10240)))));
SELECT pg_temp.failure($$SELECT ('{"channel": []}'::jsonb || 'stage a; won w; success path a -> w;'::align.funnel::jsonb)::align.funnel$$);

-- diff
CREATE FUNCTION pg_temp.change(before text, after text) RETURNS TABLE (change text, what text, was text, "is" text) LANGUAGE sql AS
	$$SELECT d.* FROM align.diff(pg_temp.document(before)::align.funnel, pg_temp.document(after)::align.funnel) AS d$$;
SELECT * FROM pg_temp.change('', $$channel "Paid Search" when name 'x' and source 'y';$$);
SELECT * FROM pg_temp.change($$channel p when source 'y'; channel q when name 'n';$$, $$channel p when source 'y';$$);
SELECT * FROM pg_temp.change($$channel p when source 'y'; channel q when name 'n';$$, $$channel p when source 'Y'; channel q when medium 'n';$$);
SELECT * FROM pg_temp.change($$channel p when source 'y'; channel q when name 'n'; channel "r s" when name 'n';$$,
	$$channel "r s" when name 'n'; channel p when source 'y'; channel q when name 'n';$$);
SELECT * FROM pg_temp.change($$channel p when source 'y'; channel q when name 'n';$$, $$channel q when name 'n'; channel o when source 'z'; channel p when source 'y' and medium '*';$$);
SELECT * FROM pg_temp.change($$channel p when name 'x' and source 'y';$$, $$channel p when source 'y' and name 'x';$$);
-- The diagram shows stages.
SELECT align.mermaid(pg_temp.document($$channel p when source 'y';$$)::align.funnel) = align.mermaid(pg_temp.document('')::align.funnel);

-- Binary form: a version byte and the text, with the checks of the text form.
CREATE FUNCTION pg_temp.file() RETURNS text LANGUAGE sql AS
	$$SELECT current_setting('data_directory') || '/align_channels_binary.tmp'$$;
CREATE TEMP TABLE received (f align.funnel);
CREATE FUNCTION pg_temp.receive(bytes bytea) RETURNS align.funnel LANGUAGE plpgsql AS $$
DECLARE
	large oid := lo_from_bytea(0, '\x5047434f50590aff0d0a00'::bytea || int4send(0) || int4send(0) ||
							   int2send(1::int2) || int4send(length(bytes)) || bytes || int2send((-1)::int2));
	result align.funnel;
BEGIN
	PERFORM lo_export(large, pg_temp.file());
	PERFORM lo_unlink(large);
	EXECUTE format('COPY received FROM %L (FORMAT binary)', pg_temp.file());
	DELETE FROM received RETURNING f INTO result;
	RETURN result;
END $$;
CREATE FUNCTION pg_temp.sent(statements text) RETURNS bytea LANGUAGE sql AS
	$$SELECT '\x01'::bytea || convert_to(pg_temp.document(statements), 'UTF8')$$;
SELECT f, pg_temp.receive(align.funnel_send(f)) = f FROM (SELECT pg_temp.document($$channel "größe" when source 'ü*' and name 'n';$$)::align.funnel AS f) AS t;
SELECT pg_temp.receive(pg_temp.sent($$channel p when name 'n' and source 's';$$)) = pg_temp.document($$channel p when source 's' and name 'n';$$)::align.funnel;
SELECT pg_temp.failure(format('SELECT pg_temp.receive(%L)', bytes)) FROM unnest(ARRAY[
	pg_temp.sent($$channel p when source '';$$), pg_temp.sent($$channel p when;$$), pg_temp.sent(format($$channel p when source '%s';$$, repeat('x', 10240))),
	pg_temp.sent($$channel p when source 's'; channel p when source 's';$$), pg_temp.sent($$channel p when source 's' and source 's';$$),
	pg_temp.sent($$channel p when source '$$) || '\xff'::bytea || ''';'::bytea, pg_temp.sent($$channel p when source 'a$$) || '\x00'::bytea || ''';'::bytea,
	'\x02'::bytea || pg_temp.sent($$channel p when source 's';$$)]) AS bytes;

-- Stored bytes that no input function made: an error, and nothing computed from
-- them.  What was cut off ends in a statement that is not complete.
CREATE CAST (bytea AS align.funnel) WITHOUT FUNCTION;
CREATE FUNCTION pg_temp.stored(flags bytea, statements text) RETURNS align.funnel LANGUAGE sql AS
	$$SELECT (flags || convert_to(pg_temp.document(statements), 'UTF8'))::align.funnel$$;
SELECT count(*) FROM align.channels(pg_temp.stored('\x00000000', $$channel p when source 's';$$));
SELECT pg_temp.failure(format('SELECT count(*) FROM align.channels(pg_temp.stored(''\x01000000'', %L))', $$channel p when source 's';$$)) ~ '^0A000 stored value of type funnel has an unknown format' AS flags;
SELECT length(statement), pg_temp.failure(format('SELECT * FROM align.channels(pg_temp.stored(''\x00000000'', %L))', statement))
FROM (SELECT left($$channel p when source 's';$$, n) AS statement FROM unnest('{7, 9, 14, 21, 23, 24, 25}'::int[]) AS n) AS t;
-- Every truncation and every changed byte ends in an error or in an agreement.
SELECT count(*) FILTER (WHERE answer = 'no error') > 0 AS "some sound", count(*) FILTER (WHERE answer ~ '^(22P02|42704|42710|22023|54000) invalid') > 100 AS "most not",
	string_agg(DISTINCT answer, E'\n') FILTER (WHERE answer <> 'no error' AND answer !~ '^(22P02|42704|42710|22023|54000) invalid') AS "others"
FROM (SELECT convert_to(pg_temp.document($$channel p when source 's*' and name 'n'; channel "q" when medium 'm';$$), 'UTF8') AS good) AS g,
	generate_series(0, length(good) - 1) AS i, unnest(ARRAY[substr(good, 1, i), set_byte(good, i, 39), set_byte(good, i, 34), set_byte(good, i, 59), set_byte(good, i, 255), set_byte(good, i, 0)]) AS bytes,
	pg_temp.failure(format('SELECT * FROM align.diff((''\x00000000''::bytea || %L)::align.funnel, ''stage a; won w; success path a -> w;'')', bytes)) AS answer;
DROP CAST (bytea AS align.funnel);
