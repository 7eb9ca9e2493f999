/** Names of arms and cells. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type Arm, armName, armNameSchema, cellId, cellSchema, parseArm } from '../../../lib/records/arm.ts';

const arms: readonly (readonly [string, Arm, string])[] = [
  ['off', { kind: 'off' }, 'off'],
  [' off ', { kind: 'off' }, 'off'],
  ['mps', { kind: 'mps', activeThreadPercentage: null }, 'mps'],
  ['mps:50', { kind: 'mps', activeThreadPercentage: 50 }, 'mps:50'],
  ['mps:050', { kind: 'mps', activeThreadPercentage: 50 }, 'mps:50'],
  ['mps:12.5', { kind: 'mps', activeThreadPercentage: 12.5 }, 'mps:12.5'],
  ['mps:100', { kind: 'mps', activeThreadPercentage: 100 }, 'mps:100'],
];
const syntax = ['', 'on', 'OFF', 'mps:', 'mps50', 'mps:-5', 'mps:50%', 'mps:1e2', 'off:50', 'mps:50,off', 'mps:1000'];
const range = ['mps:0', 'mps:0.0', 'mps:101', 'mps:100.1', 'mps:999'];

describe('parseArm', () => {
  for (const [text, arm, name] of arms) {
    it(`reads '${text}' as the arm ${name}`, () => {
      assert.deepEqual(parseArm(text), arm);
      assert.equal(armName(arm), name);
    });
  }

  for (const text of syntax) {
    it(`refuses '${text}' and names the arms there are`, () => {
      assert.throws(() => parseArm(text), {
        name: 'RangeError',
        message: /is not an arm; arms are off, mps and mps:P/,
      });
    });
  }

  for (const text of range) {
    it(`refuses the percentage of '${text}'`, () => {
      assert.throws(() => parseArm(text), { name: 'RangeError', message: /is above 0 and at most 100/ });
    });
  }
});

describe('armNameSchema', () => {
  it('gives the one spelling of an arm', () => assert.equal(armNameSchema.parse('mps:050'), 'mps:50'));

  it('reports the reader’s own message', () => {
    const result = armNameSchema.safeParse('mps:0');
    assert.match(result.error?.issues[0]?.message ?? '', /asks for 0 %/);
  });
});

describe('cells', () => {
  const named: readonly (readonly [{ workers: number; batchSize: number; arm: string }, string])[] = [
    [{ workers: 1, batchSize: 1, arm: 'off' }, 'w1-b1-off'],
    [{ workers: 2, batchSize: 8, arm: 'mps:50' }, 'w2-b8-mps50'],
    [{ workers: 16, batchSize: 32, arm: 'mps:12.5' }, 'w16-b32-mps12.5'],
  ];
  for (const [cell, id] of named) {
    it(`have the id ${id}, which is safe in file names`, () => {
      assert.equal(cellId(cellSchema.parse(cell)), id);
      assert.match(id, /^[a-z0-9.-]+$/);
    });
  }

  for (const cell of [
    { workers: 0, batchSize: 1, arm: 'off' },
    { workers: 1, batchSize: 1.5, arm: 'off' },
    { workers: 1, batchSize: 1, arm: 'on' },
  ]) {
    it(`are refused as ${JSON.stringify(cell)}`, () => assert.equal(cellSchema.safeParse(cell).success, false));
  }
});
