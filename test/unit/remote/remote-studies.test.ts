/** Who may drive an agent, and what becomes of a study whose driver is not heard of any more. */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { emergencyStops } from '../../../lib/core/emergency.ts';
import { interrupted } from '../../../lib/core/errors.ts';
import { milliseconds, type Nanoseconds, seconds } from '../../../lib/core/units.ts';
import { validatePlan } from '../../../lib/records/plan-text.ts';
import type { Begin } from '../../../lib/remote/protocol.ts';
import { RemoteStudies } from '../../../lib/remote/remote-studies.ts';
import type { StudyHost } from '../../../lib/study/study-host.ts';

const directory = mkdtempSync(join(tmpdir(), 'mpsbench-remote-'));
// Where leftovers are looked for: not those of whoever runs this.
process.env.MPSBENCH_STATE_DIR = directory;

/** An agent whose host is prepared until the study is given up. */
function agent(leaseTimeoutNs: Nanoseconds): RemoteStudies & { readonly ended: string[] } {
  const ended: string[] = [];
  const prepareHost = (_plan: unknown, signal: AbortSignal): Promise<StudyHost> =>
    new Promise((_, reject) => {
      const end = (): void => {
        ended.push('put back');
        reject(interrupted('the host'));
      };
      if (signal.aborted) end();
      else signal.addEventListener('abort', end);
    });
  const studies = new RemoteStudies({
    planNames: ['bert'],
    readPlan: async () => validatePlan({}, () => null),
    directory,
    loadAddress: '127.0.0.1',
    leaseTimeoutNs,
    emergency: emergencyStops(),
    prepareHost,
  });
  return Object.assign(studies, { ended });
}

function beginning(changes: Partial<Begin> = {}): Begin {
  const driver = { host: 'laptop', pid: 4711, user: 'ann', toolVersion: '1' };
  return { driver, run: randomUUID(), plan: 'bert', choices: {}, resume: null, ...changes };
}

describe('an agent', () => {
  after(() => rmSync(directory, { recursive: true }));

  it('has one driver, and names it to the next', async () => {
    await using studies = agent(seconds(60));
    const first = beginning();
    const [begun, second] = await Promise.allSettled([studies.begin(first), studies.begin(beginning())]);
    assert.equal(begun.status, 'fulfilled');
    assert.match(String(second.status === 'rejected' && second.reason), /driven by laptop \(PID 4711, user ann, since/);
    await assert.rejects(studies.begin(beginning()), { code: 'ALREADY_RUNNING' });
    assert.deepEqual(await studies.begin(first), begun.status === 'fulfilled' && begun.value);
  });

  it('gives a study up whose driver is silent, and knows its lease no more', async () => {
    await using studies = agent(milliseconds(50));
    const first = beginning();
    const { lease } = await studies.begin(first);
    while (!studies.isOver(lease)) await new Promise((resolve) => setImmediate(resolve));
    assert.deepEqual(studies.ended, ['put back']);
    await assert.rejects(studies.next(lease, 0), { code: 'LEASE_LOST' });
    // Replayed, the first begin begins nothing.
    await assert.rejects(studies.begin(first), { code: 'LEASE_LOST' });
    const next = await studies.begin(beginning());
    assert.notEqual(next.lease, lease);
  });

  it('puts the host back when the driver is done with it', async () => {
    await using studies = agent(seconds(60));
    const { lease } = await studies.begin(beginning());
    await new Promise((resolve) => setImmediate(resolve));
    studies.release(randomUUID());
    assert.equal(studies.isOver(lease), false);
    studies.release(lease);
    while (!studies.isOver(lease)) await new Promise((resolve) => setImmediate(resolve));
    assert.equal(studies.holder, null);
  });

  for (const [what, changes, code] of [
    ['a plan that it has not', { plan: 'other' }, 'USAGE'],
    ['a choice that the plan rules out', { choices: { workers: [999] } }, 'PLAN_INVALID'],
    ['a study that it has not', { resume: 'none' }, 'STUDY_UNREADABLE'],
  ] as const) {
    it(`refuses ${what}, and is free for the next driver`, async () => {
      await using studies = agent(seconds(60));
      const choices: Begin['choices'] = 'choices' in changes ? { workers: [...changes.choices.workers] } : {};
      await assert.rejects(studies.begin(beginning({ ...changes, choices })), { code });
      assert.equal(studies.holder, null);
    });
  }
});
