/**
 * Runs a load generator of npm in this process, so that its CPU is read as mpsbench reads its own: over the measurement,
 * after a second of warm-up. Also what no generator on Node, or on undici, goes below: loops that record nothing.
 * Arguments: folder of its packages, its name, URL, connections, seconds, body file.
 */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import net from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
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
  // A client of undici for each connection, on Node's sockets, with a handler that does nothing but ask again.
  undici: async (seconds) => {
    const { Client } = createRequire(import.meta.url)('undici');
    const options = { path: '/', method: 'POST', headers: ['content-type', contentType], body };
    const counts = { ok: 0, failed: 0 };
    const clients = Array.from({ length: Number(connections) }, () => {
      const client = new Client(new URL(url).origin, { headersTimeout: 0, bodyTimeout: 0 });
      const handler = {
        onConnect: () => {},
        onHeaders: () => true,
        onData: () => true,
        onComplete: () => {
          counts.ok++;
          client.dispatch(options, handler);
        },
        onError: () => void counts.failed++,
      };
      client.dispatch(options, handler);
      return client;
    });
    await sleep(1000 * seconds);
    const counted = { ...counts };
    await Promise.all(clients.map((client) => client.destroy()));
    return counted;
  },
  // Writes the same bytes and takes whatever is read for a reply, in the cheapest way that Node has.
  sockets: async (seconds) => {
    const { host, hostname, port } = new URL(url);
    const head = `POST / HTTP/1.1\r\nhost: ${host}\r\ncontent-type: ${contentType}\r\ncontent-length: ${body.length}\r\n\r\n`;
    const request = Buffer.concat([Buffer.from(head), body]);
    const buffer = Buffer.allocUnsafeSlow(64 * 1024);
    const counts = { ok: 0, failed: 0 };
    const sockets = Array.from({ length: Number(connections) }, () => {
      const callback = () => {
        counts.ok++;
        return socket.write(request) || true;
      };
      const socket = net.connect({ host: hostname, port: Number(port), noDelay: true, onread: { buffer, callback } });
      socket.on('error', () => void counts.failed++);
      return socket.on('connect', () => socket.write(request));
    });
    await sleep(1000 * seconds);
    for (const socket of sockets) socket.destroy();
    return counts;
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
