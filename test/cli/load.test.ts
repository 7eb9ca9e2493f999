/** mpsbench load as a user sees it: text, JSON, exit status, interrupt. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { Command } from 'commander';
import { loadCommand } from '../../lib/cli/commands/load.ts';
import { loadIntervalDocumentSchema, rateSearchDocumentSchema } from '../../lib/cli/json-documents.ts';
import { allowedCpus } from '../../lib/core/cpu-affinity.ts';
import { emergencyStops } from '../../lib/core/emergency.ts';
import { exitStatus, MpsbenchError } from '../../lib/core/errors.ts';
import { headroomSchema } from '../../lib/records/headroom.ts';
import { encodedHistogramsSchema, loadSummarySchema } from '../../lib/records/load.ts';
import { fakeServer, type Script } from '../fakes/fake-server.ts';

const folder = mkdtempSync(join(tmpdir(), 'mpsbench-load-'));
after(() => rmSync(folder, { recursive: true }));

/** One that this process may use. */
const cpu = String(allowedCpus()?.[0] ?? '');

interface Ran {
  readonly out: string;
  readonly err: string;
  readonly status: number | null;
  readonly thrown: unknown;
}

/** The command in this process, under the same parent settings as in main.ts. */
async function load(...argv: string[]): Promise<Ran> {
  const out: string[] = [];
  const err: string[] = [];
  const ending = { status: null as number | null, thrown: null as unknown };
  const command = loadCommand({
    out: (text) => void out.push(text),
    err: (text) => void err.push(text),
    interactive: false,
    signal: new AbortController().signal,
    emergency: emergencyStops(),
    paths: { nvml: null, cuda: null, mpsControl: null },
    exit: (status) => {
      ending.status = status;
    },
  });
  const root = new Command('mpsbench').exitOverride().configureOutput({ writeErr: (text) => void err.push(text) });
  root.addCommand(command.copyInheritedSettings(root));
  try {
    await root.parseAsync(['load', ...argv], { from: 'user' });
  } catch (thrown) {
    ending.thrown = thrown;
  }
  return { out: out.join(''), err: err.join(''), ...ending };
}

/** Digits differ from run to run, and with them the unit and whether a warning fits. */
function masked(text: string): string {
  return text
    .replace(/127\.0\.0\.1:\d+/g, 'HOST')
    .replace(/\d[\d,.]*\s(ns|us|ms|s)\b/g, '<time>')
    .replace(/\d[\d,.]* \/s/g, '<rate>')
    .replace(/in flight \d+ at most/g, 'in flight <count> at most')
    .replace(/law \d\.\d\d/g, 'law <ratio>')
    .replace(/, event loop lag p99 <time>/g, '')
    .replace(/ +(?=<time>)/g, ' ')
    .replace(/^≤ <time> .*$\n/gm, '')
    .replace(/(MiB|KiB|B)\/s/g, 'B/s')
    .replace(/\([\d.]+ B\/s\)/g, '(<rate>)')
    .replace(/^sent late .*$\n/gm, '');
}

function assertGolden(name: string, text: string): void {
  const file = fileURLToPath(new URL(`../golden/cli/${name}.txt`, import.meta.url));
  if (process.env.MPSBENCH_UPDATE_GOLDEN === '1') writeFileSync(file, text);
  assert.equal(text, readFileSync(file, 'utf8'));
}

const mixed: Script = ({ index }) => {
  if (index === 3) return { status: 503, body: '{"code": 503, "message": "queue is full"}' };
  return index === 7 ? { raw: '', ending: 'close' } : { delayMs: 2 };
};

describe('mpsbench load', () => {
  it('prints throughput, errors by kind, percentiles and bytes of a closed loop', async () => {
    await using server = await fakeServer(mixed);
    const ran = await load(server.url, '-c', '1', '-n', '320', '--fail-if', 'errors>1', '--fail-if', 'errors>50%');
    assertGolden('load-closed', masked(ran.out));
    assert.equal(ran.status, exitStatus.invalid);
  });

  it('prints service time and lateness beside response time of an open loop', async () => {
    await using server = await fakeServer();
    const body = join(folder, 'input.json');
    writeFileSync(body, '{"data": 1}');
    const argv = ['-n', '40', '--rate', '400', '--arrival', 'poisson', '-i', body, '--warmup', '50ms'];
    const ran = await load(server.url, ...argv);
    assertGolden('load-open', masked(ran.out));
    assert.equal(ran.status, exitStatus.done);
    assert.deepEqual([server.seen[0]?.method, server.seen[0]?.headers['content-type']], ['POST', 'application/json']);
  });

  it('prints a line for each step of a stepped rate', async () => {
    await using server = await fakeServer();
    const ran = await load(server.url, '--rate', '50,100,200', '--step', '400ms', '--warmup', '50ms');
    // The widths of the columns follow their figures, and a busy machine sends some requests late.
    assertGolden(
      'load-steps',
      masked(ran.out).replace(/ {2,}/g, '  ').replace(/^ +/gm, '').replace(/ \d+$/gm, ' <late>'),
    );
    assert.equal(ran.status, exitStatus.done);
    assert.equal(server.seen.length, 3 + 20 + 40 + 80);
  });

  it('replays a trace and ends when it is used up', async () => {
    await using server = await fakeServer();
    const trace = join(folder, 'trace.txt');
    writeFileSync(trace, '# seconds\n0\n0.05\n60ms\n0.1\n');
    const ran = await load(server.url, '--trace', trace, '--json');
    const summary = loadSummarySchema.parse(JSON.parse(ran.out).summary);
    assert.deepEqual(summary.loop, { kind: 'trace', requests: 4, spanNs: 100e6, connections: 100 });
    assert.equal(summary.measurement.outcomes.ok, 4);
  });

  it('ramps from one rate to another', async () => {
    await using server = await fakeServer();
    const ran = await load(server.url, '--rate', '0..200', '-d', '500ms', '--json');
    const summary = loadSummarySchema.parse(JSON.parse(ran.out).summary);
    assert.equal(summary.measurement.outcomes.ok, 50);
    assert.equal(summary.parts?.length, 10);
  });

  it('writes one JSON document that holds valid records and no secrets', async () => {
    await using server = await fakeServer();
    const ran = await load(server.url, '-n', '10', '--json', '-H', 'Authorization: Bearer abc123');
    const document = JSON.parse(ran.out);
    assert.deepEqual([document.schemaVersion, document.kind], [1, 'load']);
    assert.equal(loadSummarySchema.parse(document.summary).measurement.outcomes.ok, 10);
    encodedHistogramsSchema.parse(document.histograms);
    assert.ok(!ran.out.includes('abc123'));
  });

  it('tells the headroom when it is asked to, warns below 2x alone, and has none for a short run', async () => {
    await using server = await fakeServer();
    const argv = ['-n', '20', '-c', '2'];
    const ran = await load(server.url, ...argv, '--calibrate', '--json');
    const document = JSON.parse(ran.out);
    const { ratio, demandPerSecond, calibration } = headroomSchema.parse(document.headroom);
    assert.ok(ratio !== null && calibration !== null);
    assert.equal(ratio, calibration.ceilingPerSecond / demandPerSecond);
    assert.equal(/the generator alone reaches/.test(ran.err), ratio < 2);
    assert.equal(JSON.parse((await load(server.url, ...argv, '--json')).out).headroom, null);
    const text = await load(server.url, ...argv, '--calibrate');
    assert.match(text.out, /^headroom +\d+\.\dx: the generator alone reaches [\d,.]+ \/s/m);
  });

  it('keeps the generator to the CPUs that were named, and says what the system says', { skip: !cpu }, async () => {
    await using server = await fakeServer();
    const ran = await load(server.url, '-n', '5', '--client-cpus', cpu, '--json');
    assert.deepEqual(JSON.parse(ran.out).placement, { asked: cpu, threads: [cpu] });
    const text = await load(server.url, '-n', '5', '--client-cpus', cpu);
    assert.match(text.out, new RegExp(`kept to CPU ${cpu}, read back: ${cpu}$`, 'm'));
  });

  it('writes a line per interval and then the result with --json-lines, and no progress', async () => {
    await using server = await fakeServer(() => ({ delayMs: 2 }));
    const ran = await load(server.url, '-d', '1500ms', '-c', '2', '--json-lines');
    const documents = ran.out
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line));
    const result = documents.pop();
    assert.deepEqual([result.kind, ran.err], ['load', '']);
    const intervals = documents.map((document) => loadIntervalDocumentSchema.parse(document));
    assert.ok(intervals.length >= 2);
    const ok = intervals.reduce((sum, { outcomes }) => sum + outcomes.ok, 0);
    assert.equal(ok, loadSummarySchema.parse(result.summary).measurement.outcomes.ok);
  });

  it('logs what runs, unless it is told to be quiet', async () => {
    await using server = await fakeServer(() => ({ delayMs: 2 }));
    const ran = await load(server.url, '-d', '1500ms', '-c', '2');
    assert.match(
      ran.err,
      /^measurement of GET http:.*: closed loop, 2 connections · native engine\nmeasurement 1 s of 2 s · /,
    );
    const quiet = await load(server.url, '-d', '1500ms', '-c', '2', '--quiet');
    assert.doesNotMatch(quiet.err, /measurement/);
  });

  it('shows no control character that a server sends', async () => {
    await using server = await fakeServer(() => ({ status: 500, body: '\x1b[2Jgone\x07' }));
    const ran = await load(server.url, '-n', '2', '-c', '1');
    assert.match(ran.out, /HTTP 500: ·\[2Jgone·/);
  });

  it('has a valid JSON form of intervals in which nothing ended', async () => {
    await using server = await fakeServer(() => ({ delayMs: 1100 }));
    const ran = await load(server.url, '-n', '1', '-c', '1', '--json');
    assert.equal(JSON.parse(ran.out).series.p50Ns[0], null);
  });

  it('searches for a rate, a line on stderr for each probe, and exits 3 when there is none', async () => {
    await using server = await fakeServer(() => ({ status: 503 }));
    const ran = await load(server.url, '--rate', 'auto', '--slo', 'errors<1%', '-d', '200ms', '--warmup', '0s');
    const table = masked(ran.out).replace(/ {2,}/g, '  ').replace(/^ +/gm, '');
    assertGolden('load-rate-auto', table.replace(/\d+ {2}missed/g, '<late>  missed'));
    const lines = ran.err.match(/^probe \d: [^\n]* missed, errors<1%: 100\.00 % \(HTTP 503[^\n]*\)$/gm);
    assert.equal(lines?.length, 4, ran.err);
    assert.equal(ran.status, exitStatus.invalid);
  });

  it('writes a search as one JSON document', async () => {
    await using server = await fakeServer(() => ({ status: 503 }));
    const ran = await load(server.url, '--rate', 'auto', '--slo', 'errors<1%', '-d', '200ms', '--json');
    const document = rateSearchDocumentSchema.parse(JSON.parse(ran.out));
    assert.deepEqual([document.end, document.warmupNs, document.probes.length], ['noneMet', 1e9, 4]);
    assert.match(ran.err, /^warning: no rate: /m);
  });

  it('searches between the rates given, to the resolution and with the confirmations asked for', async () => {
    await using server = await fakeServer(() => ({ status: 503 }));
    const bounds = ['--rate-min', '50', '--rate-max', '60', '--rate-resolution', '10%', '--confirmations', '2'];
    const ran = await load(server.url, '--rate', 'auto', '--slo', 'errors<1%', '-d', '200ms', '--json', ...bounds);
    const { settings, probes } = rateSearchDocumentSchema.parse(JSON.parse(ran.out));
    assert.deepEqual(settings, {
      ...{ startPerSecond: 60, leastPerSecond: 50, mostPerSecond: 60 },
      ...{ resolutionRatio: 0.1, confirmations: 2, mostProbes: 40 },
    });
    assert.deepEqual(
      probes.map(({ ratePerSecond }) => ratePerSecond),
      [60, 50],
    );
  });

  it('exits 3 when no reply was ok, and says what the server said', async () => {
    await using server = await fakeServer(() => ({ status: 500, body: 'model not found' }));
    const ran = await load(server.url, '-n', '5');
    assert.equal(ran.status, exitStatus.invalid);
    assert.match(ran.err, /no reply was ok/);
    assert.match(ran.out, /HTTP 500: model not found/);
  });

  const searching = ['--rate', 'auto', '--slo', 'p99<1s'];
  const mistakes: readonly [string, readonly string[], RegExp][] = [
    ['a duration without a unit', ['-d', '10'], /needs a number with a unit .* such as 30s/],
    ['no connections', ['-c', '0'], /at least 1/],
    ['a negative rate', ['--rate=-5'], /a number above 0/],
    ['two forms of JSON', ['--json', '--json-lines'], /cannot be used with/],
    ['lines of a search', ['--rate', 'auto', '--slo', 'p99<1s', '--json-lines'], /instead of --json-lines/],
    ['two ways to stop', ['-n', '5', '-d', '5s'], /cannot be used with/],
    ['an unknown option', ['--conections', '5'], /Did you mean --connections/],
    ['an unknown arrival', ['--rate', '5', '--arrival', 'random'], /constant, poisson/],
    ['an arrival without a rate', ['--arrival', 'poisson'], /give --rate/],
    ['a CPU that is none', ['--client-cpus', '0,x'], /'x' in '0,x' is no CPU/],
    ['a CPU that is not there', ['--client-cpus', '9999'], /CPU 9999 of '9999' .*: name some of \d/],
    ['steps without a rate', ['--rate', '5,,7'], /'' in '5,,7' must be requests per second/],
    ['a step of a single rate', ['--rate', '5', '--step', '1s'], /--step needs several rates/],
    ['steps with a duration', ['--rate', '5,6', '-d', '1s'], /leave out -n and -d/],
    ['a ramp of nothing', ['--rate', '0..0'], /must be requests per second/],
    ['a ramp by number', ['--rate', '0..5', '-n', '5'], /leave out -n/],
    ['a trace with a rate', ['--trace', 'x', '--rate', '5'], /leave out --rate/],
    ['a trace that is not there', ['--trace', join(folder, 'none.txt')], /no such file/],
    ['a search without a limit', ['--rate', 'auto'], /give one such as --slo/],
    ['a search by number', ['--rate', 'auto', '--slo', 'p99<1s', '-n', '5'], /give -d instead of -n/],
    ['the rows of a search', ['--rate', 'auto', '--slo', 'p99<1s', '--raw', 'x.arrow'], /leave it out/],
    ['a calibrated search', ['--rate', 'auto', '--slo', 'p99<1s', '--calibrate'], /leave out --calibrate/],
    ['a limit without a search', ['--slo', 'p99<1s'], /--rate auto searches by/],
    ['a limit that asks for the worse', ['--rate', 'auto', '--slo', 'p99>1s'], /did you mean 'p99<1s'/],
    ['bounds in the wrong order', [...searching, '--rate-min', '9', '--rate-max', '3'], /9 above the highest, 3/],
    ['a bound that is no rate', [...searching, '--rate-min', '0'], /a number above 0/],
    ['a resolution without its sign', [...searching, '--rate-resolution', '0.02'], /with its sign/],
    ['no confirmation', [...searching, '--confirmations', '0'], /from 1 to 15/],
    ['a bound without a search', ['--rate', '5', '--rate-max', '10'], /--rate-max is of a search/],
    ['an unknown figure', ['--fail-if', 'p95>5ms'], /did you mean 'p9/],
    ['an impossible status', ['--expect-status', '200,600'], /'600' must be a status/],
    ['a header without a name', ['-H', 'nothing'], /'Name: value'/],
    ['a header that is not the caller’s', ['-H', 'Content-Length: 5'], /leave it out/],
    ['a missing body', ['-i', join(folder, 'nothing.bin')], /BODY_UNREADABLE|no such file/],
    ['an empty body directory', ['-i', mkdtempSync(join(folder, 'empty-'))], /holds no file/],
  ];
  for (const [name, argv, pattern] of mistakes) {
    it(`refuses ${name} as a usage error`, async () => {
      const { thrown, err } = await load('http://127.0.0.1:9/', ...argv);
      assert.ok(thrown instanceof Error);
      if (thrown instanceof MpsbenchError) assert.equal(thrown.exitStatus, exitStatus.usage);
      assert.match(`${err}${thrown.message}`, pattern);
    });
  }

  for (const url of ['nonsense', 'ftp://host/', 'http://user:secret@host/']) {
    it(`refuses '${url}' as a usage error`, async () => {
      const { thrown } = await load(url);
      assert.ok(thrown instanceof MpsbenchError && thrown.exitStatus === exitStatus.usage);
      assert.ok(!thrown.message.includes('secret'));
    });
  }
});

describe('the process of mpsbench load', () => {
  const main = fileURLToPath(new URL('../../lib/cli/main.ts', import.meta.url));

  it('ends with one line and status 130 on Ctrl-C', async () => {
    await using server = await fakeServer(({ index }) => (index < 50 ? { delayMs: 1 } : { silent: true }));
    const child = spawn(process.execPath, ['--import', 'tsx', main, 'load', server.url, '-d', '60s']);
    let err = '';
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      err += text;
      if (text.includes('measurement')) child.kill('SIGINT');
    });
    const [status] = await once(child, 'close');
    assert.equal(status, exitStatus.interrupted);
    assert.equal(err.split('\n').filter((line) => line.includes('interrupted')).length, 1);
  });

  it('ends with one line and status 1 when nobody listens', async () => {
    const server = await fakeServer();
    await server.close();
    const child = spawn(process.execPath, ['--import', 'tsx', main, 'load', server.url]);
    const err: string[] = [];
    child.stderr.setEncoding('utf8').on('data', (text: string) => void err.push(text));
    const [status] = await once(child, 'close');
    assert.equal(status, exitStatus.failed);
    assert.equal(err.join(''), `mpsbench: LOAD_FAILED: connection refused by ${server.url}: is the server running?\n`);
  });
});
