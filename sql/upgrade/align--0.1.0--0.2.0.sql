\echo Use "ALTER EXTENSION align UPDATE TO '0.2.0'" to load this file. \quit

-- The modules that are new, as they are in the install script ("make delta").
-- Tables under an agreement

CREATE FUNCTION align.attachment() RETURNS trigger
    AS 'MODULE_PATHNAME', 'align_attachment_marker'
    LANGUAGE C VOLATILE PARALLEL UNSAFE COST 1;

COMMENT ON FUNCTION align.attachment() IS
'function of the triggers in which align.attach() writes down what it was told; they never fire, and raise if they do';
-- Dry runs
-- Reading history and clocks
-- Alerts from the outbox
-- Merging and erasing leads
