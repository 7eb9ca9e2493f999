/** A deadline comes, whatever the garbage collector does meanwhile. */
import assert from 'node:assert/strict';
import { getEventListeners } from 'node:events';
import { describe, it } from 'node:test';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { deadline, systemClock } from '../../../lib/core/clock.ts';
import { ns } from '../../../lib/core/units.ts';

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

/** Collects garbage until the signal has aborted; false if it has not within five seconds. */
async function abortsWhileCollecting(signal: AbortSignal): Promise<boolean> {
  for (let round = 0; round < 500 && !signal.aborted; round++) {
    collectGarbage();
    await systemClock.sleep(ns(10e6));
  }
  return signal.aborted;
}

describe('a deadline', () => {
  it('comes although only weak references to its timer are left', async () => {
    const over = deadline(ns(100e6), new AbortController().signal);
    assert.ok(await abortsWhileCollecting(over));
    assert.equal(over.reason.name, 'TimeoutError');
  });

  it('passes on the abort of the signal given, with its reason', () => {
    const abort = new AbortController();
    const over = deadline(ns(3600e9), abort.signal);
    abort.abort('why');
    assert.deepEqual([over.aborted, over.reason], [true, 'why']);
  });

  it('leaves nothing on the signal given once it is disposed of, and does not abort any more', () => {
    const abort = new AbortController();
    for (let index = 0; index < 20; index++) {
      using over = deadline(ns(3600e9), abort.signal);
      assert.equal(getEventListeners(abort.signal, 'abort').length, 1);
      assert.equal(over.aborted, false);
    }
    assert.equal(getEventListeners(abort.signal, 'abort').length, 0);
  });

  it('is over at once when the signal given is', () => {
    assert.equal(deadline(ns(3600e9), AbortSignal.abort('why')).reason, 'why');
  });

  it('is not cut short by a span longer than a timer takes', async () => {
    const over = deadline(ns(Number.MAX_SAFE_INTEGER));
    await systemClock.sleep(ns(20e6));
    assert.equal(over.aborted, false);
  });
});
