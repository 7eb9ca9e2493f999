/** Arms of servers that somebody else started: when they are proved, contradicted, or stand as stated. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { parseArm } from '../../../lib/records/arm.ts';
import { statedAttachment } from '../../../lib/study/stated-attachment.ts';
import { fakeHost, fakeUuid } from '../../study/fake-parts.ts';

type Outcome = 'proved' | 'stated' | 'contradicted';

interface Case {
  readonly arm: string;
  readonly pids: readonly number[];
  /** PIDs that the driver lists on the device, and those of them in its MPS list; null = no GPU here. */
  readonly listed: readonly (readonly number[])[] | null;
  /** What the named daemon says; null = none is named, or it gives no answer. */
  readonly clients: readonly number[] | null;
}

const cases: readonly (readonly [string, Case, Outcome])[] = [
  ['nothing is known', { arm: 'mps', pids: [], listed: null, clients: null }, 'stated'],
  ['no PID is named beside a GPU', { arm: 'off', pids: [], listed: [[7], []], clients: null }, 'stated'],
  ['the driver lists every PID as MPS client', { arm: 'mps', pids: [7], listed: [[7], [7]], clients: null }, 'proved'],
  [
    'the driver lists a PID without MPS',
    { arm: 'mps:50', pids: [7], listed: [[7], []], clients: null },
    'contradicted',
  ],
  ['the driver lists every PID without MPS', { arm: 'off', pids: [7], listed: [[7], []], clients: null }, 'proved'],
  ['the driver does not list the PID at all', { arm: 'off', pids: [7], listed: [[8], []], clients: null }, 'stated'],
  ['one PID of two is listed', { arm: 'mps', pids: [7, 8], listed: [[7], [7]], clients: null }, 'stated'],
  ['the daemon names every PID', { arm: 'mps', pids: [7, 8], listed: null, clients: [8, 7] }, 'proved'],
  ['the daemon lacks a PID', { arm: 'mps', pids: [7, 8], listed: null, clients: [7] }, 'contradicted'],
  ['a worker of off is a client', { arm: 'off', pids: [7], listed: [[7], []], clients: [7] }, 'contradicted'],
];

function outcomeOf({ arm, pids, listed, clients }: Case): Outcome {
  const [onDevice = [], asMps = []] = listed ?? [];
  const attached = { pipeDirectory: null, mps: null, pids, listed: onDevice, listedAsMps: asMps };
  const { parts } = fakeHost({ attached });
  const origin = parts.clock.origin();
  const snapshot = listed === null ? null : (parts.gpu?.session.snapshot({ origin, withEnergy: false }) ?? null);
  const workers = pids.map((pid) => ({ pid, mpsEnabled: null, multiprocessorCount: null }));
  const mps = clients === null ? null : { serverPids: [455], clientPids: clients };
  const found = statedAttachment(parseArm(arm), workers, { mps, snapshot, deviceUuid: listed && fakeUuid });
  assert.ok(!(found.proved && found.stated));
  assert.equal(found.expected, arm === 'off' ? 'detached' : 'attached');
  return found.proved ? 'proved' : found.stated ? 'stated' : 'contradicted';
}

describe('the arm of an attached server', () => {
  for (const [what, facts, outcome] of cases) {
    it(`is ${outcome} where ${what} (${facts.arm})`, () => assert.equal(outcomeOf(facts), outcome));
  }
});
