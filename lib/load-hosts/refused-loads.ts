/** Loads that load hosts cannot send: refused with one line, before anything is started. */
import { MpsbenchError } from '../core/errors.ts';
import type { LoadHooks } from '../load/engine.ts';
import type { LoadSpec } from '../records/load.ts';

/** Throws USAGE. */
export function refuseLoad(spec: LoadSpec, { onRow, onInterval }: Partial<LoadHooks>): void {
  const refused: readonly [boolean, string, string][] = [
    [onRow !== undefined, 'rows of single requests (--raw)', 'leave them out'],
    [onInterval !== undefined, 'reports while it runs (--json-lines)', 'give --json'],
    [spec.steady !== undefined, 'a warm-up that ends by itself (auto)', 'give its length, such as --warmup 5s'],
    [spec.stream !== undefined, 'event streams (--stream)', 'send them from one host'],
    [spec.socketPath !== null, 'a Unix socket', 'give the URL of a server that all hosts reach'],
  ];
  const first = refused.find(([given]) => given);
  if (first === undefined) return;
  throw new MpsbenchError('USAGE', `a load from several hosts has no ${first[1].replace(/^an? /, '')}: ${first[2]}`);
}
