/**
 * What one request costs the front process of the embedded server, with workers that answer at once.
 * Run: node --import tsx bench/embedded-front.ts [seconds]
 */
import { readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { Pool } from 'undici';
import { systemClock } from '../lib/core/clock.ts';
import { emergencyStops } from '../lib/core/emergency.ts';
import { seconds } from '../lib/core/units.ts';
import { embeddedServerSchema } from '../lib/records/server-plans/embedded.ts';
import type { RunningServer } from '../lib/server/adapter.ts';
import { embeddedAdapter } from '../lib/server/embedded.ts';

// USER_HZ: the unit of /proc/PID/stat on every Linux that matters.
const ticksPerSecond = 100;
const connections = 32;
const spanNs = seconds(Number(process.argv[2] ?? 5));

/** User and system time of a process so far. */
function cpuSeconds(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? [];
  return (Number(fields[11]) + Number(fields[12])) / ticksPerSecond;
}

async function keepAsking(pool: Pool, server: RunningServer, untilStopped: AbortSignal): Promise<number> {
  const { pathname } = new URL(server.request.url);
  const { headers, method } = server.request;
  let answered = 0;
  while (!untilStopped.aborted) {
    const body = server.sampleBodies[answered % server.sampleBodies.length] ?? null;
    const reply = await pool.request({ path: pathname, method: method as 'POST', headers, body });
    await reply.body.dump();
    answered++;
  }
  return answered;
}

async function measure(workers: number, batchSize: number, logDirectory: string): Promise<void> {
  const plan = embeddedServerSchema.parse({ kind: 'embedded', workload: 'fixed:0us', maxBatchDelay: '1ms' });
  await using server = await embeddedAdapter(plan, { cudaPath: null }).start({
    workers,
    batchSize,
    environment: {},
    unsetEnvironment: [],
    deviceUuid: null,
    logDirectory,
    readyTimeoutNs: seconds(60),
    signal: new AbortController().signal,
    emergency: emergencyStops(),
  });
  const pool = new Pool(new URL(server.request.url).origin, { connections });
  const pid = server.otherPids[0] as number;
  const stop = new AbortController();
  const cpuBefore = cpuSeconds(pid);
  const origin = systemClock.origin();
  const clients = Array.from({ length: connections }, () => keepAsking(pool, server, stop.signal));
  await systemClock.sleep(spanNs);
  stop.abort();
  const answered = (await Promise.all(clients)).reduce((sum, count) => sum + count, 0);
  const wallSeconds = systemClock.offsetNs(origin) / 1e9;
  const perRequestSeconds = (cpuSeconds(pid) - cpuBefore) / answered;
  await pool.close();
  console.log(
    `workers ${workers} batch ${batchSize}: ${(answered / wallSeconds).toFixed(0)} requests/s here, ` +
      `${(perRequestSeconds * 1e6).toFixed(0)} us of the front's CPU per request, ` +
      `hence at most ${(1 / perRequestSeconds).toFixed(0)} requests/s on one core`,
  );
}

const directory = await mkdtemp(join(tmpdir(), 'mpsbench-bench-'));
for (const [workers, batchSize] of [
  [1, 1],
  [2, 1],
  [1, 8],
  [2, 8],
] as const) {
  await measure(workers, batchSize, directory);
}
await rm(directory, { recursive: true });
