/**
 * An HTTP server program that behaves as its first argument says, for tests of whoever launches programs; its second is
 * its port.
 * serve: ready at /health, echoes PID and body · dies: says why and ends with status 3 · loading: 503 at /health for
 * ever · stubborn: serves, ignores SIGTERM · family: serves, with children that ignore SIGTERM, one of them in a
 * session of its own without the environment · crew: makes MPSBENCH_WORKERS children · broken: answers 500 to all but
 * /health · mortal: ends with status 9 at a request to /die · tired: ends with status 9 after twenty requests.
 */
import { spawn } from 'node:child_process';
import { createServer } from 'node:http';
import { fileURLToPath } from 'node:url';

const [, , behaviour, port] = process.argv;

function child(options) {
  const started = spawn(process.execPath, [fileURLToPath(import.meta.url), 'idle'], { stdio: 'ignore', ...options });
  process.stdout.write(`child ${started.pid}\n`);
}

let answered = 0;

function answer(request, response) {
  const healthy = behaviour !== 'loading';
  if (request.url === '/health') return response.writeHead(healthy ? 200 : 503).end(healthy ? 'ok' : 'loading');
  if (request.url === '/die') process.exit(9);
  if (behaviour === 'broken') return response.writeHead(500).end('no such\ntensor');
  if (behaviour === 'tired' && ++answered > 20) process.exit(9);
  const chunks = [];
  request.on('data', (chunk) => chunks.push(chunk));
  request.on('end', () => {
    const facts = { pid: process.pid, method: request.method, body: Buffer.concat(chunks).toString() };
    response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(facts));
  });
}

if (behaviour === 'dies') {
  process.stderr.write('loading\ncannot open the weights\n');
  process.exitCode = 3;
} else if (behaviour === 'idle') {
  process.on('SIGTERM', () => {});
  setInterval(() => {}, 1000);
} else {
  if (behaviour === 'stubborn') process.on('SIGTERM', () => {});
  if (behaviour === 'family') {
    child({});
    child({ detached: true, env: {} });
  }
  if (behaviour === 'crew') for (let count = 0; count < Number(process.env.MPSBENCH_WORKERS); count++) child({});
  const { MPSBENCH_WORKER, MPSBENCH_BATCH_SIZE, CUDA_MPS_PIPE_DIRECTORY, CUDA_VISIBLE_DEVICES, TOLD } = process.env;
  const told = { MPSBENCH_WORKER, MPSBENCH_BATCH_SIZE, CUDA_MPS_PIPE_DIRECTORY, CUDA_VISIBLE_DEVICES, TOLD };
  process.stdout.write(`told ${JSON.stringify({ ...told, arguments: process.argv.slice(4) })}\n`);
  createServer(answer).listen(Number(port), '127.0.0.1');
}
