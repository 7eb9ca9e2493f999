/** An engine that is kept to some CPUs: the whole process is, for the length of a run. */
import { allowedCpus, cpusOfThreads } from '../core/cpu-affinity.ts';
import { MpsbenchError, messageOf } from '../core/errors.ts';
import { loadAddon, type NativeAddon } from '../native/addon.ts';
import type { LoadEngine } from './engine.ts';

/**
 * Every thread of the process, not only those that send: what reads their rows takes CPU time as well. Afterwards all
 * may run where this thread could before. Throws USAGE where CPUs cannot be set; run() rejects with CPUS_NOT_SET.
 */
export function pinnedEngine(engine: LoadEngine, cpus: readonly number[]): LoadEngine {
  const addon = pinningAddon();
  return {
    name: engine.name,
    run: async (spec, hooks) => {
      const before = allowedCpus();
      addon.setCpus({ cpus, everyThread: true });
      try {
        return await engine.run(spec, {
          ...hooks,
          onMeasurementStart: (offsetNs) => {
            hooks.onClientCpus?.(cpusOfThreads('self'));
            hooks.onMeasurementStart?.(offsetNs);
          },
        });
      } finally {
        if (before !== null) addon.setCpus({ cpus: before, everyThread: true });
      }
    },
  };
}

/** The addon, for what only it can do. Throws USAGE where it cannot be loaded. */
export function pinningAddon(): NativeAddon {
  const what = 'keeping processes to CPUs needs Linux and the native addon';
  if (process.platform !== 'linux') throw new MpsbenchError('USAGE', `${what}: leave the lists of CPUs out`);
  try {
    return loadAddon();
  } catch (cause) {
    throw new MpsbenchError('USAGE', `${what}: leave the lists of CPUs out, or mend this: ${messageOf(cause)}`, {
      cause,
    });
  }
}
