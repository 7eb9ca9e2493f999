/**
 * Program of the null server: one argument, { responseBytes, threads } as JSON. On stdout one line of JSON, with the
 * port or with what went wrong. It ends with its stdin, which is the end of the parent.
 */
import process from 'node:process';
import { codeOf, messageOf } from '../core/errors.ts';
import { loadAddon } from '../native/addon.ts';
import { type NullServerMessage, nullServerRequestSchema } from './null-server-messages.ts';

function say(message: NullServerMessage): void {
  process.stdout.write(`${JSON.stringify(message)}\n`);
}

try {
  const request = nullServerRequestSchema.parse(JSON.parse(process.argv[2] ?? 'null'));
  const server = loadAddon().startNullServer(request);
  const end = (): void => {
    server.stop();
    process.stdin.destroy();
  };
  process.stdin.on('end', end).on('error', end).resume();
  say({ kind: 'listening', port: server.port });
} catch (thrown) {
  say({ kind: 'failed', code: codeOf(thrown) ?? null, message: messageOf(thrown) });
}
