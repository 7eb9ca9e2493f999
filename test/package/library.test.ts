/** The public API as a program uses it: imported by the package's name, from dist, with fakes only where a driver would be. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import {
  armEnvironment,
  compareLoads,
  compareStudies,
  comparisonResultSchema,
  decodeLatencies,
  encodedHistogramsSchema,
  errorCodes,
  gpuSnapshotSchema,
  intervalReportSchema,
  latencyQuantileNs,
  loadSummarySchema,
  MpsbenchError,
  MpsDaemon,
  openGpu,
  parseArm,
  probeContext,
  type RequestedPlan,
  readStudy,
  rebuildReport,
  resumeStudy,
  runLoad,
  runStudy,
  runWarnings,
  studySummarySchema,
  trialSeriesSchema,
  tryOpenGpu,
  verificationSchema,
  verifyStudy,
} from 'mpsbench';
import { fakeLibrary, fakeScenario } from '../addon/fake-nvml.ts';
import { fakeCudaPath, fakeCudaScenario, fakeDeviceUuid } from '../fakes/fake-cuda.ts';
import { fakeServer } from '../fakes/fake-server.ts';
import { Scene } from '../mps/scene.ts';
import { checkout } from './consumer.ts';

const nowhere = '/nonexistent/libnvidia-ml.so.1';
const noDriver = { nvml: nowhere, cuda: '/nonexistent/libcuda.so.1', mpsControl: '/nonexistent/control' };
const scratch = mkdtempSync(join(tmpdir(), 'mpsbench-library-'));
after(() => rmSync(scratch, { recursive: true, force: true }));

/** No model, no GPU: the server only sleeps, so that the study is about the study. */
const smallPlan: RequestedPlan = {
  name: 'small',
  workers: [1, 2],
  batchSizes: [1],
  arms: ['off', 'mps'],
  blocks: 1,
  retries: 0,
  server: { kind: 'embedded', workload: 'fixed:20ms' },
  load: { duration: '600ms', warmup: '200ms' },
};

describe('the library where there is no driver', () => {
  it('loads the addon only when it is asked for facts', () => {
    const code =
      "import('mpsbench').then(() => console.log(Object.keys(require.cache).filter((p) => p.endsWith('.node'))))";
    const run = spawnSync(process.execPath, ['-e', code], { cwd: checkout, encoding: 'utf8' });
    assert.deepEqual([run.stdout, run.stderr], ['[]\n', '']);
  });

  it('says why there are no GPU facts, as a value or as an error with the same code', () => {
    const access = tryOpenGpu({ nvmlPath: nowhere });
    assert.ok('unavailable' in access);
    assert.equal(access.unavailable.code, 'NVML_LIBRARY_MISSING');
    assert.throws(
      () => openGpu({ nvmlPath: nowhere }),
      (thrown) => thrown instanceof MpsbenchError && thrown.code === 'NVML_LIBRARY_MISSING' && thrown.exitStatus === 1,
    );
    assert.equal(errorCodes.NVML_LIBRARY_MISSING, 1);
  });

  it('says which library or program a context or a daemon needs', async () => {
    await assert.rejects(probeContext({ cudaPath: noDriver.cuda }), { code: 'CUDA_LIBRARY_MISSING' });
    await assert.rejects(MpsDaemon.start({ controlPath: noDriver.mpsControl }), { code: 'MPS_CONTROL_MISSING' });
  });
});

describe('the library on a driver', () => {
  const typedReasons: readonly (readonly [string, string])[] = [
    ['return nvmlInit_v2 9', 'NVML_DRIVER_NOT_LOADED'],
    ['return nvmlInit_v2 18', 'NVML_VERSION_MISMATCH'],
    ['return nvmlInit_v2 4', 'NVML_NO_PERMISSION'],
  ];
  for (const [line, code] of typedReasons) {
    it(`tells ${code} apart`, () => {
      using _scenario = fakeScenario(line, 'gpu');
      const access = tryOpenGpu({ nvmlPath: fakeLibrary() });
      assert.equal('unavailable' in access ? access.unavailable.code : 'a session', code);
    });
  }

  it('gives a snapshot that its own schema accepts', () => {
    using _scenario = fakeScenario('gpu', 'memory 81559 480 1107', 'process 470 516 cm - - python3');
    using session = openGpu({ nvmlPath: fakeLibrary() });
    const [device] = gpuSnapshotSchema.parse(session.snapshot()).devices;
    assert.equal(device?.memory.usedBytes, 1107 * 1024 ** 2);
    assert.deepEqual(device?.processes?.[0]?.lists, ['compute', 'mps']);
  });

  it('samples with a period in milliseconds, on the clock of a load run beside it', async () => {
    using _scenario = fakeScenario('gpu', 'memory 81559 480 1107');
    using session = openGpu({ nvmlPath: fakeLibrary() });
    await using server = await fakeServer();
    const sampling = session.sample({ periodMs: 5 });
    const { origin } = sampling;
    const stop = { kind: 'duration', durationNs: 200e6 } as const;
    const load = await runLoad({ url: server.url, loop: { kind: 'closed', concurrency: 1 }, stop }, { origin });
    const { series, summary } = sampling.stop();
    assert.equal(load.originNs, origin.originNs);
    assert.ok(summary.periodNs === 5e6 && summary.ticks > 0 && summary.droppedRows === 0);
    assert.equal(series.devices[0]?.memoryUsedBytes[0], 1107 * 1024 ** 2);
    const { startOffsetNs, durationNs } = load.summary.measurement;
    const beside = series.offsetNs.filter((at) => at >= startOffsetNs && at < startOffsetNs + durationNs);
    assert.ok(beside.length > 0, 'no tick lies inside the measurement');
  });

  it('refuses a period that cannot be kept, and facts from a session that is closed', () => {
    using _scenario = fakeScenario('gpu');
    const session = openGpu({ nvmlPath: fakeLibrary() });
    for (const periodMs of [0, 4, 10_001, Number.NaN]) {
      assert.throws(() => session.sample({ periodMs }), { code: 'USAGE', message: /give 5 to 10000/ });
    }
    session.close();
    session.close();
    assert.throws(() => session.snapshot(), { code: 'GPU_CLOSED' });
  });

  it('tells what a worker would see in an environment', async () => {
    using scenario = fakeCudaScenario([]);
    const seen = await probeContext({ cudaPath: fakeCudaPath(), environment: scenario.environment });
    assert.deepEqual([seen.deviceUuid, seen.mpsEnabled, seen.error], [fakeDeviceUuid, false, null]);
  });

  it('starts an MPS daemon that workers find by their environment, and leaves nothing', async () => {
    using scene = new Scene();
    const listeners = process.listenerCount('exit');
    {
      await using daemon = await MpsDaemon.start({ controlPath: scene.controlPath, quitGraceMs: 1000 });
      const workers = armEnvironment(parseArm('mps:50'), daemon);
      assert.equal(workers.set.CUDA_MPS_PIPE_DIRECTORY, daemon.pipeDirectory);
      assert.equal(workers.set.CUDA_MPS_ACTIVE_THREAD_PERCENTAGE, '50');
      assert.equal(await daemon.serverStatus(await daemon.startServer()), 'ACTIVE');
      assert.deepEqual(await daemon.clients(), []);
    }
    assert.deepEqual(await scene.settledLeftovers(), []);
    assert.equal(process.listenerCount('exit'), listeners);
  });
});

describe('runLoad', () => {
  it('needs no more than where, how and how long', async () => {
    await using server = await fakeServer();
    const { summary, histograms } = await runLoad({
      url: server.url,
      loop: { kind: 'closed', concurrency: 2 },
      stop: { kind: 'requests', requests: 40 },
    });
    assert.equal(loadSummarySchema.parse(summary).measurement.outcomes.ok, 40);
    assert.ok(server.seen.every(({ method }) => method === 'GET'));
    const latencies = decodeLatencies(encodedHistogramsSchema.parse(histograms).responseTime);
    assert.equal(latencyQuantileNs(latencies, 0.5), summary.measurement.responseTime.p50Ns);
    assert.ok(runWarnings(summary).every((warning) => !warning.invalidates));
  });

  it('tells of its intervals while it goes on, and of every request in one of them', async () => {
    await using server = await fakeServer(() => ({ delayMs: 5 }));
    const run = runLoad({
      url: server.url,
      loop: { kind: 'closed', concurrency: 2 },
      stop: { kind: 'requests', requests: 60 },
      intervalNs: 50e6,
    });
    let ok = 0;
    for await (const report of run) ok += intervalReportSchema.parse(report).outcomes.ok;
    assert.equal(ok, (await run).summary.measurement.outcomes.ok);
  });

  it('ends a loop over its intervals with its own error', async () => {
    const server = await fakeServer();
    await server.close();
    const stop = { kind: 'requests', requests: 5 } as const;
    const run = runLoad({ url: server.url, loop: { kind: 'closed', concurrency: 1 }, stop });
    await assert.rejects(
      async () => {
        for await (const report of run) assert.equal(report.outcomes.ok, 0);
      },
      { code: 'LOAD_FAILED' },
    );
  });

  it('posts where it is given bodies', async () => {
    await using server = await fakeServer();
    const stop = { kind: 'requests', requests: 3 } as const;
    await runLoad({ url: server.url, loop: { kind: 'closed', concurrency: 1 }, stop, bodies: [Buffer.from('x')] });
    assert.deepEqual(
      server.seen.map(({ method, body }) => `${method} ${body}`),
      ['POST x', 'POST x', 'POST x'],
    );
  });

  it('rejects with INTERRUPTED on abort, and with USAGE on a spec that cannot be run', async () => {
    await using server = await fakeServer(() => ({ silent: true }));
    const loop = { kind: 'closed', concurrency: 1 } as const;
    const abort = new AbortController();
    const running = runLoad(
      { url: server.url, loop, stop: { kind: 'duration', durationNs: 60e9 } },
      { signal: abort.signal, onProgress: () => abort.abort() },
    );
    await assert.rejects(running, { code: 'INTERRUPTED' });
    const stop = { kind: 'requests', requests: 0 } as const;
    await assert.rejects(runLoad({ url: server.url, loop, stop }), { code: 'USAGE' });
  });
});

describe('runStudy', () => {
  const out = join(scratch, 'study');

  it('runs a plan, leaves out what the host cannot run, and returns the summary that it wrote', async () => {
    const trials: string[] = [];
    const { directory, summary } = await runStudy(smallPlan, {
      out,
      paths: noDriver,
      onTrial: ({ trialId }) => void trials.push(trialId),
    });
    assert.equal(directory, out);
    assert.deepEqual(summary.arms, ['off']);
    assert.deepEqual(
      summary.armsLeftOut.map(({ arm }) => arm),
      ['mps'],
    );
    assert.deepEqual(trials.sort(), ['b01-w1-b1-off', 'b01-w2-b1-off']);
    assert.deepEqual(JSON.parse(readFileSync(join(out, 'summary.json'), 'utf8')), studySummarySchema.parse(summary));
  });

  it('leaves a study that can be read, reported again and resumed with nothing to do', async () => {
    const study = await readStudy(out);
    assert.deepEqual([study.plan.name, study.trials.length, study.environment.gpu], ['small', 2, null]);
    assert.deepEqual(study.summary, await rebuildReport(out));
    const series = JSON.parse(readFileSync(join(out, study.trials[0]?.files.series ?? ''), 'utf8'));
    assert.equal(trialSeriesSchema.parse(series).gpu, null);
    const { summary } = await resumeStudy(out, { paths: noDriver });
    assert.equal(summary.trialsRun, 2);
  });

  it('leaves a study that can be checked, and compared with itself', async () => {
    const checked = verificationSchema.parse(await verifyStudy(out));
    assert.deepEqual([checked.intact, checked.manifest, checked.problem], [true, 'checked', null]);
    const compared = comparisonResultSchema.parse(await compareStudies(out, out, { allow: ['state'] }));
    const names = compared.cells.map(({ name }) => name);
    assert.deepEqual([compared.subject, names.sort()], ['studies', ['w1-b1-off', 'w2-b1-off']]);
    await assert.rejects(compareStudies(out, join(scratch, 'nothing')), { code: 'STUDY_UNREADABLE' });
    await assert.rejects(compareStudies(out, out, { thresholdRatio: 3 }), { code: 'USAGE' });
    await assert.rejects(compareLoads(out, out), { code: 'RECORD_SCHEMA_MISMATCH' });
    await assert.rejects(verifyStudy(join(scratch, 'nothing')), { code: 'STUDY_UNREADABLE' });
  });

  it('keeps finished trials when it is aborted, and finishes when it is resumed', async () => {
    const abort = new AbortController();
    const stopped = join(scratch, 'stopped');
    const options = { out: stopped, paths: noDriver, signal: abort.signal, onTrial: () => abort.abort() };
    await assert.rejects(runStudy(smallPlan, options), { code: 'INTERRUPTED' });
    assert.equal((await readStudy(stopped)).trials.length, 1);
    const { summary } = await resumeStudy(stopped, { paths: noDriver });
    assert.deepEqual([summary.trialsRun, summary.complete], [2, true]);
  });

  const faults: readonly (readonly [string, RequestedPlan, string, string])[] = [
    ['a plan that asks for nothing', { workers: [] }, 'new', 'PLAN_INVALID'],
    ['a body that is not there', { ...smallPlan, load: { bodies: ['/nonexistent/body'] } }, 'new', 'BODY_UNREADABLE'],
    ['arms that cannot run here alone', { ...smallPlan, arms: ['mps'] }, 'new', 'NOT_SUPPORTED_HERE'],
    ['a directory that is in use', smallPlan, 'study', 'OUTPUT_EXISTS'],
  ];
  for (const [what, plan, folder, code] of faults) {
    it(`rejects ${what} with ${code}`, async () => {
      await assert.rejects(runStudy(plan, { out: join(scratch, folder), paths: noDriver }), { code });
    });
  }

  it('cannot read what is no study', async () => {
    await assert.rejects(readStudy(join(scratch, 'nothing')), { code: 'STUDY_UNREADABLE' });
  });
});
