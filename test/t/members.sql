-- members.sql   an extension as the catalogs hold it, for comparison between databases.
--
-- Creates pg_temp.members(extension): one line per property of every object that
-- belongs to it, objects inside of objects (columns, constraints, triggers, operator
-- class members, ...) included.  Nothing is listed by hand: every column of every
-- catalog counts, the OIDs in them replaced by what they point to (PostgreSQL itself
-- knows which columns point where), but for those that tell where something is
-- stored or how much of it.  What remains are the numbers in the names of toast tables
-- and of the triggers of foreign keys.

-- Members, and what goes away with them.
CREATE FUNCTION pg_temp.member_objects(extension text, OUT classid oid, OUT objid oid) RETURNS SETOF record
LANGUAGE sql AS $$
	WITH RECURSIVE object (classid, objid) AS (
		SELECT 'pg_extension'::regclass::oid, oid FROM pg_extension WHERE extname = extension
		UNION
		SELECT part.*
		FROM object o CROSS JOIN LATERAL (
			SELECT d.classid, d.objid FROM pg_depend d
			WHERE d.refclassid = o.classid AND d.refobjid = o.objid AND d.deptype IN ('e', 'i', 'a', 'P', 'S')
		) part
	)
	SELECT classid, objid FROM object
$$;

-- What an OID points to, in words without OIDs.
CREATE FUNCTION pg_temp.in_words(classid oid, objid oid) RETURNS text
LANGUAGE sql AS $$
	SELECT CASE WHEN objid = 0 THEN '-'
		ELSE (SELECT o.type || ' ' || o.identity FROM pg_identify_object(classid, objid, 0) o) END
$$;

-- A column of a catalog, as an expression over its row c.
CREATE FUNCTION pg_temp.readable(catalog regclass, name text, type regtype) RETURNS text
LANGUAGE sql AS $$
	SELECT CASE
		WHEN k.is_array THEN format('(SELECT string_agg(pg_temp.in_words(%s, o), '', '' ORDER BY n) FROM unnest(c.%I::oid[]) WITH ORDINALITY AS a (o, n))', k.pktable::oid, name)
		WHEN k.pktable IS NOT NULL THEN format('pg_temp.in_words(%s, c.%I)', k.pktable::oid, name)
		WHEN name = 'ev_action' THEN 'pg_get_ruledef(c.oid)'
		WHEN name = 'tgqual' THEN 'pg_get_triggerdef(c.oid)'
		WHEN name = 'conbin' THEN 'pg_get_constraintdef(c.oid)'
		WHEN name = 'prosqlbody' THEN 'pg_get_function_sqlbody(c.oid)'
		WHEN name = 'proargdefaults' THEN 'pg_get_function_arguments(c.oid)'
		WHEN name IN ('indexprs', 'indpred') THEN 'pg_get_indexdef(c.indexrelid)'
		WHEN name = 'adbin' THEN 'pg_get_expr(c.adbin, c.adrelid)'
		WHEN name IN ('polqual', 'polwithcheck') THEN format('pg_get_expr(c.%I, c.polrelid)', name)
		WHEN type = 'pg_node_tree'::regtype THEN format('pg_get_expr(c.%I, 0)', name)
		ELSE format('c.%I::text', name) END
	FROM (VALUES (1)) one
	LEFT JOIN pg_get_catalog_foreign_keys() k
		ON k.fktable = catalog AND k.fkcols = ARRAY[name] AND k.pkcols = '{oid}'
$$;

CREATE FUNCTION pg_temp.members(extension text) RETURNS SETOF text
LANGUAGE plpgsql AS $$
DECLARE
	part record;
BEGIN
	CREATE TEMP TABLE IF NOT EXISTS member AS SELECT * FROM pg_temp.member_objects(extension);

	-- Catalogs whose rows are objects, and those whose rows are parts of one.
	FOR part IN
		SELECT m.catalog, m.catalog AS object, 'oid' AS key, '' AS part_name
		FROM (SELECT DISTINCT classid::regclass AS catalog FROM member) m
		UNION ALL
		VALUES ('pg_attribute'::regclass, 'pg_class'::regclass, 'attrelid', 'attname'),
			   ('pg_index', 'pg_class', 'indexrelid', ''),
			   ('pg_aggregate', 'pg_proc', 'aggfnoid', ''),
			   ('pg_sequence', 'pg_class', 'seqrelid', ''),
			   ('pg_inherits', 'pg_class', 'inhrelid', 'inhseqno'),
			   ('pg_partitioned_table', 'pg_class', 'partrelid', ''),
			   ('pg_range', 'pg_type', 'rngtypid', ''),
			   ('pg_enum', 'pg_type', 'enumtypid', 'enumlabel')
	LOOP
		RETURN QUERY EXECUTE (
			SELECT format('SELECT pg_temp.in_words(%1$s, m.objid) || %2$L || %3$s || v.line
						   FROM member m JOIN %4$s c ON m.classid = %1$s AND c.%5$I = m.objid
						   CROSS JOIN LATERAL unnest(ARRAY[%6$s]) v (line)',
				part.object::oid, ' | ' || part.catalog || ' ', CASE WHEN part.part_name = '' THEN quote_literal('') ELSE format('c.%I || %L', part.part_name, ' ') END,
				part.catalog, part.key,
				string_agg(format('%L || coalesce(%s, %L)', attname || ' = ', pg_temp.readable(part.catalog, attname, atttypid), 'null'), ', ' ORDER BY attnum))
			FROM pg_attribute
			WHERE attrelid = part.catalog AND attnum > 0 AND NOT attisdropped
			  AND NOT attname = ANY ('{oid,relfilenode,relpages,reltuples,relallvisible,relallfrozen,relfrozenxid,relminmxid}'));
	END LOOP;

	-- Comments, security labels, rights that the script gave, and dependencies.
	RETURN QUERY
		SELECT pg_temp.in_words(m.classid, m.objid) || ' | comment ' || d.objsubid || ' = ' || d.description
		FROM member m JOIN pg_description d ON d.classoid = m.classid AND d.objoid = m.objid
		UNION ALL
		SELECT pg_temp.in_words(m.classid, m.objid) || ' | label ' || l.objsubid || ' = ' || l.provider || ' ' || l.label
		FROM member m JOIN pg_seclabel l ON l.classoid = m.classid AND l.objoid = m.objid
		UNION ALL
		SELECT pg_temp.in_words(m.classid, m.objid) || ' | initial rights ' || p.objsubid || ' = ' || p.privtype::text || ' ' || p.initprivs::text
		FROM member m JOIN pg_init_privs p ON p.classoid = m.classid AND p.objoid = m.objid
		UNION ALL
		SELECT pg_temp.in_words(m.classid, m.objid) || ' | depends ' || d.objsubid || ' ' || d.deptype::text || ' on '
			   || pg_temp.in_words(d.refclassid, d.refobjid) || ' ' || d.refobjsubid
		FROM member m JOIN pg_depend d ON d.classid = m.classid AND d.objid = m.objid;
END
$$;
