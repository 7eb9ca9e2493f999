/** The pure parts of the adapter of commands: which processes are workers, what is needed, and what an answer must be. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { commandServerSchema } from '../../../lib/records/server-plans/command.ts';
import { answerProblem } from '../../../lib/server/checked-answer.ts';
import { workersAmong } from '../../../lib/server/command/process-tree.ts';
import { commandNeeds } from '../../../lib/server/command/requirements.ts';

const process_ = (pid: number, parentPid: number) => ({ pid, parentPid, startTicks: pid * 10 });
/** 10 and 20 were started; 11 has a child 12; 99 is nobody's. */
const processes = [
  process_(10, 1),
  process_(11, 10),
  process_(12, 11),
  process_(13, 10),
  process_(20, 1),
  process_(99, 1),
];
const leader = (pid: number) => ({ pid, startTicks: pid * 10 });

describe('the workers of a command', () => {
  const cases: readonly (readonly [string, readonly number[], readonly number[], boolean, readonly number[]])[] = [
    ['the started processes without a device', [10, 20], [], false, [10, 20]],
    ['those on the device, however deep', [10, 20], [12, 20], false, [12, 20]],
    ['the started one where only others of it are on the device', [10, 20], [12], false, [12, 20]],
    ['nobody of another family', [20], [99], false, [20]],
    ['the children of the only one', [10], [], true, [11, 13]],
    ['the only one where it has no children', [20], [], true, [20]],
    ['the only one’s family on the device', [10], [10, 12, 13], true, [10, 12, 13]],
  ];
  for (const [what, leaders, onDevice, single, expected] of cases) {
    it(`are ${what}`, () => {
      const found = workersAmong(leaders.map(leader), processes, new Set(onDevice), single);
      assert.deepEqual(found.workers.map(({ pid }) => pid).sort(), [...expected].sort());
      assert.equal(
        found.onDevice,
        expected.every((pid) => onDevice.includes(pid)),
      );
      const all = [...found.workers, ...found.others].map(({ pid }) => pid);
      assert.equal(new Set(all).size, all.length);
      assert.ok(!all.includes(99));
    });
  }

  it('are none of a process that took the number of one that is gone', () => {
    const found = workersAmong([{ pid: 10, startTicks: 7 }], processes, new Set([12]), false);
    assert.deepEqual(found, { workers: [], others: [], onDevice: false });
  });
});

describe('the needs of a command', () => {
  const planOf = (changes: object) => commandServerSchema.parse({ kind: 'command', launch: 'node {port}', ...changes });
  const cases: readonly (readonly [string, object, readonly string[]])[] = [
    ['are met by a program on PATH', {}, []],
    ['include the program', { launch: 'no-such-program {port}' }, ['command-program']],
    ['include a program below the directory', { launch: './absent {port}' }, ['command-program']],
    ['include that it can be run', { launch: [fileURLToPath(import.meta.url), '{port}'] }, ['command-program']],
    ['include the directory', { cwd: '/absent' }, ['command-directory']],
    ['include the bodies', { request: { bodies: ['/absent', '/etc'] } }, ['request-body', 'request-body']],
    ['leave a PATH of the plan to itself', { environment: { PATH: '/absent' } }, ['command-program']],
  ];
  for (const [what, changes, missing] of cases) {
    it(what, () => {
      const found = commandNeeds(planOf(changes)).filter(({ problem }) => problem !== null);
      assert.deepEqual(
        found.map(({ code }) => code),
        missing,
      );
    });
  }
});

describe('a checked answer', () => {
  const cases: readonly (readonly [number, string, Parameters<typeof answerProblem>[1], RegExp | null])[] = [
    [200, 'x', null, null],
    [204, '', null, null],
    [404, 'not\nhere', null, /^answered 404: not here$/],
    [200, '{"a": [1, 2]}', { json: { a: [1, 2] } }, null],
    [200, '{"a": [2, 1]}', { json: { a: [1, 2] } }, /instead of expect\.json/],
    [200, 'no JSON', { json: {} }, /instead of expect\.json/],
    [200, 'logits 3', { pattern: '^logits \\d$' }, null],
    [200, 'logit', { pattern: '^logits' }, /expect\.pattern does not match/],
    [500, 'logits 3', { pattern: '^logits' }, /^answered 500/],
  ];
  for (const [status, text, expected, problem] of cases) {
    it(`${status} ${JSON.stringify(text)} ${problem === null ? 'is' : 'is not'} ${JSON.stringify(expected)}`, () => {
      const found = answerProblem({ status, text }, expected);
      if (problem === null) assert.equal(found, null);
      else assert.match(found ?? '', problem);
    });
  }
});
