/** Which engine sends a run's requests. */
import { MpsbenchError } from '../core/errors.ts';
import { loadAddon, type NativeAddon } from '../native/addon.ts';
import type { LoadSpec } from '../records/load.ts';
import type { LoadEngine } from './engine.ts';
import { nativeEngine } from './native-sender.ts';
import { pinnedEngine } from './pinned-engine.ts';

/** auto: native where it can serve the load, undici elsewhere. */
export type EngineChoice = 'auto' | 'native' | 'undici';

export interface EngineWish {
  readonly engine: EngineChoice;
  /** Sending threads; no more are used than requests may be in flight. */
  readonly threads: number;
  /** CPUs that the whole process is kept to while it sends; null = any. */
  readonly cpus: readonly number[] | null;
}

export const anyEngine: EngineWish = { engine: 'auto', threads: 1, cpus: null };

type Target = Pick<LoadSpec, 'url' | 'transport'>;

/** Chooses anew for each run, by what it loads. */
export function wishedEngine(wish: EngineWish): Pick<LoadEngine, 'run'> {
  return { run: async (spec, hooks) => (await chooseEngine(spec, wish)).run(spec, hooks) };
}

/** Rejects with USAGE for a wish that the load or the machine rules out (CPUs without the addon among them), ADDON_MISSING for a native engine that is not there. */
export async function chooseEngine(target: Target, wish: EngineWish): Promise<LoadEngine> {
  const engine = await freeEngine(target, wish);
  return wish.cpus === null ? engine : pinnedEngine(engine, wish.cpus);
}

async function freeEngine(target: Target, { engine, threads, cpus }: EngineWish): Promise<LoadEngine> {
  if (engine === 'undici') return await undici(threads, null);
  const obstacle = nativeObstacle(target);
  if (engine === 'native') {
    if (obstacle === null) return nativeEngine({ addon: loadAddon(), threads, cpus });
    const message = `the native engine cannot load ${target.url}: it ${obstacle}; use --engine undici`;
    throw new MpsbenchError('USAGE', message);
  }
  if (obstacle !== null) return await undici(threads, `the native engine ${obstacle}`);
  const addon = addonOrNull();
  if (addon !== null) return nativeEngine({ addon, threads, cpus });
  return await undici(threads, 'the native engine is not built here');
}

/** Undici takes as long to load as everything else that a native run needs. */
async function undici(threads: number, reason: string | null): Promise<LoadEngine> {
  const { undiciEngine } = await import('./undici-engine.ts');
  return undiciEngine({ threads, reason });
}

/** What the native engine does instead of serving it. */
function nativeObstacle({ url, transport }: Target): string | null {
  if (process.platform !== 'linux') return `runs on Linux, not on ${process.platform}`;
  if (new URL(url).protocol !== 'http:') return 'speaks plain HTTP, no TLS';
  return transport.proxyUrl === null ? null : 'goes through no proxy';
}

function addonOrNull(): NativeAddon | null {
  try {
    return loadAddon();
  } catch {
    return null;
  }
}
