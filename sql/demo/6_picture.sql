-- 6_picture.sql   the agreement as a picture.
\echo '------------------------------------------------------------------------------'
\echo ' (f) A picture to paste where Mermaid is understood (GitHub, GitLab, Notion, ...)'
\echo '------------------------------------------------------------------------------'
\pset tuples_only on
\pset format unaligned
SELECT align.mermaid(agreement) FROM demo.signed;
\pset format aligned
\pset tuples_only off
