/** Where autocannon is: among the packages of the project, or in a folder of the benchmarks, put there when needed. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { root, runCommand } from '../test/runner/command.ts';

const version = '9.0.0';
/** Where npm's load generators are: not among the package's own, since nobody needs them but the benchmarks. */
export const npmPeers = join(root, 'build-bench/peers');

/** Path of its program; null where it cannot be had. */
export async function autocannonPath(): Promise<string | null> {
  const places = [root, npmPeers].map((folder) => join(folder, 'node_modules/autocannon/autocannon.js'));
  const found = places.find((path) => existsSync(path));
  if (found !== undefined) return found;
  const options = ['install', '--prefix', npmPeers, '--no-audit', '--no-fund', `autocannon@${version}`];
  const installed = await runCommand('npm', options, { output: 'keep' });
  return installed.ok ? (places.find((path) => existsSync(path)) ?? null) : null;
}
