// The fake's daemon: serves the pipe directory until it is told to quit.
import { spawnSync } from 'node:child_process';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { answer, servers, startServer, stopServer } from './commands.mjs';
import {
  clientDirectory,
  clientPids,
  endInTime,
  log,
  logDirectory,
  pidFile,
  pipeDirectory,
  privilegedSocket,
  scenario,
} from './surroundings.mjs';

const { neverReady, dieAfterMs, ignoreSigterm, noPidFile } = scenario();
endInTime();
if (ignoreSigterm) process.on('SIGTERM', () => undefined);
if (dieAfterMs !== undefined) setTimeout(() => process.kill(process.pid, 'SIGKILL'), dieAfterMs);

for (const directory of [pipeDirectory, logDirectory, clientDirectory]) mkdirSync(directory, { recursive: true });
const control = join(pipeDirectory, 'control');
for (const left of [control, privilegedSocket, join(pipeDirectory, 'log'), pidFile]) rmSync(left, { force: true });
writeFileSync(join(pipeDirectory, 'control_lock'), '');
spawnSync('mkfifo', [join(pipeDirectory, 'log')]);
if (!noPidFile) writeFileSync(pidFile, String(process.pid));
log('control.log', 'Control', 'CUDA MPS Control binary version: 13000');
log('control.log', 'Control', `Starting control daemon using socket ${control}`);

if (neverReady) setInterval(() => undefined, 1000);
else {
  createServer((socket) => socket.destroy()).listen(control);
  createServer(serve).listen(privilegedSocket);
  setInterval(startForClients, 20);
}

function serve(socket) {
  log('control.log', 'Control', 'Accepting connection...');
  socket.on('error', () => undefined);
  createInterface({ input: socket }).on('line', async (command) => {
    log('control.log', 'Control', `Cmd:${command}`);
    const text = command.startsWith('quit') ? await quit(command) : await answer(command);
    if (text === null) return;
    log('control.log', 'Control', text);
    socket.end(text, () => (command.startsWith('quit') && servers.length === 0 ? leave() : undefined));
  });
}

/** The real one creates a server when the first client asks for one. */
function startForClients() {
  if (servers.length === 0 && clientPids().length > 0) startServer(process.getuid());
}

/** Blocks while clients live; with -t N for N seconds, then servers are forced down. */
async function quit(command) {
  const { hang = [], text = {} } = scenario();
  if (hang.includes('quit')) return null;
  if (text.quit !== undefined) return text.quit;
  const seconds = /^quit -t (\d+)$/.exec(command)?.[1];
  const endMs = seconds === undefined ? Number.POSITIVE_INFINITY : Date.now() + Number(seconds) * 1000;
  while (servers.length > 0 && clientPids().length > 0 && Date.now() < endMs) {
    log('server.log', 'Server', `Server was unable to shutdown due to ${clientPids().length} active clients`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  await Promise.all([...servers].map((server) => stopServer(server, 'SIGKILL')));
  return '';
}

/** Sockets stay behind, pid file and fifo go (driver 580). */
function leave() {
  log('control.log', 'Control', 'Exit with status 0');
  for (const left of [join(pipeDirectory, 'log'), pidFile]) rmSync(left, { force: true });
  rmSync(clientDirectory, { recursive: true, force: true });
  process.kill(process.pid, 'SIGKILL');
}
