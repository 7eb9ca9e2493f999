/** The search for how many clients an MPS arm takes: more and more are added until one is refused. */
import { isInterrupted, MpsbenchError } from '../core/errors.ts';
import { parseArm } from '../records/arm.ts';
import type { ContextClient, ContextLimit, SettledMemory } from '../records/context-cost.ts';
import { clientReasons } from './context-reasons.ts';
import { type ContextRunParts, holdUnder, mpsFailed } from './context-run.ts';
import { firstError } from './failure-reason.ts';
import { settledMemory } from './settled-memory.ts';

/** Started at once; a host's memory and CPUs need not bear all of them starting together. */
const batchSize = 8;
/** Where no limit is documented: beyond any driver's so far. */
const mostWithoutDocument = 64;

/**
 * Ends at the first client that gets no context, or with one more than `documentedContexts`. Every client holds its
 * context meanwhile, so that a count is of contexts at the same time. Throws as contextRun does.
 */
export async function findContextLimit(
  arm: string,
  documentedContexts: number | null,
  parts: ContextRunParts,
): Promise<ContextLimit> {
  try {
    return await search(arm, (documentedContexts ?? mostWithoutDocument) + 1, parts);
  } catch (thrown) {
    const error = firstError(thrown);
    if (isInterrupted(error) || !(error instanceof MpsbenchError) || !error.code.startsWith('MPS_')) throw thrown;
    return { arm, end: 'failed', clientsHeld: 0, error: null, deviceBytes: null, reasons: [mpsFailed(error)] };
  }
}

async function search(arm: string, most: number, parts: ContextRunParts): Promise<ContextLimit> {
  const before = await settledMemory(parts);
  await using daemon = await parts.startMpsDaemon(parts.device.uuid);
  await daemon.startServer();
  await using hold = holdUnder(parseArm(arm), daemon, parts);
  const clients: ContextClient[] = [];
  const held = (): number => clients.filter(({ outcome }) => outcome === 'held').length;
  while (clients.length < most && held() === clients.length) {
    clients.push(...(await hold.add(Math.min(batchSize, most - clients.length))));
  }
  const during = await settledMemory(parts);
  clients.splice(0, clients.length, ...hold.asOfNow(clients));
  const reasons = clientReasons(clients);
  return {
    arm,
    end: endOf(reasons.map(({ code }) => code)),
    clientsHeld: held(),
    error: clients.find(({ error }) => error !== null)?.error ?? null,
    deviceBytes: difference(before.memory, during.memory),
    reasons,
  };
}

function endOf(codes: readonly string[]): ContextLimit['end'] {
  if (codes.length === 0) return 'documented-limit-passed';
  const end = (['client-limit', 'out-of-memory'] as const).find((code) => codes.includes(code));
  return end ?? 'failed';
}

function difference(before: SettledMemory, during: SettledMemory): number | null {
  const from = before.usedBytes.at(-1);
  const to = during.usedBytes.at(-1);
  return from === undefined || to === undefined || before.source !== during.source ? null : to - from;
}
