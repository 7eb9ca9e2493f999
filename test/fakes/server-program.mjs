/**
 * A server program that behaves as its argument says, for tests of whoever starts servers.
 * serve: writes "ready" and runs until SIGTERM · silent: runs, says nothing · dies: says why and ends with status 3 ·
 * stubborn: ready, ignores SIGTERM · parent: ready, has a child that ignores SIGTERM and outlives it.
 */
import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const [, , behaviour] = process.argv;
const forever = () => setInterval(() => {}, 1000);

if (behaviour === 'dies') {
  process.stderr.write('loading\ncannot open the model file\n');
  process.exitCode = 3;
} else {
  if (behaviour === 'stubborn') process.on('SIGTERM', () => {});
  if (behaviour === 'parent') {
    const child = spawn(process.execPath, [fileURLToPath(import.meta.url), 'stubborn'], { stdio: 'ignore' });
    process.stdout.write(`child ${child.pid}\n`);
  }
  forever();
  if (behaviour !== 'silent') process.stdout.write(`ready MARK=${process.env.MARK}\n`);
}
