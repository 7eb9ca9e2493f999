/** Which engine sends a run's requests. */
import { MpsbenchError } from '../core/errors.ts';
import { loadAddon, type NativeAddon } from '../native/addon.ts';
import type { LoadEngine } from './engine.ts';
import { nativeEngine } from './native-engine.ts';
import { pinnedEngine } from './pinned-engine.ts';

/** auto: native where it can serve the URL, undici elsewhere. */
export type EngineChoice = 'auto' | 'native' | 'undici';

export interface EngineWish {
  readonly engine: EngineChoice;
  /** Sending threads of the native engine. */
  readonly threads: number;
  /** CPUs that the whole process is kept to while it sends; null = any. */
  readonly cpus: readonly number[] | null;
}

export const anyEngine: EngineWish = { engine: 'auto', threads: 1, cpus: null };

/** Chooses anew for each run, by its URL. */
export function wishedEngine(wish: EngineWish): Pick<LoadEngine, 'run'> {
  return { run: async (spec, hooks) => (await chooseEngine(spec.url, wish)).run(spec, hooks) };
}

/** Rejects with USAGE for a wish that the URL or the machine rules out (CPUs without the addon among them), ADDON_MISSING for a native engine that is not there. */
export async function chooseEngine(url: string, wish: EngineWish): Promise<LoadEngine> {
  const engine = await freeEngine(url, wish);
  return wish.cpus === null ? engine : pinnedEngine(engine, wish.cpus);
}

async function freeEngine(url: string, { engine, threads, cpus }: EngineWish): Promise<LoadEngine> {
  const obstacle = nativeObstacle(url);
  if (engine === 'native') {
    if (obstacle !== null) throw new MpsbenchError('USAGE', `the native engine cannot load ${url}: ${obstacle}`);
    return nativeEngine({ addon: loadAddon(), threads, cpus });
  }
  const addon = engine === 'auto' && obstacle === null ? addonOrNull() : null;
  if (addon !== null) return nativeEngine({ addon, threads, cpus });
  if (threads > 1) {
    const reason = obstacle ?? (engine === 'undici' ? 'that is what --engine undici asks for' : 'the addon is missing');
    throw new MpsbenchError(
      'USAGE',
      `the undici engine has one thread and is used here (${reason}): leave out --threads`,
    );
  }
  // Undici takes as long to load as everything else that a native run needs.
  const { undiciEngine } = await import('./undici-engine.ts');
  return undiciEngine();
}

function nativeObstacle(url: string): string | null {
  if (process.platform !== 'linux') return `it runs on Linux, not on ${process.platform}; use --engine undici`;
  if (new URL(url).protocol !== 'http:') return 'it speaks plain HTTP, no TLS; use --engine undici';
  return null;
}

function addonOrNull(): NativeAddon | null {
  try {
    return loadAddon();
  } catch {
    return null;
  }
}
