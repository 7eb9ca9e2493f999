// A server of the Open Inference Protocol for tests of the adapter: Triton's answers as recorded, and faults on command.
// usage: node kserve-server.mjs --port N [--workers N] [--batch N] [--fault name] [--explicit]
import { spawn } from 'node:child_process';
import { appendFileSync, existsSync } from 'node:fs';
import { createServer } from 'node:http';
import process from 'node:process';
import { parseArgs } from 'node:util';

const { values: options } = parseArgs({
  options: {
    port: { type: 'string' },
    workers: { type: 'string', default: '1' },
    batch: { type: 'string', default: '1' },
    fault: { type: 'string', default: '' },
    explicit: { type: 'boolean', default: false },
    // Every path that is asked for, one a line.
    record: { type: 'string', default: '' },
    // Starts a child in a session of its own that ignores SIGTERM and writes its PID to this file.
    child: { type: 'string', default: '' },
  },
});
const { fault } = options;
if (fault === 'exits') {
  console.error('error: the model repository is empty');
  process.exit(3);
}

if (options.child !== '') {
  const stubborn = `process.on('SIGTERM', () => {}); require('fs').writeFileSync(process.argv[1], String(process.pid)); setInterval(() => {}, 1000)`;
  spawn(process.execPath, ['-e', stubborn, options.child], { detached: true, stdio: 'ignore' });
}

let loaded = !options.explicit;
let config = configOf(Number(options.workers), Number(options.batch));
let inferences = 0;
let executions = 0;

function configOf(count, batch) {
  return {
    name: 'rowsum',
    backend: 'python',
    max_batch_size: batch,
    dynamic_batching: { preferred_batch_size: [batch], max_queue_delay_microseconds: 2000 },
    instance_group: [{ name: 'rowsum_0', kind: 'KIND_CPU', count, gpus: [] }],
  };
}

const metadata = {
  name: 'rowsum',
  versions: ['1'],
  platform: 'python',
  inputs: [{ name: 'values', datatype: 'FP32', shape: fault === 'open-shape' ? [-1, -1] : [-1, 16] }],
  outputs: [{ name: 'sum', datatype: 'FP32', shape: [-1, 1] }],
};

function load(body) {
  if (fault === 'load-refused') return [400, { error: "load failed for model 'rowsum': no such\nmodel" }];
  loaded = true;
  const wanted = JSON.parse(body).parameters?.config;
  if (wanted !== undefined && fault !== 'lies') config = JSON.parse(wanted);
  return [200, ''];
}

function infer(request, body) {
  inferences++;
  executions += inferences % 2;
  if (fault === 'no-answer') return [500, { error: 'the model is broken' }];
  if (fault === 'no-outputs') return [200, { outputs: [] }];
  const head = Number(request.headers['inference-header-content-length'] ?? body.length);
  const { inputs, parameters } = JSON.parse(body.subarray(0, head).toString());
  const [input] = inputs;
  const values =
    input.data ?? new Float32Array(body.buffer.slice(body.byteOffset + head, body.byteOffset + body.length));
  const sum = values.reduce((total, value) => total + value, 0);
  const output = { name: 'sum', datatype: 'FP32', shape: [1, 1] };
  if (!parameters?.binary_data_output) return [200, { model_name: 'rowsum', outputs: [{ ...output, data: [sum] }] }];
  const json = JSON.stringify({ outputs: [{ ...output, parameters: { binary_data_size: 4 } }] });
  return [200, Buffer.concat([Buffer.from(json), Buffer.from(new Float32Array([sum]).buffer)])];
}

function statistics(request) {
  if (fault === 'restricted' && request.headers['triton-access-token'] !== 'secret') {
    return [403, { error: "This API is restricted, expecting header 'triton-access-token'" }];
  }
  return [
    200,
    { model_stats: [{ name: 'rowsum', version: '1', inference_count: inferences, execution_count: executions }] },
  ];
}

function answer(request, body) {
  const model = '/v2/models/rowsum';
  switch (`${request.method} ${request.url}`) {
    case 'GET /v2':
      return [200, { name: 'triton', version: '2.51.0', extensions: ['model_repository', 'binary_tensor_data'] }];
    case 'GET /v2/health/live':
      return [200, ''];
    case 'GET /v2/health/ready':
      return [fault === 'never-ready' || (options.child !== '' && !existsSync(options.child)) ? 503 : 200, ''];
    case `GET ${model}/ready`:
      return [loaded ? 200 : 400, ''];
    case `GET ${model}`:
      return [200, metadata];
    case `GET ${model}/config`:
      return fault === 'no-config' ? [404, { error: 'Not Found' }] : [200, config];
    case `GET ${model}/stats`:
      return statistics(request);
    case `POST ${model}/infer`:
      return infer(request, body);
    case 'POST /v2/repository/models/rowsum/load':
      return load(body.toString());
    case 'POST /v2/repository/models/rowsum/unload':
      if (fault === 'keeps') return [400, { error: 'it is in use' }];
      loaded = false;
      return [200, ''];
    case 'POST /v2/repository/index':
      return [200, [{ name: 'rowsum', version: '1', state: loaded ? 'READY' : 'UNAVAILABLE' }]];
    default:
      return [404, { error: `Request for unknown model: ${request.url}` }];
  }
}

const server = createServer((request, response) => {
  const chunks = [];
  request.on('data', (chunk) => chunks.push(chunk));
  request.on('end', () => {
    if (options.record !== '') appendFileSync(options.record, `${request.method} ${request.url}\n`);
    const [status, content] = answer(request, Buffer.concat(chunks));
    response.statusCode = status;
    response.end(typeof content === 'string' || Buffer.isBuffer(content) ? content : JSON.stringify(content));
  });
});
server.listen(Number(options.port), '127.0.0.1');
