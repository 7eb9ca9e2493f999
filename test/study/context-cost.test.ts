/** `mpsbench context` as a user starts it, on the fakes: what it prints, what it says of faults, what it leaves behind. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { z } from 'zod';
import { contextDocumentSchema } from '../../lib/cli/json-documents.ts';
import { assertGolden } from '../cli/golden.ts';
import { errorLines, StudyStage, skipStage, until } from './study-stage.ts';

type Document = z.infer<typeof contextDocumentSchema>;

const once = ['--clients', '1,2', '--repeats', '1'];

async function measured(
  stage: StudyStage,
  args: readonly string[],
  variables: NodeJS.ProcessEnv = {},
): Promise<{ readonly document: Document; readonly status: number | null; readonly stderr: string }> {
  const { stdout, stderr, status } = await stage.run(['context', '--json', ...args], variables);
  assert.notEqual(stdout, '', stderr);
  assert.deepEqual(errorLines(stderr), []);
  stage.assertNothingLeft();
  return { document: z.parse(contextDocumentSchema, JSON.parse(stdout)), status, stderr };
}

/** Creation times differ from run to run, and with them the widths of their columns. */
function withoutTimes(text: string): string {
  return text
    .replaceAll(/ +\d+(?:\.\d+)? (?:ns|us|ms|s)(?= |$)/gm, ' TIME')
    .replaceAll(/ +created in +(\d+) at once/g, ' created in $1 at once');
}

describe('mpsbench context', { skip: skipStage, concurrency: 2 }, () => {
  it('prints one screen that ends with the answer in sentences', async () => {
    using stage = new StudyStage();
    const out = join(stage.root, 'context.json');
    const sharing = ['--sharing', 'off,mps,mps:50,mps:10'];
    const { stdout, status, stderr } = await stage.run([
      ...['context', '--clients', '1,2,4', '--repeats', '1', ...sharing, '--out', out],
    ]);
    assert.equal(status, 0, stderr);
    assertGolden('cli/context.txt', withoutTimes(stdout));
    const document = z.parse(contextDocumentSchema, JSON.parse(readFileSync(out, 'utf8')));
    assert.equal(document.runs.length, 12);
    assert.deepEqual(
      readdirSync(stage.root).filter((name) => name.startsWith('context')),
      ['context.json'],
    );
    stage.assertNothingLeft();
  });

  it('has a help with examples', async () => {
    using stage = new StudyStage();
    assertGolden('cli/context-help.txt', (await stage.run(['context', '--help'])).stdout);
  });

  it('records of every client what it held, saw and took, in an order drawn from the seed', async () => {
    using stage = new StudyStage();
    const { document, status } = await measured(stage, [
      '--clients',
      '1,3',
      '--sharing',
      'off,mps:25',
      '--repeats',
      '2',
    ]);
    assert.equal(status, 0);
    const mib = 1024 ** 2;
    for (const run of document.runs) {
      const shared = run.arm === 'mps:25';
      assert.equal(run.clients.length, run.clientCount);
      assert.equal(run.mpsServers.length, shared ? 1 : 0);
      assert.deepEqual(run.reasons, []);
      assert.equal(new Set(run.clients.map(({ pid }) => pid)).size, run.clientCount);
      for (const client of run.clients) {
        const { outcome, mpsEnabled, multiprocessorCount, processBytes, contextCreationNs } = client;
        assert.deepEqual(
          [outcome, mpsEnabled, multiprocessorCount, (processBytes ?? 0) / mib],
          shared ? ['held', true, 32, 146] : ['held', false, 132, 518],
        );
        assert.ok(contextCreationNs !== null && contextCreationNs > 0);
      }
      assert.ok(run.releasedNs !== null);
    }
    assert.deepEqual(
      document.runs.map(({ position }) => position),
      [1, 2, 3, 4, 5, 6, 7, 8],
    );
    assert.equal(document.summary.valid, true);
  });

  it('is free of the variables of an MPS elsewhere', async () => {
    using stage = new StudyStage();
    const { document } = await measured(stage, ['--clients', '1', '--repeats', '1', '--sharing', 'off,mps'], {
      CUDA_MPS_ACTIVE_THREAD_PERCENTAGE: '10',
      CUDA_MPS_PIPE_DIRECTORY: '/nowhere',
    });
    for (const { clients } of document.runs) assert.equal(clients[0]?.multiprocessorCount, 132);
  });
});

describe('measureContextCost', { skip: skipStage }, () => {
  it('is the same measurement in one call, and gives the bare contexts of a memory ledger', async () => {
    using stage = new StudyStage();
    const program = `
      import { bareContextBytes, measureContextCost } from '${new URL('../../dist/index.js', import.meta.url).href}';
      const { MPSBENCH_NVML_LIBRARY: nvml, MPSBENCH_CUDA_LIBRARY: cuda, MPSBENCH_MPS_CONTROL: mpsControl } = process.env;
      const options = { paths: { nvml, cuda, mpsControl } };
      const bad = await measureContextCost({ clientCounts: [0] }, options).catch((error) => error.code);
      const cost = await measureContextCost({ arms: ['off', 'mps:50'], clientCounts: [2, 1], repeats: 1 }, options);
      console.log(JSON.stringify([bad, cost.clientCounts, cost.summary.valid, [...bareContextBytes(cost)]]));`;
    const child = spawnSync(process.execPath, ['--input-type=module', '-e', program], {
      ...{ cwd: stage.root, env: stage.environment, encoding: 'utf8', timeout: 120_000 },
    });
    assert.deepEqual([child.stderr, child.status], ['', 0]);
    const mib = 1024 ** 2;
    const [bad, clientCounts, valid, bare] = JSON.parse(child.stdout) as unknown[];
    assert.deepEqual([bad, clientCounts, valid], ['PLAN_INVALID', [1, 2], true]);
    assert.deepEqual(bare, [
      ['off', { processBytes: 518 * mib, deviceBytes: 518 * mib, mpsServerBytes: null }],
      ['mps:50', { processBytes: 272 * mib, deviceBytes: 272 * mib, mpsServerBytes: 66 * mib }],
    ]);
    stage.assertNothingLeft();
  });
});

interface Refusal {
  readonly fault: string;
  readonly prepare: (stage: StudyStage) => NodeJS.ProcessEnv | undefined;
  readonly args?: readonly string[];
  readonly line: RegExp;
  readonly status?: number;
}

const refusals: readonly Refusal[] = [
  {
    fault: 'there is no driver',
    prepare: () => ({ MPSBENCH_NVML_LIBRARY: '/nowhere/libnvidia-ml.so.1' }),
    line: /^mpsbench: NVML_LIBRARY_MISSING: .*; install the NVIDIA driver/,
  },
  {
    fault: 'the device is in MIG mode',
    prepare: (stage) => void stage.playNvml([], ['mig']),
    line: /^mpsbench: NOT_SUPPORTED_HERE: .* on GPU 0: it is in MIG mode.*; choose another one/,
  },
  {
    fault: 'no process may use the device',
    prepare: (stage) => void stage.playNvml([], ['mode 2']),
    line: /^mpsbench: NOT_SUPPORTED_HERE: .*compute mode Prohibited.*; sudo nvidia-smi -i 0 -c DEFAULT/,
  },
  {
    fault: 'several clients need MPS, which is not asked for',
    prepare: (stage) => void stage.playNvml([], ['mode 3']),
    args: ['--sharing', 'off'],
    line: /^mpsbench: NOT_SUPPORTED_HERE: .*compute mode exclusive-process: only one process may use it without MPS; /,
  },
  {
    fault: 'no context can be made at all',
    prepare: (stage) => void stage.playCuda(['return cuDevicePrimaryCtxRetain 46']),
    line: /^mpsbench: NOT_SUPPORTED_HERE: .*cuDevicePrimaryCtxRetain answered 46 .*; another process/,
  },
  {
    fault: 'there is no such device',
    prepare: () => undefined,
    args: ['--device', '7'],
    line: /^mpsbench: PLAN_INVALID: .*there is no device '7'; present: 0 /,
    status: 2,
  },
  {
    fault: 'only MPS arms are asked for and there is no control program',
    prepare: () => ({ MPSBENCH_MPS_CONTROL: '/nowhere/nvidia-cuda-mps-control' }),
    args: ['--sharing', 'mps'],
    line: /^mpsbench: NOT_SUPPORTED_HERE: .*cannot find the MPS control program/,
  },
  {
    fault: 'the file is there already',
    prepare: (stage) => void writeFileSync(join(stage.root, 'there.json'), ''),
    args: ['--out', 'there.json'],
    line: /^mpsbench: OUTPUT_EXISTS: cannot write there.json: it exists; /,
    status: 2,
  },
  {
    fault: 'the directory of the file is not there',
    prepare: () => undefined,
    args: ['--out', 'nowhere/context.json'],
    line: /^mpsbench: OUTPUT_NOT_WRITABLE: cannot write nowhere\/context.json: there is no directory nowhere; /,
  },
  {
    fault: 'a number of clients is none',
    prepare: () => undefined,
    args: ['--clients', '1,0'],
    line: /^mpsbench: USAGE: option '--clients <list>' argument '1,0' is invalid. It must be a whole number from 1 to 512/,
    status: 2,
  },
  {
    fault: 'an arm is none',
    prepare: () => undefined,
    args: ['--sharing', 'off,on'],
    line: /^mpsbench: USAGE: option '--sharing <list>' argument 'off,on' is invalid. 'on' is not an arm/,
    status: 2,
  },
];

describe('mpsbench context refuses with one line', { skip: skipStage, concurrency: 2 }, () => {
  for (const { fault, prepare, args = [], line, status = 1 } of refusals) {
    it(`when ${fault}`, async () => {
      using stage = new StudyStage();
      const variables = prepare(stage) ?? {};
      const result = await stage.run(['context', ...once, ...args], variables);
      assert.match(result.stderr, line);
      assert.deepEqual([result.stdout, result.status, result.stderr.split('\n').length], ['', status, 2]);
      stage.assertNothingLeft();
    });
  }
});

const reasonsOf = ({ runs }: Document, arm: string): string[] => [
  ...new Set(runs.filter((run) => run.arm === arm).flatMap(({ reasons }) => reasons.map(({ code }) => code))),
];
const armOf = ({ summary }: Document, arm: string) => summary.arms.find((entry) => entry.arm === arm);

describe('mpsbench context names what keeps it from a figure', { skip: skipStage, concurrency: 2 }, () => {
  it('the client limit, which more clients are then spared from', async () => {
    using stage = new StudyStage();
    stage.playCuda(['mps_max_clients 3']);
    const { document, status } = await measured(stage, ['--clients', '1,2,4,6', '--sharing', 'mps', '--repeats', '2']);
    assert.equal(status, 0);
    assert.deepEqual(reasonsOf(document, 'mps'), ['client-limit']);
    const refused = document.runs.filter(({ reasons }) => reasons.length > 0);
    const [first] = refused;
    assert.match(first?.reasons[0]?.message ?? '', /answered 808 \(CUDA_ERROR_MPS_MAX_CLIENTS_REACHED\)/);
    assert.equal(first?.clients.filter(({ outcome }) => outcome === 'held').length, 3);
    assert.ok(document.runs.length < document.runsPlanned);
    assert.deepEqual(
      armOf(document, 'mps')?.points.map(({ clientCount }) => clientCount),
      [1, 2],
    );
  });

  it('memory that runs out', async () => {
    using stage = new StudyStage();
    stage.playCuda(['contexts_mib 1200']);
    const { document, status } = await measured(stage, ['--clients', '1,2,3', '--sharing', 'off', '--repeats', '2']);
    assert.equal(status, 0);
    assert.deepEqual(reasonsOf(document, 'off'), ['out-of-memory']);
    assert.deepEqual(
      armOf(document, 'off')?.points.map(({ clientCount }) => clientCount),
      [1, 2],
    );
  });

  it('a daemon that does not start, which is not tried for ever', async () => {
    using stage = new StudyStage();
    stage.playMps({ startDenied: 'Cannot access CUDA_MPS_PIPE_DIRECTORY' });
    const { document, status } = await measured(stage, ['--clients', '1,2', '--sharing', 'off,mps', '--repeats', '3']);
    assert.equal(status, 3);
    assert.deepEqual(reasonsOf(document, 'mps'), ['mps-failed']);
    assert.equal(document.runs.filter(({ arm }) => arm === 'mps').length, 2);
    assert.equal(armOf(document, 'off')?.countedRuns, 6);
    assert.deepEqual(
      [armOf(document, 'mps')?.perClient, armOf(document, 'mps')?.againstOff?.saving],
      [null, 'unknown'],
    );
  });

  it('clients that are not attached to the daemon of their arm', async () => {
    using stage = new StudyStage();
    stage.playCuda(['mps_enabled 0']);
    const { document, status } = await measured(stage, [...once, '--sharing', 'off,mps']);
    assert.equal(status, 3);
    assert.deepEqual([reasonsOf(document, 'off'), reasonsOf(document, 'mps')], [[], ['attachment-not-proved']]);
    assert.equal(armOf(document, 'mps')?.countedRuns, 0);
  });

  it('device memory that cannot be read', async () => {
    using stage = new StudyStage();
    stage.playNvml([], ['memory-na']);
    const { document, status } = await measured(stage, [...once, '--sharing', 'off']);
    assert.equal(status, 3);
    assert.deepEqual(reasonsOf(document, 'off'), ['memory-unknown']);
    const [run] = document.runs;
    assert.deepEqual([run?.baseline.usedBytes, run?.afterUsedBytes, run?.releasedNs], [[], null, null]);
  });

  it('a process of somebody else, without being misled by what it holds', async () => {
    using stage = new StudyStage();
    stage.playNvml([], ['memory 81559 480 700', 'process 999999 700 c - - /usr/bin/python3']);
    const { document, status, stderr } = await measured(stage, [...once, '--sharing', 'off']);
    assert.equal(status, 0);
    assert.match(stderr, /^warning: GPU 0: \/usr\/bin\/python3 \(pid 999999, foreign\) is on the device: 700.0 MiB; /m);
    assert.equal(armOf(document, 'off')?.perClient?.bytes, 518 * 1024 ** 2);
  });

  it('clients that end while they hold their contexts', async () => {
    using stage = new StudyStage();
    const run = stage.start(['context', '--json', '--clients', '2', '--sharing', 'off', '--repeats', '9']);
    await until('a client was missed', run, () => {
      for (const pid of stage.contextHolders()) process.kill(pid, 'SIGKILL');
      return run.stderr().includes('client-ended');
    });
    const { stdout } = await run.result;
    const document = z.parse(contextDocumentSchema, JSON.parse(stdout));
    assert.ok(reasonsOf(document, 'off').includes('client-ended'));
    stage.assertNothingLeft();
  });

  it('a client that hangs in the driver, which is killed at its deadline', async () => {
    using stage = new StudyStage();
    const run = stage.start([
      'context',
      '--json',
      '--clients',
      '1',
      '--sharing',
      'off',
      '--repeats',
      '9',
      '--timeout',
      '3s',
    ]);
    // After the checks of the host, which make a context too.
    await until('a client holds its context', run, () => stage.contextHolders().length > 0);
    stage.playCuda(['hang cuDevicePrimaryCtxRetain 60000']);
    const { stdout, stderr } = await run.result;
    const document = z.parse(contextDocumentSchema, JSON.parse(stdout));
    const hung = document.runs.filter(({ reasons }) => reasons.some(({ code }) => code === 'client-hung'));
    assert.equal(hung.length, 2, stderr);
    assert.match(hung[0]?.reasons[0]?.message ?? '', /it had not answered after 3.00 s/);
    assert.equal(document.runs.at(-1), hung[1]);
    stage.assertNothingLeft();
  });
});

describe('mpsbench context --find-limit', { skip: skipStage, concurrency: 2 }, () => {
  const search = ['--clients', '1', '--repeats', '1', '--sharing', 'off,mps', '--find-limit'];

  it('adds clients until one is refused, and names the refusal', async () => {
    using stage = new StudyStage();
    stage.playCuda(['mps_max_clients 11']);
    const { document, status } = await measured(stage, search);
    assert.equal(status, 0);
    const [limit, ...others] = document.limits;
    assert.deepEqual(others, []);
    assert.deepEqual(
      [limit?.arm, limit?.end, limit?.clientsHeld, limit?.error],
      [
        ...['mps', 'client-limit', 11],
        { code: 808, name: 'CUDA_ERROR_MPS_MAX_CLIENTS_REACHED', call: 'cuDevicePrimaryCtxRetain' },
      ],
    );
    assert.equal(limit?.deviceBytes, (66 + 11 * 516) * 1024 ** 2);
    assert.match(
      document.summary.sentences.at(-1) ?? '',
      /the client limit is 11: one more got 808 .*; documented: 48, driver/,
    );
  });

  it('stops at one more than documented when none is refused', async () => {
    using stage = new StudyStage();
    stage.playNvml([], ['capability 6 1']);
    const { document } = await measured(stage, search);
    const [limit] = document.limits;
    assert.deepEqual([limit?.end, limit?.clientsHeld, limit?.error], ['documented-limit-passed', 17, null]);
  });

  it('stops where the memory is used up', async () => {
    using stage = new StudyStage();
    stage.playCuda(['contexts_mib 2200']);
    const { document } = await measured(stage, search);
    const [limit] = document.limits;
    assert.deepEqual([limit?.end, limit?.clientsHeld, limit?.error?.code], ['out-of-memory', 4, 2]);
  });
});
