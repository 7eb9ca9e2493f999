/** A real Prometheus scrapes a real agent, by TLS and with its token; every query of the Grafana dashboard finds data. */
import assert from 'node:assert/strict';
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import process from 'node:process';
import { after, before, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { stringify } from 'yaml';
import { poll } from '../../lib/core/clock.ts';
import { milliseconds, seconds } from '../../lib/core/units.ts';
import { fakeDriver } from '../cli/fake-host.ts';
import { scratchFolder } from '../cli/run-cli.ts';
import { crowdedHost } from '../fakes/crowded-host.ts';
import { type RunningAgent, startAgent, stopAgent } from '../fakes/running-agent.ts';
import { certificate, file, token } from '../unit/agent/scratch.ts';

const missing = spawnSync('prometheus', ['--version']).error !== undefined;
const skip = missing ? 'no prometheus: apt-get install --no-install-recommends prometheus' : false;

interface Panel {
  readonly title: string;
  readonly type: string;
  readonly targets?: readonly { readonly expr: string }[];
}
const path = fileURLToPath(new URL('../../deploy/grafana/mpsbench.json', import.meta.url));
const dashboard = JSON.parse(readFileSync(path, 'utf8'));
const panels: readonly Panel[] = dashboard.panels;

let agent: RunningAgent | undefined;
let prometheus: ChildProcess | undefined;
let api = '';
const clients: ChildProcess[] = [];

/** A process that asks for MPS in that directory, for half of the SMs. */
function client(pipeDirectory: string): number {
  const wishes = { CUDA_MPS_PIPE_DIRECTORY: pipeDirectory, CUDA_MPS_ACTIVE_THREAD_PERCENTAGE: '50' };
  const child = spawn('sleep', ['600'], { stdio: 'ignore', env: { ...process.env, ...wishes } });
  clients.push(child);
  return child.pid ?? assert.fail('sleep does not start');
}

/** A control program whose daemon has one server with one client. */
function answeringControl(pipeDirectory: string, clientPid: number): string {
  mkdirSync(pipeDirectory);
  writeFileSync(join(pipeDirectory, 'control'), '');
  const answers = [
    '#!/bin/sh',
    `if [ "$1" = -v ]; then echo 'CUDA MPS Control for Linux/Unix/QNX. Binary version: 13000'; exit 0; fi`,
    `if [ "$CUDA_MPS_PIPE_DIRECTORY" != '${pipeDirectory}' ]; then echo 'Cannot find MPS control daemon process'; exit 1; fi`,
    'read -r question',
    'case "$question" in',
    '  get_server_list) echo 4179999 ;;',
    `  get_client_list*) echo ${clientPid} ;;`,
    '  get_default_active_thread_percentage) echo 100.0 ;;',
    'esac',
  ];
  return file('nvidia-cuda-mps-control', `${answers.join('\n')}\n`, 0o755);
}

async function startAll(): Promise<void> {
  const pipeDirectory = join(scratchFolder(), 'mps');
  const [attached, fallen] = [client(pipeDirectory), client(pipeDirectory)];
  const control = answeringControl(pipeDirectory, attached);
  const own = [`process ${attached} 516 cm - - /usr/bin/sleep`, `process ${fallen} 518 c - - /usr/bin/sleep`];
  const scenario = [...crowdedHost(8, 8), ...own];
  const { certificateFile, keyFile } = certificate();
  const tokenFile = file('token', token);
  const config = file('agent.yaml', stringify({ tls: { certificateFile, keyFile }, tokenFile }));
  const mps = { MPSBENCH_MPS_CONTROL: control, CUDA_MPS_PIPE_DIRECTORY: pipeDirectory };
  agent = await startAgent(['--config', config], { ...fakeDriver(scenario), ...mps });
  api = await startPrometheus(new URL(agent.url).host, certificateFile, tokenFile);
}

/** As deploy/prometheus/prometheus.yml has it, but for places and the period. Gives its address. */
async function startPrometheus(target: string, ca: string, credentials: string): Promise<string> {
  const job = {
    job_name: 'mpsbench',
    scrape_interval: '1s',
    scheme: 'https',
    authorization: { type: 'Bearer', credentials_file: credentials },
    tls_config: { ca_file: ca },
    static_configs: [{ targets: [target] }],
  };
  const config = file('prometheus.yml', stringify({ scrape_configs: [job] }));
  const words = [`--config.file=${config}`, `--storage.tsdb.path=${join(scratchFolder(), 'tsdb')}`];
  const child = spawn('prometheus', [...words, '--web.listen-address=127.0.0.1:0'], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  prometheus = child;
  let said = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    said += text;
  });
  const ended = once(child, 'exit').then(() => assert.fail(`prometheus has ended: ${said}`));
  ended.catch(() => {});
  for (;;) {
    const address = /msg="Listening on" address=(\S+)/.exec(said)?.[1];
    if (address !== undefined) return `http://${address}/api/v1`;
    await Promise.race([once(child.stderr, 'data'), ended]);
  }
}

async function ask(query: string): Promise<readonly unknown[]> {
  const response = await fetch(`${api}/query`, { method: 'POST', body: new URLSearchParams({ query }) });
  const { status, error, data } = JSON.parse(await response.text());
  assert.equal(status, 'success', `${query}: ${error}`);
  return data.result;
}

/** Grafana's own words, as it would put them in. */
function plain(expression: string): string {
  return expression.replaceAll(/\$(instance|gpu)\b/g, '.*').replaceAll('$__rate_interval', '1m');
}

describe('a real Prometheus', { skip }, () => {
  before(startAll);
  after(async () => {
    for (const child of clients) child.kill('SIGKILL');
    if (prometheus && prometheus.exitCode === null && prometheus.signalCode === null) {
      const closed = once(prometheus, 'exit');
      prometheus.kill('SIGKILL');
      await closed;
    }
    if (agent) await stopAgent(agent);
  });

  it('scrapes the agent by TLS and with its token', async () => {
    // Two values make a rate.
    const enough = async () => ((await ask('sum_over_time(up[5m]) >= 3')).length > 0 ? true : undefined);
    const scraped = await poll(enough, { everyNs: milliseconds(250), forNs: seconds(120) });
    assert.equal(scraped, true, JSON.stringify(await (await fetch(`${api}/targets`)).json()));
  });

  for (const { title, targets = [] } of panels) {
    for (const { expr } of targets) {
      it(`has data for the panel '${title}': ${expr}`, async () => {
        const found = await poll(async () => ((await ask(plain(expr))).length > 0 ? true : undefined), {
          everyNs: milliseconds(250),
          forNs: seconds(30),
        });
        assert.equal(found, true);
      });
    }
  }

  for (const { name, definition } of dashboard.templating.list) {
    if (definition === undefined) continue;
    it(`has values for the variable '${name}'`, async () => {
      const [, series, label] = /^label_values\((.*), (\w+)\)$/.exec(definition) ?? [];
      const values = await fetch(`${api}/label/${label}/values?match[]=${encodeURIComponent(plain(series ?? ''))}`);
      assert.ok(JSON.parse(await values.text()).data.length > 0);
    });
  }

  it('sees who fell back, by its process', async () => {
    const [row] = await ask('mpsbench_process_mps_fell_back == 1');
    const { metric } = row as { metric: Record<string, string> };
    assert.deepEqual([metric.gpu, metric.process, metric.pid], ['7', 'sleep', String(clients[1]?.pid)]);
  });
});
