/** Keeps the memory of a run with thousands of connections of the undici engine small. */
import type net from 'node:net';
import { Duplex } from 'node:stream';
import { setFlagsFromString } from 'node:v8';
import { Client } from 'undici';

/**
 * Below it, the garbage of requests in flight is small beside what a process of Node takes anyway. Above it, a request
 * in flight outlives the young generation, and V8 by its own rule would let several times the live heap pile up.
 */
const fewestConnections = 2000;

/**
 * Until its disposal garbage is collected at 1.3 times what was live, instead of at up to 4 times: a hint to the heap of
 * the whole process, worker threads included. Measured in docs/decisions/0007-undici-cost.md.
 */
export async function spareHeap(connections: number): Promise<Disposable> {
  if (connections < fewestConnections) return { [Symbol.dispose]: () => {} };
  await rehearse();
  setFlagsFromString('--optimize-for-size');
  return { [Symbol.dispose]: () => setFlagsFromString('--no-optimize-for-size') };
}

/**
 * With its first reply undici's parser is compiled once more for speed, for which V8 takes 30 MiB for a moment: better
 * before the connections are there than on top of them.
 */
async function rehearse(): Promise<void> {
  const socket = new Duplex({
    read: () => {},
    write: (_request, _encoding, done) => {
      socket.push('HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok');
      done();
    },
  });
  const client = new Client('http://localhost', {
    // Undici asks of it what every stream has, and expects no connection within the call.
    connect: (_options, callback) => void setImmediate(callback, null, socket as unknown as net.Socket),
  });
  const { body } = await client.request({ path: '/', method: 'GET' });
  await body.dump();
  await client.destroy();
}
