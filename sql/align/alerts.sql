-- Notifications of handoffs and clocks

CREATE FUNCTION align.notify_handoffs(relation regclass) RETURNS bigint
    AS 'MODULE_PATHNAME', 'align_notify_handoffs'
    LANGUAGE C VOLATILE PARALLEL UNSAFE COST 10000;

COMMENT ON FUNCTION align.notify_handoffs(regclass) IS
'sends NOTIFY align_handoff for every handoff of an attached table that has not been announced yet, in the order in which they were recorded, and returns their number. For the owner of the table; NULL is an error';

CREATE FUNCTION align.notify_due(relation regclass) RETURNS bigint
    AS 'MODULE_PATHNAME', 'align_notify_due'
    LANGUAGE C VOLATILE PARALLEL UNSAFE COST 10000;

COMMENT ON FUNCTION align.notify_due(regclass) IS
'sends NOTIFY align_sla for every open clock of an attached table that is at risk or overdue and has not been announced as such, and returns their number. For the owner of the table; NULL is an error';
