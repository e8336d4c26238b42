-- The extension installs, into its own schema, and goes away whole.
SELECT extname, extrelocatable, nspname
FROM pg_catalog.pg_extension JOIN pg_catalog.pg_namespace n ON n.oid = extnamespace
WHERE extname = 'align';

-- Everything it brings lies in the schema align.
SELECT count(*) AS strays
FROM pg_catalog.pg_depend d
JOIN pg_catalog.pg_extension e ON d.refobjid = e.oid AND e.extname = 'align'
CROSS JOIN LATERAL pg_catalog.pg_identify_object(d.classid, d.objid, d.objsubid) o
WHERE d.refclassid = 'pg_catalog.pg_extension'::regclass AND d.deptype = 'e'
  AND o.type NOT IN ('cast', 'schema') AND o.schema IS DISTINCT FROM 'align';
