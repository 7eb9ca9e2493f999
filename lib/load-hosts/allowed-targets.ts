/** Which servers a load worker sends to: patterns of scheme, host and port. */
import { MpsbenchError } from '../core/errors.ts';
import type { LoadSpec } from '../records/load.ts';

const advice = 'give scheme, host and port such as http://gpu-*:8080, with * for any part of the host';

/** Throws USAGE for a text that is no pattern. */
export function checkPattern(pattern: string): void {
  const url = URL.canParse(pattern) ? new URL(pattern) : null;
  if (url === null || !/^https?:$/.test(url.protocol)) {
    throw new MpsbenchError('USAGE', `target '${pattern}' is no pattern: ${advice}`);
  }
  if (url.pathname !== '/' || url.search !== '' || url.hash !== '' || url.username !== '') {
    throw new MpsbenchError('USAGE', `target '${pattern}' has more than scheme, host and port: ${advice}`);
  }
}

/** The first of the load's targets, its proxy among them, that no pattern allows; null where all may be loaded. */
export function refusedTarget(
  { url, endpoints, transport }: Pick<LoadSpec, 'url' | 'endpoints' | 'transport'>,
  patterns: readonly string[],
): string | null {
  if (patterns.length === 0) return null;
  const targets = [url, ...(endpoints ?? []), ...(transport.proxyUrl === null ? [] : [transport.proxyUrl])];
  const refused = targets.find((target) => !patterns.some((pattern) => matches(new URL(target), new URL(pattern))));
  return refused === undefined ? null : new URL(refused).origin;
}

function matches(target: URL, pattern: URL): boolean {
  if (target.protocol !== pattern.protocol || target.port !== pattern.port) return false;
  const literal = pattern.hostname.split('*').map((part) => part.replaceAll(/[.+?^${}()|[\]\\]/g, '\\$&'));
  return new RegExp(`^${literal.join('.*')}$`, 'i').test(target.hostname);
}
