/** Network namespaces on one bridge, as hosts of their own for a test. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import process from 'node:process';
import { cliEnvironment, mainPath } from '../cli/run-cli.ts';

export interface LoadNamespaces extends Disposable {
  /** Of the bridge, which every namespace reaches. */
  readonly address: string;
  /** A process in namespace `index`. */
  start(index: number, args: readonly string[]): ChildProcess;
}

/** Why there are none here; false where there are. */
export function withoutNamespaces(): string | false {
  if (process.getuid?.() !== 0) return 'network namespaces need root';
  const name = `mpsbench-try-${process.pid}`;
  if (!ip('netns', 'add', name)) return 'network namespaces need root with the right to make them, and iproute2';
  ip('netns', 'del', name);
  const made = ip('link', 'add', bridgeName, 'type', 'bridge');
  ip('link', 'del', bridgeName);
  return made ? false : 'a network bridge needs root with the right to make one';
}

const bridgeName = `mb${process.pid}`.slice(0, 15);
const subnet = `10.${200 + (process.pid % 50)}.${(process.pid >> 6) % 250}`;

export function loadNamespaces(count: number): LoadNamespaces {
  const name = (index: number): string => `mpsbench-${process.pid}-${index}`;
  const address = `${subnet}.1`;
  const made =
    ip('link', 'add', bridgeName, 'type', 'bridge') &&
    ip('address', 'add', `${address}/24`, 'dev', bridgeName) &&
    ip('link', 'set', bridgeName, 'up');
  const remove = (): void => {
    for (let index = 0; index < count; index++) ip('netns', 'del', name(index));
    ip('link', 'del', bridgeName);
  };
  for (let index = 0; made && index < count; index++) {
    const [outside, inside] = [`${bridgeName}h${index}`.slice(-15), `${bridgeName}n${index}`.slice(-15)];
    const steps = [
      ['netns', 'add', name(index)],
      ['link', 'add', outside, 'type', 'veth', 'peer', 'name', inside],
      ['link', 'set', inside, 'netns', name(index)],
      ['link', 'set', outside, 'master', bridgeName, 'up'],
      ['-n', name(index), 'address', 'add', `${subnet}.${index + 2}/24`, 'dev', inside],
      ['-n', name(index), 'link', 'set', inside, 'up'],
    ];
    if (steps.every((step) => ip(...step))) continue;
    remove();
    throw new Error(`namespace ${index} could not be made`);
  }
  return {
    address,
    start: (index, args) =>
      spawn('ip', ['netns', 'exec', name(index), process.execPath, mainPath, ...args], {
        env: cliEnvironment(),
        stdio: 'pipe',
      }),
    [Symbol.dispose]: remove,
  };
}

function ip(...args: readonly string[]): boolean {
  return spawnSync('ip', args, { stdio: 'ignore' }).status === 0;
}
