/**
 * Runs a load generator of npm in this process, so that its CPU is read as mpsbench reads its own: over the measurement,
 * after a second of warm-up. Arguments: folder of its packages, its name, URL, connections, seconds, body file.
 */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

const [folder, name, url, connections, seconds, bodyFile] = process.argv.slice(2);
const contentType = 'application/octet-stream';
const body = readFileSync(bodyFile);
const resolve = createRequire(pathToFileURL(join(folder, 'package.json'))).resolve;

/** Requests that were answered well, and those that were not. */
const peers = {
  autocannon: async (duration) => {
    const { default: autocannon } = await import(pathToFileURL(resolve('autocannon')).href);
    const options = { method: 'POST', headers: { 'content-type': contentType }, body, duration, timeout: 30 };
    const { requests, errors, non2xx } = await autocannon({ url, connections: Number(connections), ...options });
    return { ok: requests.total - non2xx, failed: errors + non2xx };
  },
  loadtest: async (maxSeconds) => {
    const { loadTest } = await import(pathToFileURL(resolve('loadtest')).href);
    // Its own client over bare sockets, which costs a fraction of what its default does.
    const how = { agentKeepAlive: true, tcp: true, quiet: true };
    const options = { method: 'POST', contentType, body: body.toString(), maxSeconds, ...how };
    const { totalRequests, totalErrors } = await loadTest({ url, concurrency: Number(connections), ...options });
    return { ok: totalRequests - totalErrors, failed: totalErrors };
  },
};

const run = peers[name];
await run(1);
const before = process.cpuUsage();
const startNs = process.hrtime.bigint();
const { ok, failed } = await run(Number(seconds));
const used = process.cpuUsage(before);
const elapsedNs = Number(process.hrtime.bigint() - startNs);
const result = { ok, failed, requestsPerSecond: (ok * 1e9) / elapsedNs, cpuPerRequestNs: (used.user + used.system) * (1e3 / ok) };
process.stdout.write(`\n${JSON.stringify(result)}\n`);
process.exit(0);
