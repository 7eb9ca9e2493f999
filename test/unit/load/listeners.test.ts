/** Who listens to a socket of the undici engine. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Listeners } from '../../../lib/load/listeners.ts';

describe('listeners', () => {
  it('are called in order, each with its own event', () => {
    const heard: string[] = [];
    const listeners = new Listeners();
    listeners.on('close', () => heard.push('close 1')).on('end', () => heard.push('end'));
    listeners.on('close', () => heard.push('close 2'));
    listeners.emit('close');
    assert.deepEqual(heard, ['close 1', 'close 2']);
  });

  it('are called on what they listen to, with what it tells', () => {
    const told: unknown[] = [];
    const listeners = new Listeners();
    listeners.on('error', function (this: unknown, error: unknown) {
      told.push(this, error);
    });
    const error = new Error('broken');
    listeners.emit('error', error);
    assert.deepEqual(told, [listeners, error]);
  });

  it('may leave while they are called, and the others are called all the same', () => {
    const heard: string[] = [];
    const listeners = new Listeners();
    const once = (): void => {
      heard.push('once');
      listeners.removeListener('close', once);
    };
    listeners.on('close', once).on('close', () => heard.push('always'));
    listeners.emit('close');
    listeners.emit('close');
    assert.deepEqual(heard, ['once', 'always', 'always']);
  });

  it('that leave another event than theirs stay', () => {
    let heard = 0;
    const listeners = new Listeners();
    const listener = (): void => void heard++;
    listeners.on('end', listener).off('close', listener);
    listeners.emit('end');
    assert.equal(heard, 1);
  });

  it('an error with no listener is dropped', () => {
    assert.doesNotThrow(() => new Listeners().emit('error', new Error('unheard')));
  });
});
