/** What is undone when there is no time to unwind. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { emergencyStops } from '../../../lib/core/emergency.ts';

describe('emergencyStops', () => {
  it('runs the newest first', () => {
    const ran: string[] = [];
    const stops = emergencyStops();
    for (const name of ['daemon', 'server', 'worker']) stops.add(() => void ran.push(name));
    stops.runAll();
    assert.deepEqual(ran, ['worker', 'server', 'daemon']);
  });

  it('runs each once, however often it is asked', () => {
    let ran = 0;
    const stops = emergencyStops();
    stops.add(() => void ran++);
    stops.runAll();
    stops.runAll();
    assert.equal(ran, 1);
  });

  it('does not run what was removed, and takes a second removal', () => {
    let ran = 0;
    const stops = emergencyStops();
    const remove = stops.add(() => void ran++);
    remove();
    remove();
    stops.runAll();
    assert.equal(ran, 0);
  });

  it('goes on after one that throws', () => {
    const ran: string[] = [];
    const stops = emergencyStops();
    stops.add(() => void ran.push('first'));
    stops.add(() => {
      throw new Error('already gone');
    });
    stops.add(() => void ran.push('last'));
    stops.runAll();
    assert.deepEqual(ran, ['last', 'first']);
  });
});
