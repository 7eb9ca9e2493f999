/** The answer of `context` in plain sentences. */
import { formatBytes } from '../core/units.ts';
import type { ContextCost, ContextLimit } from '../records/context-cost.ts';
import type { ContextArm } from './context-cost-model.ts';

/** One for each arm that has a figure, one for each search for the client limit. Pure. */
export function contextSentences(arms: readonly ContextArm[], cost: ContextCost): string[] {
  return [...arms.map((arm) => armSentence(arm, cost)), ...cost.limits.map((limit) => limitSentence(limit, cost))];
}

function armSentence(entry: ContextArm, cost: ContextCost): string {
  const where = whereText(entry.arm);
  const [point] = entry.points;
  if (entry.perClient === null) {
    if (point === undefined) return `${where} the cost of a client is not known: no run counts.`;
    const taken = `${formatBytes(point.deviceBytes.median)} of device memory`;
    return `${where} ${clientsText(point.clientCount)} took ${taken}; the cost of one more takes two numbers of clients.`;
  }
  const cost1 = `${where} a client costs ${formatBytes(entry.perClient.bytes)} of device memory`;
  if (entry.arm === 'off' || entry.fixed === null) return `${cost1}.`;
  return `${cost1}, plus ${formatBytes(entry.fixed.bytes)} for the MPS server${savingText(entry, cost)}.`;
}

function whereText(arm: string): string {
  if (arm === 'off') return 'Without MPS';
  return arm === 'mps' ? 'Under plain MPS' : `At ${arm.slice('mps:'.length)} % (${arm})`;
}

function savingText({ againstOff }: ContextArm, { clientCounts, documentedLimit }: ContextCost): string {
  if (againstOff === null) return '';
  const { saving, breakEvenClients, measured } = againstOff;
  const most = Math.max(...clientCounts);
  const beyond =
    breakEvenClients !== null && breakEvenClients > most ? ` (extrapolated: at most ${most} were measured)` : '';
  const atMost = measured ? `; at ${clientsText(measured.clientCount)} it ${differenceText(measured.deviceBytes)}` : '';
  switch (saving) {
    case 'always':
      return `: it saves memory from the first client on${atMost}`;
    case 'from':
      return `: it costs memory with fewer than ${breakEvenClients} clients and saves it from there on${beyond}${atMost}`;
    case 'never':
      return breakEvenClients === null
        ? `: it costs memory at any number of clients${atMost}`
        : `: it costs memory at up to ${documentedLimit.contexts} clients, the most that MPS takes${atMost}`;
    case 'not-shown':
      return `: the cost of a client is not told apart from that without MPS${atMost}`;
    case 'unknown':
      return atMost;
  }
}

function differenceText(deviceBytes: number): string {
  return `takes ${formatBytes(Math.abs(deviceBytes))} ${deviceBytes < 0 ? 'less' : 'more'} than without MPS`;
}

function limitSentence(
  { arm, end, clientsHeld, error, reasons }: ContextLimit,
  { documentedLimit }: ContextCost,
): string {
  const where = whereText(arm);
  const documented =
    documentedLimit.contexts === null
      ? `no limit is documented: ${documentedLimit.basis}`
      : `documented: ${documentedLimit.contexts}, ${documentedLimit.basis}`;
  switch (end) {
    case 'client-limit':
      return `${where} the client limit is ${clientsHeld}: one more got ${error?.code} (${error?.name}); ${documented}.`;
    case 'documented-limit-passed':
      return `${where} ${clientsHeld} clients had a context at the same time, and none was refused; ${documented}.`;
    case 'out-of-memory':
      return `${where} the device's memory was used up by ${clientsText(clientsHeld)}, before a client limit; ${documented}.`;
    case 'failed':
      return `${where} the client limit was not found: ${reasons[0]?.message ?? 'no reason is known'}.`;
  }
}

function clientsText(count: number): string {
  return count === 1 ? '1 client' : `${count} clients`;
}
