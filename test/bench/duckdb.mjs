// test/bench/duckdb.mjs EVENTS.csv RUNS wall|cpu   the hand-written funnel of conversion.sql
// in DuckDB with one thread; prints the reached counts, then a line of
// milliseconds per run.
import { DuckDBInstance } from '@duckdb/node-api';

const [events, runs, clock] = process.argv.slice(2);
const steps = ['inquiry', 'mql', 'sal', 'sql', 'opportunity', 'customer'];
const ctes = steps.map((stage, i) => i === 0
	? `s0 AS (SELECT lead, min("at") AS "at" FROM event WHERE stage = '${stage}' GROUP BY lead)`
	: `s${i} AS (SELECT lead, min(e."at") AS "at" FROM s${i - 1} p JOIN event e USING (lead) WHERE e.stage = '${stage}' AND e."at" >= p."at" GROUP BY lead)`);
const query = `WITH ${ctes.join(', ')} SELECT ${steps.map((_, i) => `(SELECT count(*) FROM s${i})::INT`).join(', ')}`;

const db = await (await DuckDBInstance.create(':memory:', { threads: '1' })).connect();
await db.run(`CREATE TABLE event AS SELECT * FROM read_csv('${events}', header = false,
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
		console.log(`{${rows[0].join(',')}}`);
	else
		times.push(now() - began);
}
console.log(times.join(' '));
