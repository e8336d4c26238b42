-- 2_signed.sql   the agreement that the teams sign, and what it changes.
--
-- Expects the psql variable document: the agreement as written.
\pset footer off
\pset linestyle unicode
\echo '------------------------------------------------------------------------------'
\echo ' (b) The agreement that the teams sign'
\echo '------------------------------------------------------------------------------'
\echo 'It is kept by name, and every later version beside it: align.agree(name, text).'
\echo

SELECT align.agree('demo', :'document', note => 'signed at the kick-off') AS version
\gset

CREATE TABLE demo.signed AS SELECT align.agreed('demo') AS agreement;

\pset tuples_only on
\pset format unaligned
SELECT agreement FROM demo.signed;
\pset format aligned
\pset tuples_only off

\echo
SELECT NOT EXISTS (SELECT FROM demo.inferred, demo.signed, align.diff(draft::align.funnel, agreement)) AS as_drafted
\gset
\if :as_drafted
\echo 'They sign what is done today: nothing changes. AGREEMENT=file gives them another.'
\echo
\else
\echo 'What it changes against what is done today (first 40 lines):'
\echo
\pset format wrapped
\pset columns 110
SELECT change, what, before, after
FROM demo.inferred, demo.signed, align.diff(draft::align.funnel, agreement)
LIMIT 40;
\pset format aligned
\endif
