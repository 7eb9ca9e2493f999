/** Who is attached to MPS and who fell back, from what the driver, the daemons and /proc say; and the bar's parts. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  type AttachmentFacts,
  attachmentOf,
  type MpsWish,
  type ReachableDaemon,
} from '../../../lib/cli/watch/attachment.ts';
import { memoryParts } from '../../../lib/cli/watch/memory-parts.ts';
import { startVariables } from '../../../lib/core/process-identity.ts';

const nothing: MpsWish = { pipeDirectory: null, directoryExists: false, threadPercentage: null };
const there: MpsWish = { pipeDirectory: '/run/mps', directoryExists: true, threadPercentage: null };
const daemon: ReachableDaemon = { pipeDirectory: '/run/mps', running: true, clientPids: [], defaultSharePercent: 100 };
const byDefault: ReachableDaemon = { ...daemon, pipeDirectory: '/tmp/nvidia-mps' };
const stale: ReachableDaemon = { ...daemon, running: false, clientPids: null, defaultSharePercent: null };

const plain: AttachmentFacts = {
  reading: { pid: 7, lists: ['compute'] },
  role: 'foreign',
  wish: nothing,
  daemons: [],
  defaultDirectory: '/tmp/nvidia-mps',
  clientsListed: true,
};
const client: Partial<AttachmentFacts> = { reading: { pid: 7, lists: ['compute', 'mps'] }, role: 'mps-client' };

/** What, facts, attachment, arm, share, detail. */
const cases: readonly (readonly [
  string,
  Partial<AttachmentFacts>,
  string,
  string | null,
  number | null,
  RegExp | null,
])[] = [
  ['the MPS server', { role: 'mps-server' }, 'server', null, null, null],
  ['a client without a share', { ...client, wish: there, daemons: [daemon] }, 'attached', 'mps', 100, null],
  [
    'a client that asks for 50 %',
    { ...client, wish: { ...there, threadPercentage: '50' }, daemons: [daemon] },
    'attached',
    'mps:50',
    50,
    null,
  ],
  [
    'a client that asks for more than its daemon gives',
    { ...client, wish: { ...there, threadPercentage: '80' }, daemons: [{ ...daemon, defaultSharePercent: 30 }] },
    'attached',
    'mps:80',
    30,
    null,
  ],
  [
    'a client whose share is no number',
    { ...client, wish: { ...there, threadPercentage: 'half' } },
    'attached',
    'mps',
    null,
    null,
  ],
  [
    'a client whose environment is closed',
    { ...client, wish: { unavailable: 'no permission' } },
    'attached',
    null,
    null,
    /share is not known.*no permission/,
  ],
  [
    'a process that only the daemon lists as its client',
    { wish: there, daemons: [{ ...daemon, clientPids: [7] }] },
    'attached',
    'mps',
    100,
    null,
  ],
  [
    'a process that asks for a daemon that runs',
    { wish: there, daemons: [daemon] },
    'fell-back',
    'off',
    null,
    /asks for the MPS daemon in \/run\/mps/,
  ],
  [
    'a path to it with a slash more',
    { wish: { ...there, pipeDirectory: '/run/mps/' }, daemons: [daemon] },
    'fell-back',
    'off',
    null,
    /asks for the MPS daemon/,
  ],
  [
    'a process whose daemon is gone',
    { wish: there, daemons: [stale] },
    'fell-back',
    'off',
    null,
    /where no daemon runs/,
  ],
  [
    'a share without a daemon',
    { wish: { ...nothing, threadPercentage: '25' } },
    'fell-back',
    'off',
    null,
    /25 % .* with no daemon/,
  ],
  [
    'a process beside the daemon of the default directory',
    { daemons: [byDefault] },
    'fell-back',
    'off',
    null,
    /runs beside/,
  ],
  ['a process that asks for nothing, with a daemon elsewhere', { daemons: [daemon] }, 'off', 'off', null, null],
  [
    'a process that was kept away by a directory that is not there',
    { wish: { ...there, directoryExists: false }, daemons: [daemon, byDefault].slice(1) },
    'off',
    'off',
    null,
    null,
  ],
  ['a process without MPS on a host without MPS', {}, 'off', 'off', null, null],
  ['a closed environment on a host without MPS', { wish: { unavailable: 'no permission' } }, 'off', 'off', null, null],
  [
    'a closed environment beside a daemon',
    { wish: { unavailable: 'no permission' }, daemons: [daemon] },
    'unknown',
    null,
    null,
    /no permission/,
  ],
  [
    'a driver without a list of clients',
    { wish: there, daemons: [daemon], clientsListed: false },
    'unknown',
    null,
    null,
    /does not list/,
  ],
  [
    'a process that only draws',
    { reading: { pid: 7, lists: ['graphics'] }, daemons: [byDefault] },
    'off',
    'off',
    null,
    /no compute context/,
  ],
];

describe('what MPS does for a process', () => {
  for (const [what, facts, attachment, arm, share, detail] of cases) {
    it(`is ${attachment} for ${what}`, () => {
      const found = attachmentOf({ ...plain, ...facts });
      assert.deepEqual([found.attachment, found.arm, found.smSharePercent], [attachment, arm, share]);
      if (detail === null) assert.equal(found.detail, null);
      else assert.match(found.detail ?? '', detail);
    });
  }
});

describe('the variables that a process was started with', () => {
  it('are those that were asked for, and a reason where there is no such process', () => {
    assert.deepEqual(startVariables(process.pid, ['PATH', 'NOBODY_SETS_THIS']), {
      variables: { PATH: process.env.PATH },
    });
    assert.deepEqual(startVariables(2 ** 22 + 1, ['PATH']), { unavailable: 'not-found' });
  });
});

describe('the parts of the memory', () => {
  const memory = {
    totalBytes: 1000,
    usedBytes: 700,
    reservedBytes: 100,
    freeBytes: 200,
    source: 'nvmlDeviceGetMemoryInfo_v2',
  } as const;

  it('are by holder, with what nobody holds', () => {
    const parts = memoryParts(memory, [
      { pid: 1, role: 'worker', usedBytes: 100 },
      { pid: 2, role: 'worker', usedBytes: 50 },
      { pid: 3, role: 'mps-server', usedBytes: 60 },
      { pid: 4, role: 'mps-client', usedBytes: 90 },
      { pid: 5, role: 'foreign', usedBytes: 300 },
    ]);
    const { unavailable, ...figures } = parts;
    const processes = { workersBytes: 150, mpsClientsBytes: 90, mpsServerBytes: 60, foreignBytes: 300 };
    assert.deepEqual(figures, { ...processes, unexplainedBytes: 100, reservedBytes: 100, freeBytes: 200 });
    assert.deepEqual(unavailable, {});
  });

  it('are unknown with a reason where a process is', () => {
    const parts = memoryParts(memory, [{ pid: 9, role: 'foreign', usedBytes: null }]);
    assert.deepEqual([parts.foreignBytes, parts.unexplainedBytes, parts.workersBytes], [null, null, 0]);
    assert.match(parts.unavailable.foreignBytes ?? '', /PID 9/);
    const unlisted = memoryParts({ ...memory, reservedBytes: null }, null);
    assert.deepEqual([unlisted.workersBytes, unlisted.reservedBytes, unlisted.freeBytes], [null, null, 200]);
  });

  it('have nothing unexplained where the driver counts the same twice', () => {
    assert.equal(memoryParts(memory, [{ pid: 9, role: 'foreign', usedBytes: 900 }]).unexplainedBytes, 0);
  });
});
