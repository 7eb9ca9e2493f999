/** The short-lived child of context-probe.ts: creates a CUDA context, says what it sees as JSON lines, and ends. */
import { writeSync } from 'node:fs';
import { codeOf, messageOf } from '../core/errors.ts';
import { loadAddon } from '../native/addon.ts';
import { type ProbeMessage, probeRequestSchema } from './context-probe-messages.ts';

/** Written at once, because the native call that follows blocks the event loop. */
function say(message: ProbeMessage): void {
  writeSync(1, `${JSON.stringify(message)}\n`);
}

try {
  const request = probeRequestSchema.parse(JSON.parse(process.argv[2] ?? 'null'));
  const probe = loadAddon().probeContext({ ...request, onHeld: (held) => say({ kind: 'held', probe: held }) });
  say({ kind: 'done', probe });
} catch (thrown) {
  say({ kind: 'failed', code: codeOf(thrown) ?? null, message: messageOf(thrown) });
}
