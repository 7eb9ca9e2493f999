/** `mpsbench agent` as a child process, on a scripted host. */
import assert from 'node:assert/strict';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { startCli } from '../cli/run-cli.ts';

export interface RunningAgent {
  readonly child: ChildProcess;
  readonly url: string;
}

/** Resolves once it listens. */
export async function startAgent(words: readonly string[], variables: NodeJS.ProcessEnv): Promise<RunningAgent> {
  const child = startCli(['agent', '--port', '0', '--json', ...words], variables);
  let printed = '';
  let complaint = '';
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    complaint += text;
  });
  const ended = once(child, 'close').then(() => assert.fail(`the agent has ended: ${complaint}`));
  ended.catch(() => {});
  child.stdout?.setEncoding('utf8');
  while (!printed.endsWith('}\n')) {
    const [text] = await Promise.race([once(child.stdout ?? child, 'data'), ended]);
    printed += text;
  }
  return { child, url: JSON.parse(printed).url };
}

/** Ends it as a user does; gives its exit status. */
export async function stopAgent({ child }: RunningAgent): Promise<number | null> {
  const closed = once(child, 'close');
  child.kill('SIGTERM');
  const [status] = await closed;
  return status;
}

/** Series of an exposition: "name{labels}" -> value. Fails for a line that is none. */
export function seriesIn(text: string): Map<string, number> {
  const found = new Map<string, number>();
  for (const line of text.split('\n')) {
    if (line === '' || line.startsWith('# ')) continue;
    const match = /^([a-z_]+(?:\{(?:[a-z_]+="(?:[^"\\]|\\.)*",?)*\})?) (\S+)$/.exec(line);
    assert.ok(match, `no series: ${line}`);
    assert.ok(!found.has(match[1] ?? ''), `twice: ${line}`);
    found.set(match[1] ?? '', Number(match[2]));
  }
  return found;
}
