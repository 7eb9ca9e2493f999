/**
 * What the undici engine costs: requests per second and client CPU per request against a server that answers at once.
 * Run with `node --import tsx bench/load-overhead.ts`; generator and server need a core each.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { formatDuration, formatRate, ns, seconds } from '../lib/core/units.ts';
import { loadDefaults, runLoad } from '../lib/load/run-load.ts';

const nullServer = `
const server = require('node:http').createServer((request, response) => {
  request.resume();
  response.end('ok');
});
server.listen(0, '127.0.0.1', () => console.log(server.address().port));
`;

async function measure(url: string, connections: number, bodyBytes: number): Promise<string> {
  const { summary } = await runLoad(
    {
      ...loadDefaults,
      url,
      method: bodyBytes > 0 ? 'POST' : 'GET',
      bodies: bodyBytes > 0 ? [new Uint8Array(bodyBytes)] : [],
      loop: { kind: 'closed', concurrency: connections },
      warmupNs: seconds(1),
      stop: { kind: 'duration', durationNs: seconds(3) },
    },
    { signal: new AbortController().signal },
  );
  const { measurement, generator } = summary;
  return [
    String(connections).padStart(11),
    String(bodyBytes).padStart(10),
    formatRate(measurement.throughputPerSecond).padStart(14),
    formatDuration(ns(measurement.responseTime.p50Ns ?? 0)).padStart(10),
    formatDuration(ns(generator.cpuPerRequestNs ?? 0)).padStart(15),
    (generator.littlesLawRatio ?? 0).toFixed(2).padStart(13),
  ].join('  ');
}

const server = spawn(process.execPath, ['-e', nullServer], { stdio: ['ignore', 'pipe', 'inherit'] });
try {
  const [port] = await once(server.stdout, 'data');
  const url = `http://127.0.0.1:${String(port).trim()}/`;
  console.log("connections  body bytes      throughput         p50  CPU per request  Little's law");
  for (const bodyBytes of [0, 150 * 1024]) {
    for (const connections of [1, 8, 64]) console.log(await measure(url, connections, bodyBytes));
  }
} finally {
  server.kill();
}
