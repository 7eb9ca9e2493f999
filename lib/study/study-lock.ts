/** One run at a time per study directory. */
import { rmSync } from 'node:fs';
import { open, readFile, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import type { EmergencyStops } from '../core/emergency.ts';
import { codeOf, MpsbenchError, messageOf } from '../core/errors.ts';
import { isRunning, type ProcessIdentity, processIdentity } from '../core/process-identity.ts';

const lockName = 'running.json';

/** Held until disposed, or until everything is stopped at once. Throws ALREADY_RUNNING with the PID of the run that holds it; a dead holder's lock is taken over. */
export async function lockStudy(path: string, emergency: EmergencyStops): Promise<Disposable> {
  const file = join(path, lockName);
  const holder = JSON.stringify(processIdentity(process.pid));
  for (const lastTry of [false, true]) {
    try {
      const handle = await open(file, 'wx');
      await handle.writeFile(holder);
      await handle.close();
      const unlock = (): void => rmSync(file, { force: true });
      const forget = emergency.add(unlock);
      return {
        [Symbol.dispose]: () => {
          unlock();
          forget();
        },
      };
    } catch (cause) {
      if (codeOf(cause) !== 'EEXIST') {
        throw new MpsbenchError(
          'OUTPUT_NOT_WRITABLE',
          `cannot write ${file}: ${messageOf(cause)}; choose a directory that you may write to`,
          { cause },
        );
      }
      const pid = await livingHolder(file);
      if (pid !== null || lastTry) {
        throw new MpsbenchError(
          'ALREADY_RUNNING',
          `another run (PID ${pid ?? 'unknown'}) is writing ${path}; wait for it or stop it`,
          { cause },
        );
      }
      await unlink(file).catch(() => undefined);
    }
  }
  throw new MpsbenchError('ALREADY_RUNNING', `another run is writing ${path}; wait for it or stop it`);
}

async function livingHolder(file: string): Promise<number | null> {
  try {
    const holder = JSON.parse(await readFile(file, 'utf8')) as ProcessIdentity | null;
    return holder && isRunning(holder) ? holder.pid : null;
  } catch {
    // Half-written by a run that was killed.
    return null;
  }
}
