/** `load` from several hosts: what it cannot do there, and its run. */
import { MpsbenchError } from '../core/errors.ts';
import { formatDuration, formatRate, ns } from '../core/units.ts';
import type { LoadProgress } from '../load/engine.ts';
import { checkSpec } from '../load/run-load.ts';
import type { LoadSpec } from '../records/load.ts';
import type { LoadHosts } from '../records/load-hosts.ts';
import type { CliContext } from './context.ts';
import type { MeasuredLoad } from './load-document.ts';
import { type LoadHostsOptions, loadHostsOf } from './load-hosts-options.ts';
import { liveStatus } from './progress-line.ts';

interface Options extends LoadHostsOptions {
  readonly engine: 'auto' | 'native' | 'undici';
  readonly threads: number;
  readonly raw?: string;
  readonly jsonLines?: boolean;
  readonly clientCpus?: string;
  readonly calibrate?: boolean;
  readonly quiet?: boolean;
}

/** Throws USAGE for options that are about this host alone. */
export function checkOverHosts({ raw, jsonLines, clientCpus, calibrate }: Partial<Options>): void {
  const refused: readonly [boolean, string][] = [
    [raw !== undefined, '--raw writes the rows of one generator: leave out --load-hosts'],
    [jsonLines === true, '--json-lines tells of one generator while it runs: give --json'],
    [clientCpus !== undefined, '--client-cpus is about the host that sends: give it to load-worker'],
    [calibrate === true, '--calibrate measures the generator of this host: run it on a load host'],
  ];
  const first = refused.find(([given]) => given);
  if (first !== undefined) throw new MpsbenchError('USAGE', first[1]);
}

export async function runOverHosts(context: CliContext, spec: LoadSpec, options: Options): Promise<MeasuredLoad> {
  checkOverHosts(options);
  checkSpec(spec);
  const { engine, threads, quiet } = options;
  const hosts = await loadHostsOf(context, options, { engine, threads });
  if (hosts === null) throw new RangeError('a load without --load-hosts is run here');
  const live = quiet === true ? null : liveStatus(context);
  try {
    const onProgress = (progress: LoadProgress): void => live?.update(progressText(progress));
    const result = await hosts.run(spec, { signal: context.signal, origin: null, onProgress });
    return { result, headroom: null, placement: null };
  } finally {
    live?.done();
  }
}

/** What the text report says of the hosts, beside the generator. */
export function hostRows(hosts: LoadHosts | undefined): (readonly [label: string, text: string])[] {
  if (hosts === undefined) return [];
  const clockErrorNs = Math.max(...hosts.hosts.map((host) => host.clockErrorNs));
  const spread = `started within ${formatDuration(ns(hosts.startSpreadNs))} (clocks ±${formatDuration(ns(clockErrorNs))})`;
  const each = hosts.hosts.map(
    ({ name, finished, connections }) => ['', `${name}: ${finished} requests over ${connections} connections`] as const,
  );
  return [['load hosts', `${hosts.hosts.length}, ${spread}`], ...each];
}

function progressText({ phase, elapsedNs, ok, errors, recentPerSecond }: LoadProgress): string {
  const rate = formatRate(Math.max(0, recentPerSecond));
  return `${phase} ${formatDuration(ns(Math.max(0, elapsedNs)))}: ${ok} ok, ${errors} errors, ${rate}`;
}
