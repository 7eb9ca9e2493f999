/** Tokens of streamed replies against a server that knows when it wrote them. */
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { chooseEngine } from '../../lib/load/choose-engine.ts';
import { runRequestedLoad } from '../../lib/load/requested-load.ts';
import type { LoadSummary } from '../../lib/records/load.ts';
import { runCli } from '../cli/run-cli.ts';
import { fakeProgram } from '../server/inference-server.ts';

const scratch = mkdtempSync(join(tmpdir(), 'mpsbench-streams-'));
const servers: ChildProcess[] = [];
after(() => {
  for (const server of servers) server.kill();
  rmSync(scratch, { recursive: true });
});

async function serve(...options: readonly string[]): Promise<string> {
  const [program = '', ...rest] = fakeProgram('openai-server.mjs');
  const server = spawn(program, [...rest, ...options], { stdio: ['ignore', 'pipe', 'inherit'] });
  servers.push(server);
  const [line] = await once(server.stdout, 'data');
  return `http://127.0.0.1:${Number(String(line))}`;
}

const body = (more: object = {}) => Buffer.from(JSON.stringify({ stream: true, messages: [], ...more }));
const path = '/v1/chat/completions';

async function load(base: string, bytes: Uint8Array, requests: number, concurrency = 4): Promise<LoadSummary> {
  const loop = { kind: 'closed', concurrency } as const;
  const spec = { url: `${base}${path}`, loop, stop: { kind: 'requests', requests } as const, bodies: [bytes] };
  return (await runRequestedLoad({ ...spec, stream: 'openai' })).summary;
}

describe('a load of event streams', () => {
  it('sees first tokens and gaps as the server wrote them', async () => {
    const record = join(scratch, 'truth');
    const base = await serve('--first', '60', '--gap', '15', '--tokens', '12', '--record', record);
    const { tokens, measurement } = await load(base, body(), 20);
    const written = readFileSync(record, 'utf8')
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line).writtenNs as number[]);
    assert.equal(measurement.outcomes.ok, 20);
    assert.equal(tokens?.replies, 20);
    assert.equal(tokens?.outputTokens, 240);
    assert.equal(tokens?.countedBy, 'events');
    assert.equal(tokens?.interToken.count, 20 * 11);
    assert.equal(tokens?.timeToFirstToken.count, 20);
    // First tokens come after the wait of the server, never before.
    assert.ok((tokens?.timeToFirstToken.minNs ?? 0) >= 59e6, `${tokens?.timeToFirstToken.minNs}`);
    // A mean of gaps is that of first and last alone: what holds up single ones cancels out.
    const trueMeanNs = mean(written.map((times) => ((times.at(-1) ?? 0) - (times[0] ?? 0)) / 11));
    const offNs = Math.abs((tokens?.interToken.meanNs ?? 0) - trueMeanNs);
    assert.ok(offNs < 0.1 * trueMeanNs + 5e6, `${tokens?.interToken.meanNs} is not ${trueMeanNs}`);
    const perTokenOffNs = Math.abs((tokens?.timePerOutputToken.meanNs ?? 0) - trueMeanNs);
    assert.ok(perTokenOffNs < 0.1 * trueMeanNs + 5e6, `${tokens?.timePerOutputToken.meanNs} is not ${trueMeanNs}`);
    const perSecond = (240 * 1e9) / measurement.durationNs;
    assert.ok(Math.abs((tokens?.outputTokensPerSecond ?? 0) - perSecond) < 1e-6 * perSecond);
  });

  it("takes the server's own count, which may be more than one token an event", async () => {
    const base = await serve('--tokens', '4', '--fault', 'two-a-piece');
    const { tokens } = await load(base, body({ stream_options: { include_usage: true } }), 8);
    assert.equal(tokens?.countedBy, 'usage');
    assert.equal(tokens?.outputTokens, 64);
    assert.equal(tokens?.interToken.count, 8 * 3);
  });

  const faults: readonly (readonly [string, 'badResponse' | 'reset' | 'status', RegExp])[] = [
    ['error-inside', 'badResponse', /error in the stream: out of memory/],
    ['ends-early', 'badResponse', /ended before \[DONE\]/],
    ['no-json', 'badResponse', /no JSON object/],
    ['no-stream', 'badResponse', /no event/],
    ['breaks', 'reset', /./],
    ['busy', 'status', /HTTP 503/],
  ];
  for (const [fault, outcome, text] of faults) {
    it(`counts a reply with the fault ${fault} as ${outcome}, and no token of it`, async () => {
      const { tokens, measurement, errorSamples } = await load(await serve('--fault', fault), body(), 5, 1);
      assert.equal(measurement.outcomes[outcome], 5, JSON.stringify(measurement.outcomes));
      assert.equal(measurement.outcomes.ok, 0);
      assert.match(errorSamples[outcome]?.[0] ?? '', text);
      assert.equal(tokens?.outputTokens, 0);
      assert.equal(tokens?.timeToFirstToken.p50Ns, null);
    });
  }

  it('goes through undici, also on several threads, and says so', async () => {
    const base = await serve();
    const transport = { verifyCertificate: true, certificateAuthorities: null, http2Streams: null, proxyUrl: null };
    const target = { url: base, transport, stream: 'openai' as const };
    await assert.rejects(chooseEngine(target, { engine: 'native', threads: 1, cpus: null }), {
      code: 'USAGE',
      message: /reads no event streams; use --engine undici/,
    });
    const input = join(scratch, 'body.json');
    writeFileSync(input, body());
    const args = ['load', `${base}${path}`, '--stream', 'openai', '-i', input, '-n', '40', '-c', '4', '--threads', '2'];
    const text = await runCli(args);
    assert.match(text.stdout, /tokens +[\d,.]+ \/s, 200 in 40 replies, by events with text/);
    assert.match(text.stdout, /first token/);
    assert.match(text.stdout, /undici \(the native engine reads no event streams\)/);
    const { stdout } = await runCli([...args, '--json']);
    const { summary } = JSON.parse(stdout);
    assert.equal(summary.tokens.outputTokens, 200);
    assert.equal(summary.tokens.interToken.count, 160);
  });
});

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
