// What the processes of the fake share: directories, scenario, clients, log lines.
import { appendFileSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

export const pipeDirectory = process.env.CUDA_MPS_PIPE_DIRECTORY ?? '/tmp/nvidia-mps';
export const logDirectory = process.env.CUDA_MPS_LOG_DIRECTORY ?? '/var/log/nvidia-mps';
export const privilegedSocket = join(pipeDirectory, 'control_privileged');
export const pidFile = join(pipeDirectory, 'nvidia-cuda-mps-control.pid');
export const clientDirectory = join(pipeDirectory, 'clients');

const lifeLimitMs = 120_000;

/** Whatever a test forgets ends by itself. */
export function endInTime() {
  setTimeout(() => process.exit(1), lifeLimitMs).unref();
}

export function scenario() {
  const path = process.env.FAKE_MPS_SCENARIO;
  return path ? JSON.parse(readFileSync(path, 'utf8')) : {};
}

/** PIDs of registered clients that run, in the order in which they came; files of dead ones do not count. */
export function clientPids() {
  try {
    return readdirSync(clientDirectory).map(Number).filter(runs);
  } catch {
    return [];
  }
}

export function register(pid) {
  writeFileSync(join(clientDirectory, String(pid)), '');
}

export function runs(pid) {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return !/^[ZX]/.test(stat.slice(stat.lastIndexOf(')') + 2));
  } catch {
    return false;
  }
}

/** "[2026-11-22 09:39:36.862 Server   869] message", as driver 580 writes it. */
export function log(file, who, message) {
  const at = new Date().toISOString().replace('T', ' ').replace('Z', '');
  try {
    appendFileSync(join(logDirectory, file), `[${at} ${who} ${String(process.pid).padStart(5)}] ${message}\n`);
  } catch {
    // The directory is gone: nobody will read it.
  }
}
