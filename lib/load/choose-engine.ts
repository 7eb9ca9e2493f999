/** Which engine sends a run's requests. */
import { MpsbenchError } from '../core/errors.ts';
import { loadAddon, type NativeAddon } from '../native/addon.ts';
import type { LoadSpec } from '../records/load.ts';
import type { LoadEngine } from './engine.ts';
import { nativeEngine } from './native-sender.ts';
import { undiciEngine } from './undici-engine.ts';

/** auto: native where it can serve the load, undici elsewhere. */
export type EngineChoice = 'auto' | 'native' | 'undici';

export interface EngineWish {
  readonly engine: EngineChoice;
  /** Sending threads; no more are used than requests may be in flight. */
  readonly threads: number;
}

export const anyEngine: EngineWish = { engine: 'auto', threads: 1 };

type Target = Pick<LoadSpec, 'url' | 'transport'>;

/** Chooses anew for each run, by what it loads. */
export function wishedEngine(wish: EngineWish): Pick<LoadEngine, 'run'> {
  return { run: async (spec, hooks) => chooseEngine(spec, wish).run(spec, hooks) };
}

/** Throws USAGE for a wish that the load or the machine rules out, ADDON_MISSING for a native engine that is not there. */
export function chooseEngine(target: Target, { engine, threads }: EngineWish): LoadEngine {
  if (engine === 'undici') return undiciEngine({ threads });
  const obstacle = nativeObstacle(target);
  if (engine === 'native') {
    if (obstacle === null) return nativeEngine({ addon: loadAddon(), threads });
    throw new MpsbenchError(
      'USAGE',
      `the native engine cannot load ${target.url}: it ${obstacle}; use --engine undici`,
    );
  }
  if (obstacle !== null) return undiciEngine({ threads, reason: `the native engine ${obstacle}` });
  const addon = addonOrNull();
  if (addon !== null) return nativeEngine({ addon, threads });
  return undiciEngine({ threads, reason: 'the native engine is not built here' });
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
