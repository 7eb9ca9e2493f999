/** The rule over Xid errors: what the well-known numbers stand for, and whose fault they are. Blind to the arm. */
import type { Reason, TrialRecord } from '../records/trial.ts';

/** application: of a program on the device, which need not be the server. */
type Origin = 'application' | 'memory' | 'device';

/** As NVIDIA's Xid catalogue names them. */
const knownXids: ReadonlyMap<number, { readonly name: string; readonly origin: Origin }> = new Map([
  [13, { name: 'graphics engine exception', origin: 'application' }],
  [31, { name: 'GPU memory page fault', origin: 'application' }],
  [43, { name: 'GPU stopped processing', origin: 'application' }],
  [45, { name: 'preemptive cleanup, due to previous errors', origin: 'application' }],
  [48, { name: 'double-bit ECC error', origin: 'memory' }],
  [63, { name: 'ECC page retirement or row remapping recorded', origin: 'memory' }],
  [64, { name: 'ECC page retirement or row remapping failed', origin: 'memory' }],
  [74, { name: 'NVLink error', origin: 'device' }],
  [79, { name: 'GPU has fallen off the bus', origin: 'device' }],
  [94, { name: 'contained ECC error', origin: 'memory' }],
  [95, { name: 'uncontained ECC error', origin: 'memory' }],
  [119, { name: 'GSP RPC timeout', origin: 'device' }],
]);

const advice: Readonly<Record<Origin | 'unknown', string>> = {
  application:
    "a program on the device failed: see the server's log; under MPS one client's fault ends the others of its MPS server",
  memory: 'see nvidia-smi -q -d ECC,ROW_REMAPPER; a device with memory errors is no device to measure on',
  device: 'see the kernel log (dmesg); reset the GPU (nvidia-smi -r) or reboot before measuring on',
  unknown: "look the number up in NVIDIA's Xid catalogue, and see the kernel log (dmesg)",
};

/** The first that says more of the device than of a program tells what to do. */
const gravity: readonly (Origin | 'unknown')[] = ['device', 'memory', 'unknown', 'application'];

/** Voids a trial on whose device an Xid was reported; says nothing where none could be read. */
export function xidErrors({ gpu }: TrialRecord): Reason | null {
  const xids = gpu?.xidErrors?.xids ?? [];
  if (xids.length === 0) return null;
  const texts = [...new Set(xids)].map((xid) => {
    const times = xids.filter((other) => other === xid).length;
    return `Xid ${xid}${nameOf(xid)}${times > 1 ? `, ${times} times` : ''}`;
  });
  const origins = new Set(xids.map((xid) => knownXids.get(xid)?.origin ?? 'unknown'));
  const gravest = gravity.find((origin) => origins.has(origin)) ?? 'unknown';
  return {
    code: 'xid-errors',
    message: `the driver reported ${texts.join('; ')} on the device during the trial`,
    advice: advice[gravest],
  };
}

function nameOf(xid: number): string {
  const known = knownXids.get(xid);
  return known ? ` (${known.name}${known.origin === 'application' ? ', of an application' : ''})` : '';
}
