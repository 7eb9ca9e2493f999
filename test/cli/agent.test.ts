/** `mpsbench agent` as a child process, against the fake driver library. */
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { renameSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { describe, it } from 'node:test';
import { probeDocumentSchema } from '../../lib/cli/json-documents.ts';
import { noOpenssl } from '../fakes/certificate.ts';
import { crowdedHost } from '../fakes/crowded-host.ts';
import { type RunningAgent, seriesIn, startAgent, stopAgent } from '../fakes/running-agent.ts';
import { certificate, file, token } from '../unit/agent/scratch.ts';
import { fakeControl, fakeDriver } from './fake-host.ts';
import { runCli } from './run-cli.ts';

async function running(words: string[], variables: NodeJS.ProcessEnv, use: (agent: RunningAgent) => Promise<void>) {
  const agent = await startAgent(words, variables);
  try {
    await use(agent);
  } finally {
    assert.equal(await stopAgent(agent), 130);
  }
}

const text = async (url: string, headers = {}): Promise<string> => (await fetch(url, { headers })).text();
const crowded = () => ({ ...fakeDriver(crowdedHost(8, 48)), ...fakeControl() });

describe('agent', () => {
  it('exports 8 GPUs with an MPS server and 48 clients each in the form of Prometheus', async () => {
    await running([], crowded(), async ({ url }) => {
      const exposition = await text(`${url}/metrics`);
      const series = seriesIn(exposition);
      const device = 'gpu="7",uuid="GPU-5b1f0c2e-93f4-4c0e-8d51-000000000007",name="NVIDIA H100 80GB HBM3"';
      const expected: readonly (readonly [string, number])[] = [
        ['mpsbench_gpu_up', 1],
        [`mpsbench_gpu_utilization_ratio{${device}}`, 0.97],
        [`mpsbench_gpu_memory_used_bytes{${device}}`, (70 + 516 * 48) * 1024 ** 2],
        [`mpsbench_gpu_sm_clock_hertz{${device}}`, 345e6],
        [`mpsbench_gpu_power_usage_watts{${device}}`, 69.871],
        [`mpsbench_gpu_energy_joules_total{${device}}`, 1234567.891],
        [`mpsbench_gpu_role_processes{role="mps-client",${device}}`, 48],
        [`mpsbench_gpu_role_memory_used_bytes{role="mps-client",${device}}`, 48 * 516 * 1024 ** 2],
        [`mpsbench_gpu_role_processes{role="mps-server",${device}}`, 1],
        [`mpsbench_gpu_mps_fell_back_processes{${device}}`, 0],
        [`mpsbench_mps_client_limit{${device}}`, 48],
        ['mpsbench_mps_control_info{version="13000"}', 1],
      ];
      for (const [name, value] of expected) assert.equal(series.get(name), value, name);
      const attached = [...series].filter(([name]) => name.startsWith('mpsbench_process_mps_attached{'));
      assert.deepEqual([attached.length, attached.every(([, value]) => value === 1)], [8 * 48, true]);
      const known = spawnSync('promtool', ['check', 'metrics'], { input: exposition, encoding: 'utf8' });
      if (known.error === undefined) assert.deepEqual([known.stdout, known.stderr, known.status], ['', '', 0]);
    });
  });

  it('leaves out what is not known, and says why', async () => {
    const scenario = ['gpu', 'memory-na', 'return nvmlDeviceGetComputeRunningProcesses_v3 4', 'process 9 na g - -'];
    await running([], fakeDriver(scenario), async ({ url }) => {
      const names = [...seriesIn(await text(`${url}/metrics`)).keys()];
      assert.ok(!names.some((name) => /^mpsbench_gpu_(memory_used|role_processes)/.test(name)), names.join('\n'));
      assert.ok(
        names.some((name) => /^mpsbench_unavailable_info\{field="memory\.usedBytes",reason="no-data"/.test(name)),
      );
      assert.ok(names.some((name) => /reason="no-permission"/.test(name)));
    });
  });

  it('says that there is no driver, and stays', async () => {
    const variables = fakeDriver(['return nvmlInit_v2 9', 'gpu']);
    await running([], variables, async ({ url }) => {
      const series = seriesIn(await text(`${url}/metrics`));
      assert.equal(series.get('mpsbench_gpu_up'), 0);
      assert.equal(series.get('mpsbench_gpu_unavailable_info{code="NVML_DRIVER_NOT_LOADED"}'), 1);
      const snapshot = await fetch(`${url}/v1/snapshot`);
      assert.deepEqual([snapshot.status, JSON.parse(await snapshot.text()).error.code], [503, 'UNAVAILABLE']);
      assert.equal((await fetch(`${url}/healthz`)).status, 200);
    });
  });

  it('gives the document of probe as its snapshot, and at a period as samples', async () => {
    await running([], crowded(), async ({ url }) => {
      const snapshot = probeDocumentSchema.parse(JSON.parse(await text(`${url}/v1/snapshot`)));
      assert.equal(snapshot.processes.length, 8 * 49);
      const lines = (await text(`${url}/v1/samples?period=250ms&count=3`)).trimEnd().split('\n');
      const samples = lines.map((line) => JSON.parse(line));
      assert.deepEqual(
        samples.map(({ sequence, droppedSamples }) => [sequence, droppedSamples]),
        [
          [0, 0],
          [1, 0],
          [2, 0],
        ],
      );
      for (const sample of samples) probeDocumentSchema.parse(sample);
      assert.match(await text(`${url}/v1/samples?period=1`), /"code":"BAD_REQUEST".*needs a number with a unit/);
      assert.match(await text(`${url}/v1/samples?period=1ms`), /period must be from 250ms to 1h/);
      assert.match(await text(`${url}/v1/samples?often=1s`), /there is no 'often'/);
    });
  });

  it('ends a stream when it is stopped, with clients connected that say nothing', async () => {
    await running([], fakeDriver(['gpu']), async ({ url }) => {
      const silent = connect(Number(new URL(url).port), '127.0.0.1');
      silent.on('error', () => {});
      await once(silent, 'connect');
      const stream = await fetch(`${url}/v1/samples?period=1h`);
      assert.equal((await stream.body?.getReader().read())?.done, false);
    });
  });

  it('says of a port that is taken', async () => {
    await running([], fakeDriver(['gpu']), async ({ url }) => {
      const { stderr, status } = await runCli(['agent', '--port', new URL(url).port], fakeDriver(['gpu']));
      assert.match(stderr, /^mpsbench: PORT_IN_USE: port \d+ of 127\.0\.0\.1 is taken; .*\n$/);
      assert.equal(status, 1);
    });
  });
});

describe('agent beyond loopback', { skip: noOpenssl }, () => {
  it('is refused in one line without TLS and a token, and with an expired certificate', async () => {
    const open = await runCli(['agent', '--host', '0.0.0.0']);
    assert.match(open.stderr, /^mpsbench: AGENT_CONFIGURATION: .* needs tls and tokenFile; [^\n]*\n$/);
    const expired = configuration(certificate(-1), file('token', token));
    const late = await runCli(['agent', '--config', expired]);
    assert.match(late.stderr, /^mpsbench: AGENT_CONFIGURATION: the certificate .* expired at \d{4}[^\n]*\n$/);
    assert.deepEqual([open.status, late.status], [2, 2]);
  });

  it('asks for the token, and for the new one after SIGHUP', async () => {
    const tls = certificate();
    const tokenFile = file('token', token);
    await running(['--config', configuration(tls, tokenFile)], fakeDriver(['gpu']), async ({ child, url }) => {
      const status = (given: string) => asked(url, tls.certificateFile, given);
      assert.deepEqual([status(token), status('wrong')], ['200', '401']);
      const renewed = token.split('').reverse().join('');
      replace(tokenFile, renewed);
      const told = once(child.stderr ?? child, 'data');
      child.kill('SIGHUP');
      assert.match(String(await told), /certificate and token were read again/);
      assert.deepEqual([status(token), status(renewed)], ['401', '200']);
      replace(tokenFile, 'short');
      const kept = once(child.stderr ?? child, 'data');
      child.kill('SIGHUP');
      assert.match(String(await kept), /stay as they were: .*no token of at least 16/);
      assert.equal(status(renewed), '200');
    });
  });
});

/** The status that curl is given, which takes the certificate for an authority. */
function asked(url: string, authority: string, given: string): string {
  const words = ['-s', '-o', '/dev/null', '-w', '%{http_code}', '--cacert', authority];
  return execFileSync('curl', [...words, '-H', `Authorization: Bearer ${given}`, `${url}/v1/snapshot`], {
    encoding: 'utf8',
  });
}

function configuration(tls: { readonly certificateFile: string; readonly keyFile: string }, tokenFile: string): string {
  const { certificateFile, keyFile } = tls;
  const lines = [`tls: { certificateFile: ${certificateFile}, keyFile: ${keyFile} }`, `tokenFile: ${tokenFile}`];
  return file('agent.yaml', `${lines.join('\n')}\n`);
}

function replace(path: string, content: string): void {
  writeFileSync(`${path}.new`, content, { mode: 0o600 });
  renameSync(`${path}.new`, path);
}
