/** Who is attached to MPS, with which share, and who fell back. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { DaemonFacts } from '../../../lib/agent/mps-facts.ts';
import { type MpsWish, type ProcessArm, processArm } from '../../../lib/agent/process-arm.ts';
import type { ProbedProcess } from '../../../lib/study/host-snapshot.ts';

type Lists = ProbedProcess['lists'];

function process(lists: Lists, role: ProbedProcess['role'] = 'foreign'): ProbedProcess {
  const instance = { gpuInstanceId: null, computeInstanceId: null };
  return { device: 0, role, pid: 470, name: 'python3', usedBytes: null, lists, ...instance };
}

const nothing: MpsWish = { pipeDirectory: null, directoryExists: false, sharePercent: null };
const daemon: DaemonFacts = {
  state: 'alive',
  pipeDirectory: '/tmp/nvidia-mps',
  servers: [{ pid: 473, clientPids: [] }],
  defaultSharePercent: null,
};
const client: Lists = ['compute', 'mps'];
const plain: Lists = ['compute'];
const off: ProcessArm = { arm: 'off', attached: false, fellBack: false, sharePercent: null };
const on: ProcessArm = { arm: 'mps', attached: true, fellBack: false, sharePercent: null };
const unknown: ProcessArm = { arm: null, attached: null, fellBack: null, sharePercent: null };

const cases: readonly {
  readonly what: string;
  readonly lists?: Lists;
  readonly wish?: MpsWish;
  readonly daemons?: readonly DaemonFacts[] | null;
  readonly listed?: boolean;
  readonly expected: ProcessArm;
}[] = [
  { what: 'a client without a share', lists: client, expected: on },
  {
    what: 'a client with a share',
    lists: client,
    wish: { ...nothing, sharePercent: 50 },
    expected: { ...on, arm: 'mps:50', sharePercent: 50 },
  },
  {
    what: 'a client whose daemon gives less than it asks for',
    lists: client,
    wish: { ...nothing, sharePercent: 50 },
    daemons: [{ ...daemon, defaultSharePercent: 25 }],
    expected: { ...on, arm: 'mps:50', sharePercent: 25 },
  },
  { what: 'a client whose environment is closed', lists: client, wish: null, expected: { ...on, arm: null } },
  { what: 'a process with no daemon about', daemons: [], expected: off },
  { what: 'a process beside the daemon of the usual directory', expected: { ...off, fellBack: true } },
  {
    what: 'a process that is kept away from MPS',
    wish: { ...nothing, pipeDirectory: '/tmp/absent' },
    expected: off,
  },
  {
    what: 'a process that asks for a directory without a daemon',
    wish: { ...nothing, pipeDirectory: '/tmp/other', directoryExists: true },
    daemons: [],
    expected: { ...off, fellBack: true },
  },
  { what: 'a closed process beside a daemon', wish: null, expected: { ...off, fellBack: null } },
  { what: 'a process where nobody has looked for daemons', daemons: null, expected: { ...off, fellBack: null } },
  { what: 'a program that only draws', lists: ['graphics'], expected: off },
  { what: 'a process whose clients are not listed', listed: false, expected: unknown },
  {
    what: 'a client by the word of its daemon',
    daemons: [{ ...daemon, servers: [{ pid: 473, clientPids: [470] }] }],
    expected: on,
  },
];

describe('the arm of a process', () => {
  for (const { what, lists = plain, wish = nothing, daemons = [daemon], listed = true, expected } of cases) {
    it(`is told of ${what}`, () => {
      assert.deepEqual(processArm(process(lists), wish, daemons, listed), expected);
    });
  }

  it('is none of the MPS server', () => {
    assert.deepEqual(processArm(process(plain, 'mps-server'), nothing, [daemon], true), unknown);
  });
});
