/** Ten thousand connections at a time: that they are made, and what they cost in memory. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { it } from 'node:test';
import { cliEnvironment, finished, mainPath } from '../cli/run-cli.ts';

const connections = 10_000;
/** The undici engine takes 160 to 200 MiB with Node 20, and took over 400 before it spared memory. */
const engines = [
  { engine: 'native', mostResidentMib: 200 },
  { engine: 'undici', mostResidentMib: 250 },
] as const;

const limit = Number(/^Max open files +(\d+)/m.exec(readFileSync('/proc/self/limits', 'latin1'))?.[1] ?? 0);
const needed = connections + 200;
const skip = limit >= needed ? false : `this process may open ${limit} files and ${needed} are needed (ulimit -n)`;

const server = `
  const reply = 'HTTP/1.1 200 OK\\r\\ncontent-length: 2\\r\\n\\r\\nok';
  const listener = require('node:net').createServer((socket) => {
    socket.on('error', () => {});
    socket.on('data', () => socket.write(reply));
  });
  listener.listen({ host: '127.0.0.1', port: 0, backlog: 4096 }, () => console.log(listener.address().port));
`;
const tellHighWater = `
  import { readFileSync } from 'node:fs';
  process.on('exit', () => process.stderr.write(readFileSync('/proc/self/status', 'latin1')));
`;

for (const { engine, mostResidentMib } of engines) {
  it(`${connections} connections are made within ${mostResidentMib} MiB (${engine})`, { skip }, async () => {
    const child = spawn(process.execPath, ['-e', server], { stdio: ['ignore', 'pipe', 'inherit'] });
    try {
      const [port] = await once(child.stdout, 'data');
      const url = `http://127.0.0.1:${String(port).trim()}/`;
      const argv = [
        'load',
        url,
        '-c',
        String(connections),
        '-n',
        '30000',
        '--timeout',
        '2m',
        '--engine',
        engine,
        '--json',
      ];
      const preload = `data:text/javascript,${encodeURIComponent(tellHighWater)}`;
      const options = { env: cliEnvironment(), stdio: 'pipe' } as const;
      const ran = await finished(spawn(process.execPath, ['--import', preload, mainPath, ...argv], options));
      const { summary } = JSON.parse(ran.stdout);
      // More connections at once than the listening queue holds: the kernel may reset one of them.
      const { ok, reset } = summary.measurement.outcomes;
      assert.equal(ok + reset, 30_000, JSON.stringify(summary.measurement.outcomes));
      assert.ok(reset <= 30, `${reset} resets`);
      assert.equal(summary.generator.inFlightMax, connections);
      const residentMib = Number(/^VmHWM:\s+(\d+) kB/m.exec(ran.stderr)?.[1]) / 1024;
      assert.ok(residentMib <= mostResidentMib, `${residentMib} MiB resident at most`);
    } finally {
      child.kill();
    }
  });
}
