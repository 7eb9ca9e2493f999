/**
 * Program of the front process. One argument: FrontOptions as JSON. On stdout exactly one line of JSON, `ready` with
 * the ports or `failed` with a code; on stderr one line per event. SIGTERM and SIGINT drain; the end of stdin, which
 * is the end of the parent, stops at once.
 */
import process from 'node:process';
import { MpsbenchError, messageOf } from '../../core/errors.ts';
import { frontOptionsSchema, startFront } from './front.ts';

function say(event: object): void {
  process.stdout.write(`${JSON.stringify(event)}\n`);
}

async function main(): Promise<void> {
  const options = frontOptionsSchema.parse(JSON.parse(process.argv[2] ?? ''));
  const front = await startFront(options, (line) => process.stderr.write(`${line}\n`));
  const end = (how: () => Promise<void>): void => {
    process.stdin.destroy();
    void how();
  };
  process.on('SIGTERM', () => end(front.drain));
  process.on('SIGINT', () => end(front.drain));
  process.stdin.on('end', () => end(front.stop)).on('error', () => end(front.stop));
  process.stdin.resume();
  say({ event: 'ready', inferencePort: front.inferencePort, managementPort: front.managementPort });
}

try {
  await main();
} catch (thrown) {
  const code = thrown instanceof MpsbenchError ? thrown.code : 'SERVER_START_FAILED';
  say({ event: 'failed', code, message: messageOf(thrown) });
  process.exitCode = 1;
}
