-- Tables under an agreement

CREATE FUNCTION align.attachment() RETURNS trigger
    AS 'MODULE_PATHNAME', 'align_attachment_marker'
    LANGUAGE C VOLATILE PARALLEL UNSAFE COST 1;

COMMENT ON FUNCTION align.attachment() IS
'function of the triggers in which align.attach() writes down what it was told; they never fire, and raise if they do';
