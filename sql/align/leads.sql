-- Merging, erasing and purging leads; rebuilding clocks

CREATE FUNCTION align.merge_leads(relation regclass, from_key "any", into_key "any") RETURNS bigint
    AS 'MODULE_PATHNAME', 'align_merge_leads'
    LANGUAGE C VOLATILE PARALLEL UNSAFE COST 10000;

COMMENT ON FUNCTION align.merge_leads(regclass, "any", "any") IS
'merges the recorded journey of a duplicate into that of the lead that survives, recomputes its clocks, and returns the number of entries moved; the rows of the table are not changed. For the owner of the table; NULLs are errors';

CREATE FUNCTION align.merge_leads(relation regclass, from_key text, into_key text) RETURNS bigint
    AS 'MODULE_PATHNAME', 'align_merge_leads'
    LANGUAGE C VOLATILE PARALLEL UNSAFE COST 10000;

COMMENT ON FUNCTION align.merge_leads(regclass, text, text) IS
'the same with the keys as text, and for parameters without a type';

CREATE FUNCTION align.erase(relation regclass, key "any") RETURNS bigint
    AS 'MODULE_PATHNAME', 'align_erase'
    LANGUAGE C VOLATILE PARALLEL UNSAFE COST 10000;

COMMENT ON FUNCTION align.erase(regclass, "any") IS
'deletes entries and clocks of a lead whose row has been deleted, removes its key from the entries of other leads, and returns the number of entries and clocks deleted. For the owner of the table; NULLs are errors';

CREATE FUNCTION align.erase(relation regclass, key text) RETURNS bigint
    AS 'MODULE_PATHNAME', 'align_erase'
    LANGUAGE C VOLATILE PARALLEL UNSAFE COST 10000;

COMMENT ON FUNCTION align.erase(regclass, text) IS
'the same with the key as text, and for parameters without a type';

CREATE FUNCTION align.forget(relation regclass, key "any") RETURNS bigint
    AS 'MODULE_PATHNAME', 'align_forget'
    LANGUAGE C VOLATILE PARALLEL UNSAFE COST 10000;

COMMENT ON FUNCTION align.forget(regclass, "any") IS
'removes persons and free text from the entries and clocks of a lead that stays, anonymised: assignees, actors, notes, campaigns, former keys, and reasons that the agreement does not list. Stages and times stay. Returns the number of entries and clocks changed. For the owner of the table; NULLs are errors';

CREATE FUNCTION align.forget(relation regclass, key text) RETURNS bigint
    AS 'MODULE_PATHNAME', 'align_forget'
    LANGUAGE C VOLATILE PARALLEL UNSAFE COST 10000;

COMMENT ON FUNCTION align.forget(regclass, text) IS
'the same with the key as text, and for parameters without a type';

CREATE FUNCTION align.purge(relation regclass, before timestamptz) RETURNS bigint
    AS 'MODULE_PATHNAME', 'align_purge'
    LANGUAGE C VOLATILE PARALLEL UNSAFE COST 100000;

COMMENT ON FUNCTION align.purge(regclass, timestamptz) IS
'deletes entries and clocks of leads whose last life ended before a time that is not in the future, and returns the number of entries and clocks deleted. A life ends when the row is deleted, truncated or no longer live; for the owner of the table; NULLs are errors';

CREATE FUNCTION align.rebuild_clocks(relation regclass) RETURNS bigint
    AS 'MODULE_PATHNAME', 'align_rebuild_clocks'
    LANGUAGE C VOLATILE PARALLEL UNSAFE COST 100000;

COMMENT ON FUNCTION align.rebuild_clocks(regclass) IS
'replaces the clocks of an attached table by those that follow from its history, for use after a change of time zone rules or of the history, and returns their number. For the owner of the table, which is locked in SHARE ROW EXCLUSIVE mode; NULL is an error';
