/** The child of held-context.ts: makes a CUDA context when it is told to, and keeps it until its standard input ends. */
import { readSync, writeSync } from 'node:fs';
import { codeOf, messageOf } from '../core/errors.ts';
import { loadAddon } from '../native/addon.ts';
import { type HoldMessage, holdRequestSchema } from './held-context-messages.ts';

/** Written at once, because the native call that follows blocks the event loop. */
function say(message: HoldMessage): void {
  writeSync(1, `${JSON.stringify(message)}\n`);
}

/** Blocks until the parent writes a byte (true) or is done with us, or gone (false). */
function toldToGoOn(): boolean {
  return readSync(0, Buffer.alloc(1)) > 0;
}

try {
  const { cudaPath, deviceUuid } = holdRequestSchema.parse(JSON.parse(process.argv[2] ?? 'null'));
  const addon = loadAddon();
  say({ kind: 'ready' });
  if (toldToGoOn()) {
    const probe = addon.probeContext({
      ...{ cudaPath, deviceUuid, holdNs: 0 },
      onHeld: (held) => {
        say({ kind: 'held', probe: held });
        // The context is there until this returns.
        toldToGoOn();
      },
    });
    if (probe.error !== null) say({ kind: 'refused', probe });
  }
} catch (thrown) {
  say({ kind: 'failed', code: codeOf(thrown) ?? null, message: messageOf(thrown) });
}
