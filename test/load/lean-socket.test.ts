/** The socket that undici gets instead of Node's. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import net from 'node:net';
import { describe, it } from 'node:test';
import { LeanSocket } from '../../lib/load/lean-socket.ts';
import { SocketMemory } from '../../lib/load/socket-memory.ts';
import { type Listening, listening } from '../fakes/listening.ts';

interface Pair extends AsyncDisposable {
  readonly lean: LeanSocket;
  readonly peer: net.Socket;
}

async function pair(server: net.Server, { port }: Listening, memory: SocketMemory, direct = true): Promise<Pair> {
  const accepted = once(server, 'connection');
  const lean = new LeanSocket(memory, (onread) => {
    const to = { port, host: '127.0.0.1' };
    return { socket: net.connect(direct ? { ...to, onread } : to), direct };
  });
  const [peer] = await accepted;
  return { lean, peer, [Symbol.asyncDispose]: async () => lean.destroy() };
}

function readable(lean: LeanSocket): Promise<void> {
  return new Promise((resolve) => {
    lean.on('readable', () => resolve());
  });
}

describe('a lean socket', () => {
  for (const direct of [true, false]) {
    it(`hands over what comes when it is read, ${direct ? 'from the shared buffer' : 'from a stream'}`, async () => {
      const server = net.createServer();
      await using listens = await listening(server);
      await using connected = await pair(server, listens, new SocketMemory(), direct);
      connected.peer.write('hello');
      await readable(connected.lean);
      assert.equal(connected.lean.read()?.toString(), 'hello');
      assert.equal(connected.lean.read(), null);
    });
  }

  it('keeps what it handed over when another socket reads into the same buffer', async () => {
    const server = net.createServer();
    await using listens = await listening(server);
    const memory = new SocketMemory();
    await using one = await pair(server, listens, memory);
    await using other = await pair(server, listens, memory);
    one.peer.write('content-len');
    await readable(one.lean);
    const part = one.lean.read();
    other.peer.write('x'.repeat(1000));
    await readable(other.lean);
    assert.equal(part?.toString(), 'content-len');
  });

  it('keeps what nobody has read yet, also a chunk too long to be a head', async () => {
    const server = net.createServer();
    await using listens = await listening(server);
    const memory = new SocketMemory();
    await using one = await pair(server, listens, memory);
    await using other = await pair(server, listens, memory);
    const sent = 'y'.repeat(60_000);
    let came = 0;
    const all = new Promise<void>((resolve) => {
      one.lean.on('readable', () => {
        came++;
        resolve();
      });
    });
    one.peer.write(sent);
    await all;
    other.peer.write('x'.repeat(60_000));
    await readable(other.lean);
    assert.ok(came > 0);
    assert.match(one.lean.read()?.toString() ?? '', /^y+$/);
  });

  it('writes a head and its body in one piece, and each body its own', async () => {
    const server = net.createServer();
    await using listens = await listening(server);
    await using connected = await pair(server, listens, new SocketMemory());
    const { lean, peer } = connected;
    const bodies = [Buffer.from('one'), Buffer.from('other'), Buffer.alloc(200_000, 'z')];
    const expected: string[] = [];
    for (const head of ['keep-alive: ', 'close: ']) {
      for (const body of [...bodies, ...bodies]) {
        lean.cork();
        lean.write(head);
        lean.write(body);
        lean.uncork();
        expected.push(head + body);
      }
    }
    lean.write('no body');
    const text = `${expected.join('')}no body`;
    let received = '';
    for await (const chunk of peer) {
      received += chunk;
      if (received.length >= text.length) break;
    }
    assert.ok(received === text, `${received.length} of ${text.length} bytes, or others`);
  });

  it('tells of errors, the end and the close of the socket underneath', async () => {
    const server = net.createServer();
    await using listens = await listening(server);
    await using connected = await pair(server, listens, new SocketMemory());
    const told: string[] = [];
    const closed = new Promise<void>((resolve) => {
      for (const event of ['error', 'end']) connected.lean.on(event, () => told.push(event));
      connected.lean.on('close', () => {
        told.push('close');
        resolve();
      });
    });
    connected.lean.destroy(new Error('no more'));
    assert.equal(connected.lean.destroyed, true);
    await closed;
    assert.deepEqual(told, ['error', 'close']);
    assert.equal(connected.lean.errored?.message, 'no more');
  });
});
