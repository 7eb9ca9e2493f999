/** The file in which a daemon writes its PID. It outlives a daemon that was killed (driver 580). */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** The PID in it, whoever has that number now; null without such a file, or with no PID in it. */
export function readPidFile(pipeDirectory: string): number | null {
  try {
    const text = readFileSync(join(pipeDirectory, 'nvidia-cuda-mps-control.pid'), 'utf8').trim();
    return /^[1-9]\d{0,9}$/.test(text) ? Number(text) : null;
  } catch {
    return null;
  }
}
