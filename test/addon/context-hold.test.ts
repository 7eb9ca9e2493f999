/** Contexts held by real children of the real addon, against the fake libcuda: made together, released, killed. */
import assert from 'node:assert/strict';
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { poll } from '../../lib/core/clock.ts';
import { emergencyStops } from '../../lib/core/emergency.ts';
import { milliseconds, seconds } from '../../lib/core/units.ts';
import { ContextHold, type ContextHoldOptions } from '../../lib/gpu/context-hold.ts';
import { type FakeCudaScenario, fakeCudaPath, fakeCudaScenario, fakeDeviceUuid } from '../fakes/fake-cuda.ts';

/** `bare`: the scenario is not handed to the clients. */
function holdIn(
  scenario: FakeCudaScenario,
  change: Partial<ContextHoldOptions> & { readonly bare?: true } = {},
): ContextHold {
  const { environment = { set: {}, unset: [] }, bare = false, ...others } = change;
  return new ContextHold({
    cudaPath: fakeCudaPath(),
    deviceUuid: fakeDeviceUuid,
    timeoutNs: seconds(60),
    signal: new AbortController().signal,
    emergency: emergencyStops(),
    environment: { set: { ...(bare ? {} : scenario.environment), ...environment.set }, unset: environment.unset },
    ...others,
  });
}

function alive(pid: number | null): boolean {
  try {
    return process.kill(pid ?? -1, 0);
  } catch {
    return false;
  }
}

/** A directory that a daemon of the fake MPS seems to have made. */
function pipeIn(scenario: FakeCudaScenario): {
  readonly environment: ContextHoldOptions['environment'];
  readonly clients: string;
} {
  const clients = join(scenario.directory, 'clients');
  mkdirSync(clients);
  writeFileSync(join(scenario.directory, 'control'), '');
  return { clients, environment: { set: { CUDA_MPS_PIPE_DIRECTORY: scenario.directory }, unset: [] } };
}

describe('a hold of contexts', () => {
  it('has as many contexts at the same time as were asked for, in processes that end when it is released', async () => {
    using scenario = fakeCudaScenario([]);
    const { environment, clients } = pipeIn(scenario);
    const hold = holdIn(scenario, { environment });
    const made = [...(await hold.add(2)), ...(await hold.add(1))];
    assert.deepEqual(
      made.map(({ outcome, multiprocessorCount, mpsEnabled }) => [outcome, multiprocessorCount, mpsEnabled]),
      [...Array(3).fill(['held', 132, true])],
    );
    const pids = made.map(({ pid }) => String(pid)).sort();
    assert.deepEqual(readdirSync(clients).sort(), pids);
    await hold[Symbol.asyncDispose]();
    assert.deepEqual(readdirSync(clients), [], 'each has released its context and was not killed');
    assert.deepEqual(
      made.map(({ pid }) => alive(pid)),
      [false, false, false],
    );
  });

  it('keeps inherited variables from its clients that must not reach them', async () => {
    using scenario = fakeCudaScenario(['return cuDeviceGetCount 100']);
    process.env.FAKE_CUDA_SCENARIO = scenario.environment.FAKE_CUDA_SCENARIO;
    try {
      for (const [unset, outcome] of [
        [[], 'refused'],
        [['FAKE_CUDA_SCENARIO'], 'held'],
      ] as const) {
        await using hold = holdIn(scenario, { environment: { set: {}, unset }, bare: true });
        const [client] = await hold.add(1);
        assert.equal(client?.outcome, outcome);
      }
    } finally {
      delete process.env.FAKE_CUDA_SCENARIO;
    }
  });

  it('tells which were refused and by which error, and keeps the others', async () => {
    using scenario = fakeCudaScenario(['mps_max_clients 2']);
    const { environment } = pipeIn(scenario);
    await using hold = holdIn(scenario, { environment });
    const made = await hold.add(4);
    assert.equal(made.filter(({ outcome }) => outcome === 'held').length, 2);
    const refused = made.filter(({ outcome }) => outcome === 'refused');
    assert.deepEqual(
      refused.map(({ error }) => error?.code),
      [808, 808],
    );
  });

  it('tells how one ended that said nothing', async () => {
    using scenario = fakeCudaScenario(['crash cuInit']);
    await using hold = holdIn(scenario);
    const [client] = await hold.add(1);
    assert.equal(client?.outcome, 'ended');
    assert.match(client?.detail ?? '', /^its process was ended by SIGABRT/);
  });

  it('knows which of its clients are gone that had a context', async () => {
    using scenario = fakeCudaScenario([]);
    await using hold = holdIn(scenario);
    const made = await hold.add(2);
    assert.deepEqual(hold.asOfNow(made), made);
    process.kill(made[0]?.pid ?? -1, 'SIGKILL');
    const now = await poll(() => (hold.asOfNow(made)[0]?.outcome === 'ended' ? hold.asOfNow(made) : undefined), {
      everyNs: milliseconds(5),
      forNs: seconds(30),
    });
    assert.deepEqual(
      now?.map(({ outcome, detail }) => [outcome, detail]),
      [
        ['ended', 'its process ended while it held its context'],
        ['held', null],
      ],
    );
  });

  it('kills one that hangs in the driver at its deadline', async () => {
    using scenario = fakeCudaScenario(['hang cuInit 60000']);
    // Long enough for a slow start, since the same time is given to that.
    await using hold = holdIn(scenario, { timeoutNs: seconds(5) });
    const [client] = await hold.add(1);
    assert.deepEqual([client?.outcome, client?.detail], ['hung', 'it had not answered after 5.00 s']);
  });

  it('ends with INTERRUPTED and leaves nothing when its signal aborts', async () => {
    using scenario = fakeCudaScenario(['hang cuInit 60000']);
    const interrupt = new AbortController();
    const emergency = emergencyStops();
    const hold = holdIn(scenario, { signal: interrupt.signal, emergency });
    const adding = hold.add(1);
    interrupt.abort();
    await assert.rejects(adding, { code: 'INTERRUPTED' });
    emergency.runAll();
    await hold[Symbol.asyncDispose]();
    await assert.rejects(hold.add(1), { code: 'INTERRUPTED' });
  });

  it('rejects where no client could ever have a context', async () => {
    using scenario = fakeCudaScenario([]);
    await using missing = holdIn(scenario, { cudaPath: '/nowhere/libcuda.so.1' });
    await assert.rejects(missing.add(1), { code: 'CUDA_LIBRARY_MISSING' });
    await using wrong = holdIn(scenario, { deviceUuid: 'GPU-5f1c2d3e-0a1b-4c2d-8e3f-00000000000f' });
    await assert.rejects(wrong.add(1), { code: 'CUDA_CALL_FAILED' });
  });
});
