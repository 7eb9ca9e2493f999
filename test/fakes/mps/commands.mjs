// What the fake's daemon knows and answers: servers, clients, settings, in the words of driver 580.159.04.
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { fileURLToPath } from 'node:url';
import { clientPids, log, scenario } from './surroundings.mjs';

const uuid = process.env.CUDA_VISIBLE_DEVICES?.startsWith('GPU-')
  ? process.env.CUDA_VISIBLE_DEVICES
  : 'GPU-5afed850-f18f-04df-cd01-003e98376e18';
const deviceName = 'NVIDIA H100 80GB HBM3';
const serverStartMs = 20;

export const servers = [];
const defaults = { percentage: Number(process.env.CUDA_MPS_ACTIVE_THREAD_PERCENTAGE ?? 100), priority: '0' };
const pinnedLimits = new Map();

/** Text of the answer without its last newline; null = never. */
export async function answer(line) {
  const [name = '', ...words] = line.trim().split(/\s+/);
  const { hang = [], text = {} } = scenario();
  if (hang.includes(name)) return null;
  if (text[name] !== undefined) return text[name];
  const command = commands[name];
  return command ? command(...words) : `Unknown command "${name}"`;
}

export function startServer(uid) {
  const program = fileURLToPath(new URL('./server.mjs', import.meta.url));
  const options = { argv0: 'nvidia-cuda-mps-server', detached: true, stdio: 'ignore', cwd: '/' };
  const child = spawn(process.execPath, [program], options);
  const server = { pid: child.pid, child, status: 'INITIALIZING', percentage: defaults.percentage };
  servers.push(server);
  log('control.log', 'Control', `Starting new server ${child.pid} for user ${uid}`);
  setTimeout(() => {
    server.status = 'ACTIVE';
    log('control.log', 'Control', `NEW SERVER ${child.pid}: Ready`);
  }, serverStartMs);
  child.on('exit', () => {
    log('control.log', 'Control', `Server ${child.pid} exited with status 0`);
    servers.splice(servers.indexOf(server), 1);
  });
}

export function stopServer(server, signal) {
  return new Promise((resolve) => {
    server.child.on('exit', resolve);
    server.child.kill(signal);
  });
}

const percentText = (value) => value.toFixed(1);
const inRange = (text) => Number(text) > 0 && Number(text) <= 100;

/** Runs the action on a server, or says as the real one does that there is none. */
function withServer(pid, action) {
  const server = servers.find((candidate) => candidate.pid === Number(pid));
  return server ? action(server) : `Server ${pid} not found`;
}

const commands = {
  get_server_list: () => servers.map(({ pid }) => pid).join('\n'),
  get_server_status: (pid) => withServer(pid, ({ status }) => scenario().serverStatus ?? status),
  start_server: (_option, uid) => {
    if (servers.length === 0 && !scenario().noServer) startServer(uid);
    return '';
  },
  shutdown_server: (pid, force) =>
    withServer(pid, async (server) => {
      if (force !== '-f' && clientPids().length > 0) return null;
      await stopServer(server, 'SIGKILL');
      return '';
    }),
  get_client_list: (pid) => withServer(pid, () => clientPids().join('\n')),
  get_device_client_list: (pid) => (pid === undefined ? '' : withServer(pid, deviceClients)),
  ps: () => (servers.length === 0 ? 'Server not found' : table()),
  get_default_active_thread_percentage: () => percentText(defaults.percentage),
  set_default_active_thread_percentage: (value) => {
    if (inRange(value)) defaults.percentage = Number(value);
    return percentText(defaults.percentage);
  },
  get_active_thread_percentage: (pid) => withServer(pid, ({ percentage }) => percentText(percentage)),
  set_active_thread_percentage: (pid, value) =>
    withServer(pid, (server) => {
      if (inRange(value)) server.percentage = Number(value);
      return percentText(server.percentage);
    }),
  get_default_device_pinned_mem_limit: (device) => pinnedLimits.get(device) ?? '',
  set_default_device_pinned_mem_limit: (device, limit) => {
    pinnedLimits.set(device, limit);
    return '';
  },
  get_default_client_priority: () => defaults.priority,
  set_default_client_priority: (priority) => {
    defaults.priority = priority;
    return '';
  },
  terminate_client: (pid, client) =>
    withServer(pid, () => {
      process.kill(Number(client), 'SIGTERM');
      return '0';
    }),
  device_query: () => deviceTables().join('\n'),
};

function deviceClients() {
  const clients = clientPids();
  return clients.length === 0 ? '' : [`[0] 00:00.0, ${deviceName}`, ...clients.map((pid) => `${pid}.1`)].join('\n');
}

/** Widths as printed by driver 580; the eight columns are those of a later program, and not measured. */
function table() {
  const widths = [10, 10, 15, 26, 15, 15];
  const clients = clientPids();
  if (clients.length === 0) return '';
  const rows = clients.map((pid, index) => [pid, index + 1, servers[0].pid, uuid.slice(0, 22), 4026531836, name(pid)]);
  const head = ['PID', 'ID', 'SERVER', 'DEVICE', 'NAMESPACE', 'COMMAND'];
  const wide = scenario().wideTable
    ? { head: ['STATUS', 'ATTRIBUTES'], row: ['ACTIVE', 'N/A'] }
    : { head: [], row: [] };
  const print = (cells) => cells.map((cell, index) => String(cell).padEnd(widths[index] ?? 15)).join('');
  return [print([...head, ...wide.head]), ...rows.map((row) => print([...row, ...wide.row]))].join('\n');
}

function name(pid) {
  try {
    return basename(readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0')[0]);
  } catch {
    return 'N/A';
  }
}

function deviceTables() {
  const head =
    'Device Ordinal  PCI IDs        UUID                                      Name                              Attributes';
  const row = `0               0000:00.06.00  ${uuid}  ${deviceName.padEnd(34)}N/A`;
  return ['Default', head, row, ...servers.flatMap(({ pid }) => ['', `Server ${pid}`, head, row])];
}
