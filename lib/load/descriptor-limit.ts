/** Refuses a run for which this process may not open enough files, before it fails in the middle. */
import { readdirSync, readFileSync } from 'node:fs';
import { MpsbenchError } from '../core/errors.ts';
import type { LoadSpec } from '../records/load.ts';

/** For what a run opens beside its connections: polls, timers, name service, files. */
const reserve = 32;

/**
 * Node has raised the limit as far as it may go by itself (its soft to its hard value) when it started, so only the
 * hard one stands. Throws OPEN_FILE_LIMIT. Does nothing where the system does not tell its limits (other than Linux).
 */
export function checkDescriptorLimit({ loop, transport }: Pick<LoadSpec, 'loop' | 'transport'>): void {
  const inFlight = loop.kind === 'closed' ? loop.concurrency : loop.connections;
  const connections = Math.ceil(inFlight / (transport.http2Streams ?? 1));
  const files = openFiles();
  if (files === null) return;
  const needed = connections + files.open + reserve;
  if (needed <= files.limit) return;
  throw new MpsbenchError(
    'OPEN_FILE_LIMIT',
    `${connections} connections need ${needed} open files and this process may have ${files.limit}: ` +
      `raise the limit in the shell that starts it (ulimit -n ${needed}), or ask for fewer connections`,
  );
}

/**
 * For the program itself: its modules are loaded many at a time, and each child takes some. Below it Node says of a
 * module that is there that it cannot be found.
 */
export const leastOpenFiles = 128;

/** Throws OPEN_FILE_LIMIT if this process may open fewer than the program needs. */
export function checkProgramLimit(): void {
  const files = openFiles();
  if (files === null || files.limit >= leastOpenFiles) return;
  throw new MpsbenchError(
    'OPEN_FILE_LIMIT',
    `mpsbench needs ${leastOpenFiles} open files and this process may have ${files.limit}: ` +
      `raise the limit in the shell that starts it (ulimit -n ${leastOpenFiles})`,
  );
}

function openFiles(): { readonly limit: number; readonly open: number } | null {
  try {
    const limits = readFileSync('/proc/self/limits', 'latin1');
    const soft = /^Max open files +(\d+)/m.exec(limits)?.[1];
    return soft === undefined ? null : { limit: Number(soft), open: readdirSync('/proc/self/fd').length };
  } catch {
    return null;
  }
}
