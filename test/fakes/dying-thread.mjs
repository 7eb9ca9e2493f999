/** A sending thread that is ready and then dies in the way its environment names. */
import { env, exit } from 'node:process';
import { parentPort } from 'node:worker_threads';

const deaths = {
  throws: () => {
    throw new Error('thread out of luck');
  },
  exits: () => exit(7),
};

if (env.DYING_THREAD === 'at once') exit(9);
parentPort.on('message', () => deaths[env.DYING_THREAD]());
parentPort.postMessage({ kind: 'ready' });
