// test/bench/funnels_chdb.mjs EVENTS.csv RUNS wall|cpu   windowFunnel in ClickHouse with
// one thread; prints the sum of the levels, then a line of milliseconds per run.
import { createRequire } from 'node:module';

const { Session } = createRequire(import.meta.url)('chdb');
const [events, runs, clock] = process.argv.slice(2);
const session = new Session();

session.query(`CREATE DATABASE bench ENGINE = Atomic`);
session.query(`CREATE TABLE bench.event (lead Int64, at DateTime, stage LowCardinality(String)) ENGINE = MergeTree ORDER BY tuple()`);
session.query(`INSERT INTO bench.event SELECT lead, parseDateTimeBestEffort(at), stage FROM file('${events}', 'CSV', 'lead Int64, at String, stage String')
	SETTINGS max_threads = 1, max_insert_threads = 1`);

const query = `SELECT sum(level) FROM (SELECT windowFunnel(2592000)(at, stage = 'inquiry', stage = 'mql', stage = 'sal', stage = 'sql') AS level
	FROM bench.event GROUP BY lead) SETTINGS max_threads = 1`;
const now = () => {
	const used = process.cpuUsage();
	return clock === 'cpu' ? (used.user + used.system) / 1e3 : Number(process.hrtime.bigint()) / 1e6;
};
const times = [];
for (let run = 0; run <= runs; run++) {
	const began = now();
	const sum = session.query(query, 'TSV');
	if (run === 0)
		console.log(String(sum).trim());
	else
		times.push(now() - began);
}
console.log(times.join(' '));
session.cleanup();
