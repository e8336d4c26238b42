# Odoo's CRM as it stands, by the role that owns it: its audit suggests the
# agreement, crm_lead is attached in one call, its tracking values are imported,
# the application goes on, and every report is that of plain SQL over crm_lead,
# mail_message and mail_tracking_value.
use strict;
use warnings;

use File::Basename qw(dirname);
use PlainReports;
use PostgreSQL::Test::Utils;
use RealData;
use Test::More;

my $folder = shared_folder('../crm_shapes');
my $node = start_node('crm_odoo');

# The examples of the page are what an owner would use.
my $page = slurp_file(dirname(__FILE__) . '/../../docs/crm-odoo.md');
my ($attach) = $page =~ /^(SELECT align\.attach\('crm_lead'.*?;)$/ms;
my ($audit) = $page =~ /^CREATE VIEW crm_lead_audit AS\n(.*?;)$/ms;
my $as_of = '2026-08-15 10:00Z';

$node->safe_psql('postgres', 'CREATE ROLE odoo LOGIN; CREATE ROLE app LOGIN; GRANT CREATE ON DATABASE postgres TO odoo; GRANT CREATE ON SCHEMA public TO odoo');
$ENV{PGUSER} = 'odoo';
$node->command_ok([ 'psql', '-X', '-q', '-v', 'ON_ERROR_STOP=1', '-d', $node->connstr('postgres'), '-f', "$folder/odoo.sql" ], 'load odoo.sql');

# In the past, some leads were given to another person.
$node->safe_psql('postgres', q{
	INSERT INTO mail_message (id, model, res_id, date, create_uid, message_type)
	SELECT 1000000 + id, 'crm.lead', id, date_trunc('second', create_date + id % 50 * interval '1 hour'), 1, 'notification' FROM crm_lead WHERE id % 10 = 0 AND user_id IS NOT NULL;
	INSERT INTO mail_tracking_value (field_id, mail_message_id, old_value_integer, new_value_integer, old_value_char, new_value_char, create_date, create_uid)
	SELECT 3, m.id, CASE WHEN m.res_id % 30 > 0 THEN 1 + (user_id + 3) % 12 END, user_id, 'Old', 'New', m.date, 1 FROM crm_lead l JOIN mail_message m ON m.res_id = l.id AND m.id > 1000000;
	SELECT setval('mail_message_id_seq', 2000000);
	GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO app;
	GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO app;
});
$node->safe_psql('postgres', "CREATE VIEW crm_lead_audit AS $audit");

# Infer, then sign.
my $draft = $node->safe_psql('postgres', q{SELECT align.infer_agg(lead, '{Won}', '{Lost}', 0.0005) FROM (SELECT align.lead_agg(at, stage, ordinal) AS lead FROM crm_lead_audit GROUP BY id) l});
like($draft, qr/^success path New -> Qualified -> Proposition -> Negotiation -> Won;/m, 'the audit suggests the success path');
$draft =~ s/^stage New;/stage New held by "Pre-Sales";/m;
$draft =~ s/^stage Qualified;/stage Qualified held by "Pre-Sales";/m;
$draft =~ s/^stage (Proposition|Negotiation);/stage $1 held by "Sales";/mg;
my $agreement = q{hours 'Europe/Brussels Mo-Fr 09:00-18:00';
} . $draft . q{
	handoff offer: Qualified from "Pre-Sales" to "Sales", accept Proposition,
		reject Lost with reason ("Too expensive", "We don't have people/skills", "Not enough stock"), within 5 days;
	sla first_contact by "Pre-Sales": from New to Qualified, Proposition, Negotiation, Won, Lost within 8 working hours;
	sla close by "Sales": from Proposition to Won within 30 days;
};
$node->safe_psql('postgres', "SELECT align.agree('crm', \$agreement\$$agreement\$agreement\$)");
is_value('SELECT count(*) FROM information_schema.columns WHERE table_name = \'crm_lead\'', '33', 'crm_lead has its columns');
is_value($attach, '6000', 'attached in one call');
is_value('SELECT count(*) FROM information_schema.columns WHERE table_name = \'crm_lead\'', '33', 'crm_lead has no other columns');
is_value(q{SELECT count(*) FROM align.check('crm_lead')}, '0', 'check is empty after attaching');
is_value(q{SELECT count(*) > 15000 FROM (SELECT align.import_history('crm_lead', 'TABLE crm_lead_audit') AS n) i, generate_series(1, i.n)}, 't', 'the audit is imported');
is_value(q{SELECT count(*) FROM align.check('crm_lead')}, '0', 'check is empty after importing');
is_value(q{SELECT align.import_history('crm_lead', 'TABLE crm_lead_audit')}, '0', 'nothing is imported twice');

# The application goes on, one write after another, as another role: each writes
# what changed, and many columns that did not, with a message and tracking values.
$node->safe_psql('postgres', q{
	CREATE TABLE turn (no int PRIMARY KEY, id int, at timestamp, kind text, stage int, reason int, who int, actor int);
	INSERT INTO turn
	SELECT row_number() OVER (ORDER BY at, id), id, at, kind, stage, reason, who, 1 + id % 12 FROM (
		SELECT id, timestamp '2026-07-01 07:00' + id * interval '7 minutes' AS at, 'stage' AS kind, CASE stage_id WHEN 1 THEN 2 WHEN 2 THEN 3 WHEN 3 THEN 5 ELSE 4 END AS stage, NULL::int AS reason, NULL::int AS who FROM crm_lead WHERE active AND stage_id <> 4 AND id % 2 = 0
		UNION ALL SELECT id, timestamp '2026-07-03 07:00' + id * interval '8 minutes', 'lost', NULL, CASE WHEN id % 5 > 0 THEN 1 + id % 4 END, NULL FROM crm_lead WHERE active AND id % 3 = 0
		UNION ALL SELECT id, timestamp '2026-07-06 07:00' + id * interval '8 minutes', 'restore', NULL, NULL, NULL FROM crm_lead WHERE id % 30 = 0
		UNION ALL SELECT id, timestamp '2026-07-02 09:00' + id * interval '3 minutes', 'assign', NULL, NULL, nullif(id % 13, 0) FROM crm_lead WHERE id % 11 = 0
		UNION ALL SELECT id, timestamp '2026-07-08 09:00' + id * interval '3 minutes', 'stage', 1 + id % 6, NULL, NULL FROM crm_lead WHERE id % 17 = 0
		UNION ALL SELECT id, timestamp '2026-07-20 09:00' + id * interval '1 minute', 'lost', NULL, 2, NULL FROM crm_lead WHERE id % 19 = 0
		UNION ALL SELECT 10000 + i, timestamp '2026-07-01 09:00' + i * interval '31 minutes', 'create', 1, NULL, 1 + i % 12 FROM generate_series(1, 500) i
		UNION ALL SELECT 10000 + i, timestamp '2026-07-02 11:00' + i * interval '33 minutes', 'stage', 2, NULL, NULL FROM generate_series(1, 500) i WHERE i % 3 > 0
		UNION ALL SELECT 10000 + i, timestamp '2026-07-09 11:00' + i * interval '33 minutes', 'stage', 3, NULL, NULL FROM generate_series(1, 500) i WHERE i % 5 > 2) t;
	INSERT INTO crm_stage (name, sequence, is_won) VALUES ('{"en_US":"Demo"}', 2, false);
	CREATE TABLE unlinked (LIKE crm_lead);
	CREATE TABLE merged (tail int, head int);
	GRANT SELECT ON turn TO app;

	CREATE FUNCTION message(lead int, at timestamp, by int) RETURNS int LANGUAGE sql AS $f$
		INSERT INTO mail_message (model, res_id, date, create_uid, message_type) VALUES ('crm.lead', lead, at, by, 'notification') RETURNING id $f$;
	CREATE FUNCTION go_on(from_no int, to_no int) RETURNS void LANGUAGE plpgsql AS $f$
	DECLARE
		t record; l crm_lead; m int;
	BEGIN
		FOR t IN SELECT * FROM turn WHERE no BETWEEN from_no AND to_no ORDER BY no LOOP
			IF t.kind = 'create' THEN
				INSERT INTO crm_lead (id, name, user_id, team_id, active, type, priority, stage_id, expected_revenue, prorated_revenue, probability, automated_probability, date_open, date_last_stage_update, create_uid, create_date, write_uid, write_date)
				VALUES (t.id, 'Lead ' || t.id, t.who, 1, true, 'opportunity', '0', t.stage, 0, 0, 10, 10, t.at, t.at, t.actor, t.at, t.actor, t.at);
				CONTINUE;
			END IF;
			SELECT * INTO l FROM crm_lead WHERE id = t.id FOR UPDATE;
			CONTINUE WHEN NOT FOUND;
			IF t.kind = 'stage' AND l.stage_id <> t.stage THEN
				UPDATE "crm_lead" SET "stage_id" = "__tmp"."stage_id"::int4, "probability" = "__tmp"."probability"::float8, "automated_probability" = "__tmp"."automated_probability"::float8, "prorated_revenue" = l.expected_revenue,
					"date_last_stage_update" = "__tmp"."date"::timestamp, "date_closed" = CASE WHEN "__tmp"."stage_id"::int4 = 4 THEN "__tmp"."date"::timestamp END, "write_date" = "__tmp"."date"::timestamp, "write_uid" = "__tmp"."write_uid"::int4
				FROM (VALUES (t.id, t.stage, CASE WHEN t.stage = 4 THEN 100 ELSE 20 END, 20, t.at, t.actor)) AS "__tmp" ("id", "stage_id", "probability", "automated_probability", "date", "write_uid")
				WHERE "crm_lead"."id" = "__tmp"."id";
				m := message(t.id, t.at, t.actor);
				INSERT INTO mail_tracking_value (field_id, mail_message_id, old_value_integer, new_value_integer, old_value_char, new_value_char, create_date, create_uid)
				SELECT 1, m, l.stage_id, t.stage, o.name->>'en_US', n.name->>'en_US', t.at, t.actor FROM crm_stage o, crm_stage n WHERE o.id = l.stage_id AND n.id = t.stage;
			ELSIF t.kind = 'lost' AND l.active THEN
				UPDATE crm_lead SET active = false, probability = 0, automated_probability = 0, lost_reason_id = t.reason, date_closed = t.at, write_uid = t.actor, write_date = t.at WHERE id IN (t.id);
				m := message(t.id, t.at, t.actor);
				INSERT INTO mail_tracking_value (field_id, mail_message_id, old_value_integer, new_value_integer, create_date, create_uid) VALUES (2, m, 1, 0, t.at, t.actor);
				INSERT INTO mail_tracking_value (field_id, mail_message_id, new_value_integer, new_value_char, create_date, create_uid) SELECT 4, m, r.id, r.name->>'en_US', t.at, t.actor FROM crm_lost_reason r WHERE r.id = t.reason;
			ELSIF t.kind = 'restore' AND NOT l.active THEN
				UPDATE crm_lead SET active = true, lost_reason_id = NULL, probability = 10, write_uid = t.actor, write_date = t.at WHERE id IN (t.id);
				m := message(t.id, t.at, t.actor);
				INSERT INTO mail_tracking_value (field_id, mail_message_id, old_value_integer, new_value_integer, create_date, create_uid) VALUES (2, m, 0, 1, t.at, t.actor);
			ELSIF t.kind = 'assign' AND l.user_id IS DISTINCT FROM t.who THEN
				UPDATE crm_lead SET user_id = t.who, date_open = t.at, write_uid = t.actor, write_date = t.at WHERE id IN (t.id);
				m := message(t.id, t.at, t.actor);
				INSERT INTO mail_tracking_value (field_id, mail_message_id, old_value_integer, new_value_integer, create_date, create_uid) VALUES (3, m, l.user_id, t.who, t.at, t.actor);
			END IF;
		END LOOP;
	END $f$;
});
{
	local $ENV{PGUSER} = 'app';
	$node->safe_psql('postgres', "SELECT go_on($_->[0], $_->[1])") foreach [ 1, 10 ], [ 11, 11 ], [ 12, 2000 ];
}
is_value(q{SELECT count(*) FROM align.check('crm_lead')}, '0', 'check is empty while the application goes on');

# The CRM renames a stage; the agreement learns the name.
$node->safe_psql('postgres', q{UPDATE crm_stage SET name = '{"en_US": "Proposal"}' WHERE id = 3});
$node->safe_psql('postgres', "SELECT align.agree('crm', \$agreement\$$agreement Proposition known as 'Proposal';\$agreement\$)");
{
	local $ENV{PGUSER} = 'app';
	$node->safe_psql('postgres', 'SELECT go_on(2001, 1000000)');
}

# What Odoo computes again for all leads, an upsert, duplicates that are merged,
# a lead that is deleted, persons that are forgotten.
$node->safe_psql('postgres', q{
	UPDATE crm_lead SET automated_probability = automated_probability + 1, stage_id = stage_id, active = active, user_id = user_id, lost_reason_id = lost_reason_id;
	INSERT INTO crm_lead (id, name, type, stage_id, active) SELECT id, name, type, 1, true FROM crm_lead WHERE id <= 100 ON CONFLICT (id) DO UPDATE SET name = excluded.name, type = excluded.type;
	INSERT INTO merged SELECT id, id - 1 FROM crm_lead WHERE id % 500 = 41;
	DO $$
	DECLARE m record;
	BEGIN
		FOR m IN TABLE merged LOOP
			INSERT INTO unlinked SELECT * FROM crm_lead WHERE id = m.tail;
			UPDATE crm_lead SET expected_revenue = expected_revenue + 1, write_uid = 2, write_date = '2026-08-20' WHERE id = m.head;
			PERFORM align.merge_leads('crm_lead', m.tail::text, m.head::text);
			DELETE FROM crm_lead WHERE id IN (m.tail);
		END LOOP;
	END $$;
	INSERT INTO unlinked SELECT * FROM crm_lead WHERE id % 700 = 3;
	DELETE FROM crm_lead WHERE id IN (SELECT id FROM unlinked);
	CREATE TABLE forgotten AS SELECT id FROM crm_lead WHERE id % 400 = 7;
	UPDATE crm_lead SET contact_name = NULL, email_from = NULL, phone = NULL, user_id = NULL, description = NULL WHERE id IN (TABLE forgotten);
	SELECT align.forget('crm_lead', id) FROM forgotten;
});

# Plain SQL over the raw tables.
plain_setup($node, 'Europe/Brussels');
$node->safe_psql('postgres', q{
	UPDATE plain.began SET at = '2026-09-01Z';
	INSERT INTO plain.promise VALUES ('offer', 'Qualified', '{Proposition,Lost}', '{New,Demo,Negotiation,Won}', NULL, '5 days', '{Proposition}', '{Lost}'),
		('first_contact', 'New', '{Qualified,Proposition,Negotiation,Won,Lost}', '{}', '8 hours', NULL, NULL, NULL),
		('close', 'Proposition', '{Won}', '{Lost}', NULL, '30 days', NULL, NULL);
	CREATE TABLE plain.lead AS SELECT * FROM crm_lead UNION ALL SELECT * FROM unlinked;
	CREATE TABLE plain.change AS
	SELECT m.res_id AS id, m.date AS at, v.id AS no, v.field_id, v.old_value_char AS before, v.new_value_char AS after, v.old_value_integer AS old, v.new_value_integer AS new,
		(SELECT max(r.new_value_char) FROM mail_tracking_value r WHERE r.mail_message_id = m.id AND r.field_id = 4) AS reason
	FROM mail_tracking_value v JOIN mail_message m ON m.id = v.mail_message_id WHERE v.field_id IN (1, 2, 3);
	CREATE INDEX ON plain.change (id, at, no);
	-- a lead after each change: the latest value of each field
	CREATE TABLE plain.state AS
	SELECT l.id, c.at, c.no, c.reason,
		coalesce((SELECT b.new FROM plain.change b WHERE b.id = l.id AND (b.at, b.no) <= (c.at, c.no) AND b.field_id = 2 ORDER BY b.at DESC, b.no DESC LIMIT 1), 1) = 1 AS active,
		coalesce((SELECT b.after FROM plain.change b WHERE b.id = l.id AND (b.at, b.no) <= (c.at, c.no) AND b.field_id = 1 ORDER BY b.at DESC, b.no DESC LIMIT 1), 'New') AS stage
	FROM plain.lead l, LATERAL (SELECT at, no, CASE WHEN field_id = 2 THEN reason END AS reason FROM plain.change b WHERE b.id = l.id AND field_id < 3 UNION ALL SELECT date_trunc('second', l.create_date), 0, NULL) AS c;
	CREATE TABLE plain.own AS
	SELECT * FROM (SELECT id, at AT TIME ZONE 'UTC' AS at, no, stage, reason, lag(stage) OVER (PARTITION BY id ORDER BY at, no) AS before
		FROM (SELECT id, at, no, CASE WHEN NOT active THEN 'Lost' WHEN stage = 'Proposal' THEN 'Proposition' ELSE stage END AS stage, reason FROM plain.state) s) s
	WHERE stage IS DISTINCT FROM before;
	-- merged: in order of time; ends in the stage of the lead that stays; deleted leads are gone
	CREATE TABLE plain.joined AS
	SELECT coalesce(m.head, id) AS id, at, m.head IS NOT NULL AS late, no, stage, reason, id AS own FROM plain.own LEFT JOIN merged m ON m.tail = id;
	INSERT INTO plain.joined
	SELECT head, f.at, true, 1000000000, w.stage, NULL, head FROM (TABLE merged) m,
		LATERAL (SELECT at, stage FROM plain.joined j WHERE j.id = m.head ORDER BY at DESC, late DESC, no DESC LIMIT 1) f, LATERAL (SELECT stage FROM plain.own o WHERE o.id = m.head ORDER BY at DESC, no DESC LIMIT 1) w WHERE w.stage <> f.stage
	UNION ALL
	SELECT id, 'infinity', true, 1000000000, NULL, NULL, id FROM unlinked WHERE id NOT IN (SELECT tail FROM merged);
	INSERT INTO plain.entry SELECT id, at, row_number() OVER (PARTITION BY id ORDER BY at, late, no), stage,
		CASE WHEN id IN (TABLE forgotten) AND reason NOT IN ('Too expensive', 'We don''t have people/skills', 'Not enough stock') THEN '(forgotten)' ELSE reason END, no FROM plain.joined;
	-- who held a lead
	INSERT INTO plain.holder
	SELECT h.id, h.at AT TIME ZONE 'UTC', h.no, u.login FROM (
		SELECT l.id, date_trunc('second', l.create_date) AS at, 0 AS no, (SELECT CASE WHEN c.id IS NULL THEN l.user_id ELSE c.old END FROM (SELECT) d LEFT JOIN LATERAL (SELECT * FROM plain.change c WHERE c.id = l.id AND c.field_id = 3 ORDER BY at, no LIMIT 1) c ON true) AS person
		FROM plain.lead l
		UNION ALL
		SELECT id, at, no, new FROM plain.change WHERE field_id = 3) h LEFT JOIN res_users u ON u.id = h.person WHERE h.id NOT IN (TABLE forgotten);
	-- each entry of a joined journey has the person that it had, and the last that of the row
	INSERT INTO plain.holder
	SELECT j.id, j.at, j.no, plain.held(j.own::text, j.at, j.no + 1) FROM plain.joined j WHERE j.id IN (SELECT head FROM merged)
	UNION ALL
	SELECT head, (SELECT max(at) FROM plain.joined j WHERE j.id = m.head), 1000000001, plain.held(m.head::text, 'infinity') FROM merged m;
	UPDATE plain.holder SET id = m.head FROM merged m WHERE id = m.tail::text;
});
plain_reports('crm_lead', 'crm_lead_history', 'crm_lead_sla', 'id', 'crm', $as_of);
is_same(q{SELECT id, effective_at AS at, reason FROM crm_lead_history WHERE stage = 'Lost' AND reason IS NOT NULL AND id NOT IN (TABLE forgotten) AND id NOT IN (SELECT tail FROM merged UNION ALL SELECT head FROM merged)},
	q{SELECT id::int, at, reason FROM plain.own WHERE stage = 'Lost' AND reason IS NOT NULL AND id NOT IN (TABLE forgotten) AND id NOT IN (SELECT tail FROM merged UNION ALL SELECT head FROM merged)}, 'reasons are those that were given');
is_value(q{SELECT count(*) FROM crm_lead_history WHERE id IN (TABLE forgotten) AND (assignee IS NOT NULL OR actor IS NOT NULL OR note IS NOT NULL)}, '0', 'persons are forgotten');
is_value(q{SELECT count(*) > 0, bool_and(stage = 'Demo') FROM crm_lead_history WHERE violation LIKE 'unknown_stage%'}, 't|t', 'a stage that the CRM added is unknown');
is_value(q{SELECT count(*) > 1000 FROM crm_lead_history WHERE db_role = 'app'}, 't', 'the application wrote');

$node->stop;
done_testing();
