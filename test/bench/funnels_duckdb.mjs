// test/bench/funnels_duckdb.mjs EVENTS.csv RUNS wall|cpu   the hand-written funnel of
// events.sql in DuckDB with one thread; prints the sum of the levels, then a line of
// milliseconds per run.
import { DuckDBInstance } from '@duckdb/node-api';

const [events, runs, clock] = process.argv.slice(2);
const frame = 'OVER (PARTITION BY lead ORDER BY "at" ROWS UNBOUNDED PRECEDING)';
const next = (from, step, stage) => `(SELECT *, max(s${step - 1}) FILTER (WHERE stage = '${stage}' AND "at" <= s${step - 1} + INTERVAL 30 DAY) ${frame} AS s${step} FROM ${from})`;
const first = `(SELECT *, max("at") FILTER (WHERE stage = 'inquiry') ${frame} AS s1 FROM event)`;
const all = next(next(next(first, 2, 'mql'), 3, 'sal'), 4, 'sql');
const query = `SELECT sum(level)::BIGINT FROM (SELECT max(CASE WHEN s4 IS NOT NULL THEN 4 WHEN s3 IS NOT NULL THEN 3
	WHEN s2 IS NOT NULL THEN 2 WHEN s1 IS NOT NULL THEN 1 ELSE 0 END) AS level FROM ${all} GROUP BY lead)`;

const db = await (await DuckDBInstance.create(':memory:', { threads: '1' })).connect();
await db.run(`CREATE TABLE event AS SELECT lead, epoch_ms(epoch_ms("at")) AS "at", stage FROM read_csv('${events}', header = false,
	columns = {'lead': 'BIGINT', 'at': 'TIMESTAMPTZ', 'stage': 'VARCHAR'})`);

const now = () => {
	const used = process.cpuUsage();
	return clock === 'cpu' ? (used.user + used.system) / 1e3 : Number(process.hrtime.bigint()) / 1e6;
};
const times = [];
for (let run = 0; run <= runs; run++) {
	const began = now();
	const rows = (await db.runAndReadAll(query)).getRows();
	if (run === 0)
		console.log(String(rows[0][0]));
	else
		times.push(now() - began);
}
console.log(times.join(' '));
