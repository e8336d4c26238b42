-- What holds for every object of the extension, read from the catalogs.
\set ON_ERROR_STOP on
\pset format unaligned
\pset tuples_only on
\pset pager off

BEGIN;
SET LOCAL client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS pgtap;
CREATE EXTENSION IF NOT EXISTS align;

-- Members of the extension, as pg_identify_object names them.
CREATE TEMP VIEW member AS
SELECT d.classid, d.objid, o.type, o.identity
FROM pg_catalog.pg_depend d
JOIN pg_catalog.pg_extension e ON e.oid = d.refobjid AND e.extname = 'align'
CROSS JOIN LATERAL pg_catalog.pg_identify_object(d.classid, d.objid, d.objsubid) o
WHERE d.refclassid = 'pg_catalog.pg_extension'::regclass AND d.deptype = 'e';

-- Functions that only implement a type, an operator, a cast or an aggregate.
CREATE TEMP VIEW support AS
SELECT unnest(array[typinput, typoutput, typreceive, typsend])::oid AS oid FROM pg_catalog.pg_type
UNION SELECT oprcode FROM pg_catalog.pg_operator
UNION SELECT amproc FROM pg_catalog.pg_amproc
UNION SELECT castfunc FROM pg_catalog.pg_cast
UNION SELECT unnest(array[aggtransfn, aggfinalfn, aggcombinefn, aggserialfn, aggdeserialfn,
						  aggmtransfn, aggminvtransfn, aggmfinalfn])::oid FROM pg_catalog.pg_aggregate;

CREATE TEMP VIEW routine AS
SELECT p.*, p.oid::regprocedure::text AS name, p.oid IN (SELECT oid FROM support) AS is_support
FROM member m JOIN pg_catalog.pg_proc p ON m.classid = 'pg_catalog.pg_proc'::regclass AND p.oid = m.objid;

CREATE TEMP VIEW base_type AS
SELECT t.*, t.oid::regtype::text AS name
FROM member m JOIN pg_catalog.pg_type t ON m.classid = 'pg_catalog.pg_type'::regclass AND t.oid = m.objid
WHERE t.typtype = 'b' AND t.typelem = 0;

SELECT plan(25);

SELECT cmp_ok((SELECT count(*) FROM routine), '>', 50::bigint, 'there are functions to look at');

-- Comments.
SELECT is_empty($$
	SELECT type, identity FROM member m
	WHERE type NOT IN ('operator family', 'sequence', 'composite type')
	  AND (type <> 'type' OR EXISTS (SELECT FROM base_type b WHERE b.oid = m.objid))
	  AND NOT (type = 'index')
	  AND coalesce(obj_description(objid, (SELECT relname FROM pg_class c WHERE c.oid = classid)), '') = ''
	ORDER BY 1, 2$$, 'every object has a comment');
SELECT is_empty($$
	SELECT c.oid::regclass, a.attname FROM member m JOIN pg_class c ON m.classid = 'pg_class'::regclass AND c.oid = m.objid
	JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
	WHERE c.relkind IN ('r', 'v', 'm') AND coalesce(col_description(c.oid, a.attnum), '') = ''$$,
	'every column of every table and view has a comment');

-- Names.
SELECT is_empty($$SELECT name FROM routine r WHERE EXISTS (SELECT FROM base_type t WHERE t.typname = r.proname)$$,
	'no function shares the name of a type');
SELECT is_empty($$SELECT name FROM routine WHERE proname IN (SELECT word FROM pg_get_keywords() WHERE catcode <> 'U') AND proname <> 'check' OR proname = 'lead'$$,
	'no function is named like a keyword (but check, which is never called without its schema), or lead');
SELECT is_empty($$
	SELECT name FROM routine
	WHERE prorettype = 'record'::regtype AND (proargmodes IS NULL OR NOT proargmodes && '{t,o}'::"char"[])$$,
	'every function that returns rows names its columns');
SELECT is_empty($$
	SELECT name FROM routine
	WHERE proretset AND (proargnames IS NULL OR EXISTS (
		SELECT FROM unnest(proargmodes, proargnames) a (mode, column_name)
		WHERE mode IN ('t', 'o') AND coalesce(column_name, '') = ''))$$,
	'every column of every set-returning function has a name');
SELECT is_empty($$
	SELECT name FROM routine
	WHERE NOT is_support AND pronargs > 1 AND (proargnames IS NULL OR '' = ANY (proargnames[:pronargs]))$$,
	'every public function with more than one argument names them');
SELECT is_empty($$
	SELECT r.name, a.argument, t.typname FROM routine r
	CROSS JOIN LATERAL unnest(r.proargtypes::oid[], r.proargnames[:r.pronargs]) a (type, argument)
	JOIN base_type t ON t.oid = a.type
	WHERE NOT is_support AND pronargs > 1 AND proname NOT IN ('agree', 'diff', 'compare_incidence') AND a.argument <> t.typname$$,
	'an argument of one of our types is called by its type, so that named calls need no look into the manual');

-- Labels.
SELECT is_empty($$SELECT name, provolatile FROM routine WHERE provolatile = 'v' AND proname NOT IN ('agree', 'set_agreement_owner', 'assign_team', 'admit', 'dismiss', 'backtest', 'variants', 'score_bands', 'attach', 'detach', 'notify_handoffs', 'notify_due', 'merge_leads', 'erase', 'forget', 'dry_run', 'purge', 'rebuild_clocks', 'import_history', 'create_campaign_tables', 'create_reports', 'refresh_reports', 'publish_week')
	AND prorettype <> 'trigger'::regtype$$,
	'nothing is volatile but what writes or runs a query');
SELECT is_empty($$SELECT name, proparallel FROM routine WHERE proparallel <> 's' AND proname NOT IN ('agree', 'set_agreement_owner', 'assign_team', 'admit', 'dismiss', 'backtest', 'score_bands', 'variants', 'explain_move', 'attach', 'detach', 'notify_handoffs', 'notify_due', 'merge_leads', 'erase', 'forget', 'dry_run', 'purge', 'rebuild_clocks', 'import_history', 'create_campaign_tables', 'create_reports', 'refresh_reports', 'publish_week', 'weekly_report', 'missing_needs', 'check', 'clocks', 'journeys', 'in_present_life')
	AND prorettype <> 'trigger'::regtype$$,
	'everything is parallel safe but what writes, runs a query, or first writes what is pending');
SELECT is_empty($$SELECT name FROM routine WHERE proretset AND prorows = 1000$$,
	'the rows of set-returning functions are estimated by hand');
SELECT is_empty($$
	SELECT name FROM routine r
	WHERE proleakproof AND NOT EXISTS (SELECT FROM pg_operator o WHERE o.oprcode = r.oid)
	  AND NOT EXISTS (SELECT FROM pg_amproc a WHERE a.amproc = r.oid)$$,
	'only comparisons are leakproof');
SELECT is_empty($$
	SELECT name FROM routine
	WHERE prosecdef AND NOT EXISTS (SELECT FROM unnest(proconfig) c WHERE c LIKE 'search\_path=%')$$,
	'whatever runs with its owner''s rights fixes its search_path');
SELECT is_empty($$
	SELECT name FROM routine r JOIN pg_language l ON l.oid = r.prolang
	WHERE l.lanname IN ('sql', 'plpgsql') AND r.prosqlbody IS NULL
	  AND NOT EXISTS (SELECT FROM unnest(proconfig) c WHERE c LIKE 'search\_path=%')$$,
	'nothing depends on the caller''s search_path');
SELECT is_empty($$
	SELECT name FROM routine r
	WHERE prokind = 'f' AND proisstrict AND prosrc LIKE '%trans' AND prorettype = 'internal'::regtype$$,
	'transition functions over internal states are not strict');

-- Aggregates.
SELECT is_empty($$
	SELECT r.name FROM routine r JOIN pg_aggregate a ON a.aggfnoid = r.oid WHERE a.aggcombinefn = 0$$,
	'every aggregate can be computed in parallel');
SELECT is_empty($$
	SELECT r.name FROM routine r JOIN pg_aggregate a ON a.aggfnoid = r.oid
	WHERE a.aggtranstype = 'internal'::regtype AND (a.aggserialfn = 0 OR a.aggdeserialfn = 0 OR a.aggtransspace = 0)$$,
	'internal states can be sent and tell their size');
SELECT is_empty($$
	SELECT name FROM routine WHERE prokind = 'a' AND pronargdefaults > 0$$,
	'no aggregate has default arguments');

-- Types.
SELECT set_eq($$SELECT typname::text FROM base_type$$, '{calendar,funnel,lead,campaign,conversion,process,incidence,paths}'::text[],
	'the types of this release');
SELECT is_empty($$SELECT name FROM base_type WHERE typreceive = 0 OR typsend = 0 OR typstorage <> 'x'$$,
	'every type has a binary form and can be toasted');
SELECT is_empty($$
	SELECT t.name, am.amname FROM base_type t CROSS JOIN pg_am am
	WHERE am.amname IN ('btree', 'hash') AND NOT EXISTS (
		SELECT FROM pg_opclass o WHERE o.opcintype = t.oid AND o.opcmethod = am.oid AND o.opcdefault)$$,
	'every type sorts and hashes');
SELECT is_empty($$
	SELECT m.identity FROM member m JOIN pg_operator o ON m.classid = 'pg_operator'::regclass AND o.oid = m.objid
	WHERE o.oprcom = 0 OR o.oprnegate = 0$$,
	'every operator knows its commutator and negator');

-- Rights.
SELECT is_empty($$
	SELECT c.oid::regclass, a.privilege_type FROM member m
	JOIN pg_class c ON m.classid = 'pg_class'::regclass AND c.oid = m.objid
	CROSS JOIN LATERAL aclexplode(c.relacl) a
	WHERE a.grantee = 0 AND a.privilege_type <> 'SELECT'$$,
	'nobody is granted more than reading on the tables');
SELECT is_empty($$
	SELECT m.identity FROM member m
	WHERE type IN ('function', 'aggregate') AND identity NOT LIKE 'align.%'$$,
	'everything is in the schema align');

SELECT * FROM finish();
ROLLBACK;
