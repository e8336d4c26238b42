-- The verdict alone: the same UPDATE under the same WHEN, with a trigger that does
-- nothing and one that judges and records nothing (verdict.c).
LOAD 'align';
CREATE FUNCTION bench.nothing() RETURNS trigger AS :'library', 'bench_nothing' LANGUAGE C;
CREATE FUNCTION bench.verdict() RETURNS trigger AS :'library', 'bench_verdict' LANGUAGE C;
CREATE TRIGGER nothing AFTER UPDATE ON bench.noop FOR EACH ROW WHEN (old.stage IS DISTINCT FROM new.stage) EXECUTE FUNCTION bench.nothing();
-- Attached, so that there is something to judge by; its own triggers are off.
SELECT align.attach('bench.judged', 'bench_leads') \g /dev/null
ALTER TABLE bench.judged DISABLE TRIGGER USER;
CREATE TRIGGER verdict AFTER UPDATE ON bench.judged FOR EACH ROW WHEN (old.stage IS DISTINCT FROM new.stage) EXECUTE FUNCTION bench.verdict();

CALL bench.measure('verdict', :runs,
	'verdict', 'UPDATE bench.judged SET stage = CASE stage WHEN ''mql'' THEN ''sal'' WHEN ''sal'' THEN ''nurture'' ELSE ''mql'' END',
	'nothing', 'UPDATE bench.noop SET stage = CASE stage WHEN ''mql'' THEN ''sal'' WHEN ''sal'' THEN ''nurture'' ELSE ''mql'' END');
INSERT INTO bench.line (what, ours, against, ratio, aim, ok)
SELECT 'UPDATE: verdict alone', bench.show('verdict', 'verdict'), 'no-op C trigger, same WHEN: ' || bench.show('verdict', 'nothing'),
	round(ratio::numeric, 2) || ' x the time', '<= 1.1 x', ratio <= 1.1
FROM (SELECT bench.median('verdict', 'verdict') / bench.median('verdict', 'nothing') AS ratio) r;
