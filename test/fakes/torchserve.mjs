/**
 * Stands in for the torchserve program where a fault can not be had of the real one: a launcher, a front end with the
 * three APIs, and workers that leave when the front end is gone. What it answers was recorded from the real one.
 * FAKE_TORCHSERVE: serves · dies (says why before anything is bound) · silent (never ready) · never-scales (keeps one
 * worker and says otherwise) · no-room (the workers do not fit) · no-room-to-scale (a second one does not) · stubborn
 * (no process of it ends when it is asked to).
 * FAKE_TORCHSERVE_REQUESTS: a file that gets a line for each request: CLOCK_MONOTONIC in ns, method, path.
 */
import { spawn } from 'node:child_process';
import { appendFileSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { dirname, join } from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';

const behaviour = process.env.FAKE_TORCHSERVE ?? 'serves';
const self = fileURLToPath(import.meta.url);
const recorded = JSON.parse(readFileSync(join(dirname(self), '../fixtures/torchserve/exchanges.json'), 'utf8'));
const stubborn = behaviour === 'stubborn';
const [, , role] = process.argv;

if (stubborn) process.on('SIGTERM', () => {});
if (role === 'front') front(process.argv[3]);
else if (role === 'worker') worker();
else if (process.argv.includes('--version')) process.stdout.write('TorchServe Version is 0.12.0\n');
else launch();

function launch() {
  if (behaviour === 'dies') {
    process.stdout.write('java not found, please make sure JAVA_HOME is set properly.\n');
    return;
  }
  const config = process.argv[process.argv.indexOf('--ts-config') + 1];
  const child = spawn(process.execPath, [self, 'front', config], { stdio: ['ignore', 'inherit', 'inherit'] });
  // Without the note, the adapter knows nothing but the group.
  if (!stubborn) writeFileSync(join(process.env.TMPDIR, '.model_server.pid'), String(child.pid));
}

function worker() {
  process.stdin.resume();
  process.stdin.on('end', () => {
    if (!stubborn) process.exit(1);
  });
  setInterval(() => {}, 1000);
}

function front(config) {
  const text = readFileSync(config, 'utf8');
  const port = (key) => Number(new RegExp(`^${key}=.*:(\\d+)$`, 'm').exec(text)?.[1]);
  const state = { workers: [], batchSize: 1, maxBatchDelay: 100 };
  const ports = [port('inference_address'), port('management_address'), port('metrics_address')];
  let bound = 0;
  for (const each of ports) {
    createServer((request, response) => {
      noteRequest(request);
      request.resume();
      const { status, text: body } = answer(request, state);
      response.writeHead(status, { 'content-type': 'application/json' }).end(body);
    }).listen(each, '127.0.0.1', () => {
      bound += 1;
      if (bound === ports.length && behaviour !== 'silent') process.stdout.write('Model server started.\n');
    });
  }
}

function noteRequest({ method, url }) {
  const file = process.env.FAKE_TORCHSERVE_REQUESTS;
  if (file !== undefined) appendFileSync(file, `${process.hrtime.bigint()} ${method} ${url.split('?')[0]}\n`);
}

function answer(request, state) {
  const url = new URL(request.url, 'http://fake');
  if (url.pathname.startsWith('/predictions/')) return recorded.predicted;
  if (url.pathname === '/metrics') return recorded.counted;
  if (request.method === 'POST') return register(url.searchParams, state);
  if (request.method === 'PUT') return scale(Number(url.searchParams.get('min_worker')), state);
  if (request.method === 'DELETE') return unregister(state);
  return url.pathname === '/models' ? recorded.listed : described(state);
}

function register(query, state) {
  if (behaviour === 'no-room') return full('registeredWithoutRoom');
  state.batchSize = Number(query.get('batch_size'));
  state.maxBatchDelay = Number(query.get('max_batch_delay'));
  const asked = Number(query.get('initial_workers'));
  addWorkers(behaviour === 'never-scales' || behaviour === 'no-room-to-scale' ? 1 : asked, state);
  return recorded.registered;
}

/** The workers are gone by then: the adapter ends them first. */
function unregister(state) {
  state.workers = [];
  return { status: 200, text: '{"status": "Model \\"m\\" unregistered"}' };
}

function scale(asked, state) {
  if (behaviour === 'no-room-to-scale') return full('scaledWithoutRoom');
  if (behaviour !== 'never-scales') addWorkers(asked - state.workers.length, state);
  return recorded.scaled;
}

function full(exchange) {
  const line = 'W-9001-m_1.0-stdout - RuntimeError: CUDA out of memory. Tried to allocate 2.00 GiB';
  appendFileSync(join(process.env.LOG_LOCATION, 'torchserve-model.log'), `2026-11-22T15:54:24,467 [INFO] ${line}\n`);
  return recorded[exchange];
}

function addWorkers(count, state) {
  for (let index = 0; index < count; index++) {
    state.workers.push(spawn(process.execPath, [self, 'worker'], { stdio: ['pipe', 'ignore', 'ignore'] }));
  }
}

function described(state) {
  const [model] = JSON.parse(recorded.described.text);
  const { batchSize, maxBatchDelay } = state;
  const workers = state.workers.map(({ pid }, index) => ({ ...model.workers[0], id: String(9000 + index), pid }));
  return { status: 200, text: JSON.stringify([{ ...model, batchSize, maxBatchDelay, workers }]) };
}
