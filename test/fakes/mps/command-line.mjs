// The command line of the fake: -v, -d, or commands on standard input, one a line.
import { spawn } from 'node:child_process';
import { connect } from 'node:net';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { endInTime, pipeDirectory, privilegedSocket, scenario } from './surroundings.mjs';

endInTime();
process.title = 'nvidia-cuda-mps-control'; // found by that name, as the real one is
const option = process.argv[2];
if (option === '-v') printVersion();
else if (option === '-d') process.exitCode = await startDaemon();
else process.exitCode = await converse();

function printVersion() {
  console.log('CUDA MPS Control for Linux/Unix/QNX. Binary version: 13000');
  console.log('Copyright (C) 2003 - 2025 NVIDIA Corporation.\n');
}

async function startDaemon() {
  const { startDenied, neverReady, hang = [] } = scenario();
  if (hang.includes('-d')) await delay(60_000);
  if (startDenied) {
    console.log(startDenied);
    return 1;
  }
  const other = await connection();
  if (other) {
    other.destroy();
    console.log('An instance of this daemon is already running');
    return 1;
  }
  const daemon = fileURLToPath(new URL('./daemon.mjs', import.meta.url));
  const options = { argv0: 'nvidia-cuda-mps-control', detached: true, stdio: 'ignore', cwd: '/' };
  spawn(process.execPath, [daemon, '-d'], options).unref();
  while (!neverReady) {
    const socket = await connection();
    if (socket) {
      socket.destroy();
      return 0;
    }
    await delay(5);
  }
  return 0;
}

async function converse() {
  for await (const command of createInterface({ input: process.stdin })) {
    const socket = await connection();
    if (!socket) {
      console.log('Cannot find MPS control daemon process');
      return 1;
    }
    const text = await exchange(socket, command);
    if (text !== '') console.log(text);
  }
  return 0;
}

function connection() {
  return new Promise((resolve) => {
    const socket = connect(privilegedSocket);
    socket.on('connect', () => resolve(socket));
    socket.on('error', () => resolve(null));
  });
}

/** One line there, the answer until the daemon closes. */
function exchange(socket, command) {
  return new Promise((resolve) => {
    let text = '';
    socket.setEncoding('utf8');
    socket.on('data', (chunk) => {
      text += chunk;
    });
    socket.on('close', () => resolve(text));
    socket.write(`${command}\n`);
  });
}

process.on('uncaughtException', (error) => {
  console.log(`fake-mps-control in ${pipeDirectory}: ${error.stack}`);
  process.exit(1);
});
