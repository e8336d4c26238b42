-- Merging and erasing leads

CREATE FUNCTION align.merge_leads(relation regclass, from_key "any", into_key "any") RETURNS bigint
    AS 'MODULE_PATHNAME', 'align_merge_leads'
    LANGUAGE C VOLATILE PARALLEL UNSAFE COST 10000;

COMMENT ON FUNCTION align.merge_leads(regclass, "any", "any") IS
'the recorded journey of a duplicate joins that of the lead that stays, whose clocks are made anew from the whole; returns the number of entries that moved; the rows of the table are left as they are; for the owner of the table; raises if nothing is recorded of from_key or into_key is not in the funnel; nulls are refused';

CREATE FUNCTION align.erase(relation regclass, key "any") RETURNS bigint
    AS 'MODULE_PATHNAME', 'align_erase'
    LANGUAGE C VOLATILE PARALLEL UNSAFE COST 10000;

COMMENT ON FUNCTION align.erase(regclass, "any") IS
'deletes all that is recorded of a lead that is no longer in the table, and its key where other leads'' entries mention it; returns how many entries and clocks it deleted; for the owner of the table; refused while the row is there; nulls are refused';

CREATE FUNCTION align.purge(relation regclass, before timestamptz) RETURNS bigint
    AS 'MODULE_PATHNAME', 'align_purge'
    LANGUAGE C VOLATILE PARALLEL UNSAFE COST 100000;

COMMENT ON FUNCTION align.purge(regclass, timestamptz) IS
'deletes entries and clocks of all leads whose last life ended (they were deleted, truncated or ceased to be live) before an instant that is not in the future, and returns how many rows it deleted; for the owner of the table; nulls are refused';

CREATE FUNCTION align.rebuild_clocks(relation regclass) RETURNS bigint
    AS 'MODULE_PATHNAME', 'align_rebuild_clocks'
    LANGUAGE C VOLATILE PARALLEL UNSAFE COST 100000;

COMMENT ON FUNCTION align.rebuild_clocks(regclass) IS
'replaces the clocks of an attached table by those that follow from its history, keeps what was announced, and returns how many there are; for after a change of time zone rules or a repaired history; for the owner of the table, which is held in SHARE ROW EXCLUSIVE mode until the end of the transaction; null is refused';
