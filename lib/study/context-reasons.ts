/** What keeps a run of contexts from being a measurement, told from its clients' answers and the readings around it. */
import { counted, formatBytes } from '../core/units.ts';
import type { ContextClient, ContextReason, SettledMemory } from '../records/context-cost.ts';
import type { DeviceReading } from '../records/gpu.ts';

const outOfMemoryCode = 2;
/** Hardware resources for clients, and connections: both say that MPS takes no more of them. */
const clientLimitCodes: readonly number[] = [808, 809];
/** Rounding of the driver's figures. */
const foreignToleranceBytes = 1024 ** 2;

/** One reason for each kind of outcome that is not a context. Pure. */
export function clientReasons(clients: readonly ContextClient[]): ContextReason[] {
  const found = new Map<ContextReason['code'], ContextClient[]>();
  for (const client of clients) {
    const code = reasonCode(client);
    if (code !== null) found.set(code, [...(found.get(code) ?? []), client]);
  }
  return [...found].map(([code, which]) => ({
    code,
    message: `${which.length} of ${counted(clients.length, 'client')} got no context: ${told(which)}`,
    advice: advices[code] ?? '',
  }));
}

function reasonCode({ outcome, error }: ContextClient): ContextReason['code'] | null {
  if (outcome === 'held') return null;
  if (outcome === 'hung') return 'client-hung';
  if (outcome === 'ended') return 'client-ended';
  if (error?.code === outOfMemoryCode) return 'out-of-memory';
  return error !== null && clientLimitCodes.includes(error.code) ? 'client-limit' : 'context-refused';
}

/** Of the first; the others of a kind say the same. */
function told(clients: readonly ContextClient[]): string {
  const [first] = clients;
  if (first?.error) return `${first.error.call} answered ${first.error.code} (${first.error.name})`;
  return first?.detail ?? 'no word of it';
}

const advices: Partial<Record<ContextReason['code'], string>> = {
  'client-limit': 'run fewer clients: the limit counts client contexts per device',
  'out-of-memory': "the device's memory is used up: measure fewer clients",
  'context-refused': 'see mpsbench doctor',
  'client-hung': 'check nvidia-smi and dmesg for driver faults, or give it more time with --timeout',
  'client-ended': 'check dmesg for driver faults and for a host that is out of memory',
};

/** Whether the two readings can be subtracted: both there, settled, from the same call. Pure. */
export function memoryReasons(baseline: SettledMemory, held: SettledMemory): ContextReason[] {
  if (baseline.usedBytes.length === 0 || held.usedBytes.length === 0 || baseline.source !== held.source) {
    const message = 'the device memory could not be read, or by different calls before and after';
    return [{ code: 'memory-unknown', message, advice: 'a newer driver or bare metal tells it' }];
  }
  if (baseline.settledNs !== null && held.settledNs !== null) return [];
  const message = 'the device memory still changed after 3 s of waiting';
  return [{ code: 'memory-not-settled', message, advice: 'stop what else uses the device' }];
}

/**
 * Whether somebody else came, went or changed between the two readings. Nothing is said where the driver does not name
 * our own clients (a PID namespace): others could not be told from them. Pure.
 */
export function foreignReasons(
  before: DeviceReading | undefined,
  during: DeviceReading | undefined,
  own: { readonly clients: readonly number[]; readonly mpsServers: readonly number[] },
): ContextReason[] {
  const named = new Set(during?.processes?.map(({ pid }) => pid));
  if (!before?.processes || !own.clients.every((pid) => named.has(pid))) return [];
  const ours = new Set([...own.clients, ...own.mpsServers]);
  const bytesBefore = new Map(before.processes.map(({ pid, usedBytes }) => [pid, usedBytes ?? 0]));
  const others = (during?.processes ?? []).filter(({ pid }) => !ours.has(pid));
  const present = new Set(others.map(({ pid }) => pid));
  const gone = before.processes.filter(({ pid }) => !present.has(pid));
  const changed = others.filter(
    ({ pid, usedBytes }) => Math.abs((usedBytes ?? 0) - (bytesBefore.get(pid) ?? -Infinity)) > foreignToleranceBytes,
  );
  const pids = [...changed, ...gone].map(({ pid, name }) => `PID ${pid} (${name ?? 'name unknown'})`);
  if (pids.length === 0) return [];
  const message = `another process came, went or changed its memory meanwhile: ${pids.join(', ')}`;
  return [{ code: 'foreign-process', message, advice: 'stop it, or measure another device with --device' }];
}

export function notReleased(leftBytes: number): ContextReason {
  const message = `device memory is ${formatBytes(leftBytes)} above the baseline 5 s after everything was stopped`;
  return { code: 'memory-not-released', message, advice: 'look for who holds it with mpsbench probe' };
}
