/** Which reads are handed to a parser where they lie, and which are copied because it may keep parts of them. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { SocketMemory } from '../../../lib/load/socket-memory.ts';

function receivedAfter(memory: SocketMemory, text: string): Buffer {
  memory.readBuffer.write(text, 'latin1');
  return memory.received(text.length);
}

const whole = 'HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok';
const cases: readonly (readonly [what: string, read: string, copied: boolean])[] = [
  ['a whole reply', whole, false],
  ['a head that ends later than the last one', whole.replace('OK', 'Very OK'), false],
  ['the start of a head', 'HTTP/1.1 200 OK\r\ncontent-le', true],
  ['a head but for its last byte', 'HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r', true],
  ['the rest of a head, with a body', 'ngth: 2\r\n\r\nok', false],
  ['a piece of a body', 'abcdefgh', true],
  ['an informational head and the start of another', 'HTTP/1.1 102 Wait\r\n\r\nHTTP/1.1 200 OK\r\nx', true],
  ['less than a status line', 'HT', true],
];

describe('a read', () => {
  for (const [what, read, copied] of cases) {
    for (const before of [null, whole]) {
      const after = before === null ? 'at first' : 'after a whole reply';
      it(`of ${what} is ${copied ? 'copied' : 'handed over where it lies'} ${after}`, () => {
        const memory = new SocketMemory();
        if (before !== null) receivedAfter(memory, before);
        const chunk = receivedAfter(memory, read);
        assert.equal(chunk.toString('latin1'), read);
        assert.equal(chunk.buffer !== memory.readBuffer.buffer, copied);
      });
    }
  }

  it('longer than any head may be is not copied', () => {
    const memory = new SocketMemory();
    const chunk = receivedAfter(memory, 'x'.repeat(40_000));
    assert.equal(chunk.length, 40_000);
    assert.equal(chunk.buffer, memory.readBuffer.buffer);
  });

  it('may have any length up to the whole buffer', () => {
    const memory = new SocketMemory();
    for (const length of [0, 1, 4095, 4096, 4097, memory.readBuffer.length]) {
      assert.equal(memory.received(length).length, length);
    }
  });
});
