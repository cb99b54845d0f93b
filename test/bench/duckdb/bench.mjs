// Compares unit_agg with DuckDB: the data travels from the server as CSV into a native table on disk, the fastest of several
// ways of writing the query is taken, answers are compared, then both sides run in turn.
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { DuckDBInstance } from '@duckdb/node-api';

const rounds = Number(process.env.BENCH_ROUNDS ?? 7);

// One psql for all statements; each answer is its lines up to a mark.
const psql = spawn('psql', ['-XqAt', '-v', 'ON_ERROR_STOP=1'], { stdio: ['pipe', 'pipe', 'inherit'] });
const lines = createInterface({ input: psql.stdout })[Symbol.asyncIterator]();
async function server(sql) {
  psql.stdin.write(`${sql}\n\\echo <end>\n`);
  const answer = [];
  for (;;) {
    const { value, done } = await lines.next();
    if (done) throw new Error('psql has ended');
    if (value === '<end>') return answer;
    answer.push(value);
  }
}

function copy(query, file) {
  return new Promise((resolve, reject) => {
    const child = spawn('psql', ['-Xq', '-c', `\\copy (${query}) to '${file}' (format csv)`], { stdio: 'inherit' });
    child.on('exit', (code) => (code === 0 ? resolve() : reject(new Error(`psql: ${code}`))));
  });
}

const instance = await DuckDBInstance.create('bench.duckdb');
const duck = await instance.connect();
const version = (await duck.runAndReadAll('SELECT version()')).getRows()[0][0];

async function load(table, query, columns, select) {
  const sent = copy(query, `${table}.csv`);
  await duck.run(`CREATE TABLE ${table} AS SELECT ${select} FROM read_csv('${table}.csv', header = false, auto_detect = false, parallel = false, columns = ${columns})`);
  await sent;
}
await load('exposure', `SELECT user_id, variation, (extract(epoch FROM at) * 1000000)::bigint FROM bench_exposure`,
  `{'user_id': 'BIGINT', 'variation': 'VARCHAR', 'us': 'BIGINT'}`, `'user-' || user_id AS user_key, user_id, variation, make_timestamptz(us) AS exposed_at`);
await load('event', `SELECT user_id, event_name, value, (extract(epoch FROM occurred_at) * 1000000)::bigint FROM bench_event`,
  `{'user_id': 'BIGINT', 'event_name': 'VARCHAR', 'value': 'DOUBLE', 'us': 'BIGINT'}`, `'user-' || user_id AS user_key, user_id, event_name, value, make_timestamptz(us) AS occurred_at`);
await duck.run('CHECKPOINT');

// Ways to find first exposures, and to sum events: with the users who did nothing joined in, or added by count.
const firsts = [
  (key) => `SELECT ${key}, min(exposed_at) AS exposed_at, min(variation) AS variation FROM exposure GROUP BY ${key} HAVING count(DISTINCT variation) = 1`,
  (key) => `SELECT ${key}, min(exposed_at) AS exposed_at, min(variation) AS variation FROM exposure GROUP BY ${key} HAVING min(variation) = max(variation)`,
  (key) => `SELECT ${key}, min(exposed_at) AS exposed_at, arg_min(variation, exposed_at) AS variation FROM exposure GROUP BY ${key} HAVING min(variation) = max(variation)`,
];
const sums = [
  (key, first) => `WITH first AS (${first}), per_user AS (SELECT f.variation, f.${key}, coalesce(sum(e.value), 0) AS y
    FROM first f LEFT JOIN event e ON e.${key} = f.${key} AND e.occurred_at >= f.exposed_at AND e.event_name = 'buy' GROUP BY f.variation, f.${key})
    SELECT variation, count(*) AS users, avg(y) AS mean, stddev_samp(y) AS stddev FROM per_user GROUP BY variation ORDER BY variation`,
  (key, first) => `WITH first AS MATERIALIZED (${first}), per_user AS (SELECT f.${key}, any_value(f.variation) AS variation, sum(e.value) AS y
    FROM event e JOIN first f ON e.${key} = f.${key} AND e.occurred_at >= f.exposed_at WHERE e.event_name = 'buy' GROUP BY f.${key}),
    s AS (SELECT variation, sum(y) AS y, sum(y * y) AS yy FROM per_user GROUP BY variation), n AS (SELECT variation, count(*) AS n FROM first GROUP BY variation)
    SELECT variation, n AS users, y / n AS mean, sqrt((yy - y * y / n) / (n - 1)) AS stddev FROM n JOIN s USING (variation) ORDER BY variation`,
];

async function run(sql, threads) {
  await duck.run(`SET threads = ${threads}`);
  const wall = process.hrtime.bigint();
  const cpu = process.cpuUsage();
  const rows = (await duck.runAndReadAll(sql)).getRows();
  const used = process.cpuUsage(cpu);
  return { rows, cpu: (used.user + used.system) / 1000, wall: Number(process.hrtime.bigint() - wall) / 1e6 };
}

async function best(key) {
  let fastest;
  for (const first of firsts) {
    for (const sum of sums) {
      const sql = sum(key, first(key));
      await run(sql, 1);
      const { cpu, rows } = await run(sql, 1);
      if (!fastest || cpu < fastest.cpu) fastest = { sql, cpu, rows };
    }
  }
  return fastest;
}

// One process reads the map where it was made; workers get it as a parameter.
function ours(key) {
  return `SELECT s.variation, featbit.n(s.stats), featbit.mean(s.stats), featbit.stddev(s.stats)
    FROM (SELECT featbit.exposure_map(${key}, at, variation) AS map FROM bench_exposure) m
    CROSS JOIN LATERAL (SELECT featbit.unit_agg(m.map, e.${key}, e.occurred_at, e.value) AS state FROM bench_event e WHERE e.event_name = 'buy') a
    CROSS JOIN LATERAL featbit.unit_stats(m.map, a.state) s ORDER BY 1`.replace(/\s+/g, ' ');
}
function oursParallel(key) {
  return `WITH m AS MATERIALIZED (SELECT featbit.exposure_map(${key}, at, variation) AS map FROM bench_exposure)
    SELECT s.variation, featbit.n(s.stats), featbit.mean(s.stats), featbit.stddev(s.stats)
    FROM (SELECT featbit.unit_agg((SELECT map FROM m), e.${key}, e.occurred_at, e.value) AS state FROM bench_event e WHERE e.event_name = 'buy') a
    CROSS JOIN LATERAL featbit.unit_stats((SELECT map FROM m), a.state) s ORDER BY 1`.replace(/\s+/g, ' ');
}
const quote = (sql) => `'${sql.replaceAll("'", "''")}'`;
const median = (list) => [...list].sort((a, b) => a - b)[Math.floor(list.length / 2)];
const close = (a, b) => Math.abs(a - b) <= 1e-9 * Math.abs(b);

await server(`SET work_mem = '1GB'; SET jit = off; SET min_parallel_table_scan_size = 0; SET parallel_setup_cost = 0; SET parallel_tuple_cost = 0;`);
console.log(`DuckDB ${version}, ${rounds} rounds`);
for (const [kind, key] of [['text', 'user_key'], ['bigint', 'user_id']]) {
  const theirs = await best(key);
  await server('SET max_parallel_workers_per_gather = 0;');
  const answer = (await server(`${ours(key)};`)).map((line) => line.split('|'));
  const same = answer.length === theirs.rows.length && answer.every((row, i) => row[0] === theirs.rows[i][0] && Number(row[1]) === Number(theirs.rows[i][1]) &&
    close(Number(row[2]), theirs.rows[i][2]) && close(Number(row[3]), theirs.rows[i][3]));
  if (!same) throw new Error(`answers differ: ${JSON.stringify(answer)} and ${theirs.rows}`);
  const one = { ours: [], theirs: [], ratio: [] };
  const two = { ours: [], theirs: [], ratio: [] };
  for (let i = 0; i < rounds; i++) {
    await server('SET max_parallel_workers_per_gather = 0;');
    const a = Number((await server(`SELECT bench.time(${quote(ours(key))}, false);`))[0]);
    const b = (await run(theirs.sql, 1)).cpu;
    await server('SET max_parallel_workers_per_gather = 2;');
    const c = Number((await server(`SELECT bench.time(${quote(oursParallel(key))}, true);`))[0]);
    const d = (await run(theirs.sql, 2)).wall;
    one.ours.push(a); one.theirs.push(b); one.ratio.push(a / b);
    two.ours.push(c); two.theirs.push(d); two.ratio.push(c / d);
  }
  const line = (what, s) => console.log(`${kind} keys, ${what}: ${median(s.ours).toFixed(0)} ms against ${median(s.theirs).toFixed(0)} ms, ratio ${median(s.ratio).toFixed(3)} (${Math.min(...s.ratio).toFixed(2)}-${Math.max(...s.ratio).toFixed(2)})`);
  line('same answer; CPU of one thread', one);
  line('wall time, 2 workers and 2 threads', two);
}
psql.stdin.end();
duck.closeSync();
