/** What is on this host's GPUs at one moment, with the role of every process, the state of MPS, and what is odd. */
import type { GpuSnapshot, ProcessReading } from '../records/gpu.ts';
import { type ProcessRole, processRole } from '../records/process-role.ts';
import type { Finding } from './finding.ts';
import type { MpsState } from './mps-state.ts';
import { preflight } from './preflight.ts';
import type { PreflightFacts } from './preflight-check.ts';

/** What `probe --json` and the agent's snapshot give. */
export interface HostSnapshot {
  /** ISO 8601, UTC. */
  readonly recordedAt: string;
  readonly gpu: GpuSnapshot;
  readonly processes: readonly ProbedProcess[];
  readonly mps: Pick<MpsState, 'control' | 'daemons'> & { readonly ownDaemons: readonly OwnDaemon[] };
  readonly warnings: readonly Finding[];
}

/** A daemon that a running mpsbench of this user has started, as its journal tells. */
export interface OwnDaemon {
  readonly pid: number;
  readonly ownerPid: number;
  readonly pipeDirectory: string;
}

export interface ProbedProcess extends ProcessReading {
  readonly device: number;
  readonly role: ProcessRole;
}

/** Findings of the preflight checks that say something about the figures shown. */
const shownCodes = new Set([
  ...[
    'hidden-tenant',
    'busy-unseen',
    'memory-unknown',
    'process-memory-unknown',
    'processes-unknown',
    'device-lost',
    'throttled',
  ],
  ...['pid-namespace', 'mig-enabled', 'mig-without-instance', 'virtual-device', 'no-device', 'stale-pipe-directory'],
]);

/** The reading of this moment beside facts of the host, which may be older. Pure but for the time. */
export function hostSnapshot(gpu: GpuSnapshot, facts: PreflightFacts): HostSnapshot {
  const environment = { ...facts.environment, gpu, gpuUnavailable: null };
  const { control, daemons, journals } = facts.mps;
  return {
    recordedAt: new Date().toISOString(),
    gpu,
    processes: probedProcesses(
      gpu,
      daemons.flatMap((daemon) => daemon.serverPids ?? []),
    ),
    mps: { control, daemons, ownDaemons: ownDaemons(journals) },
    warnings: preflight({ ...facts, environment }).filter((finding) => shownCodes.has(finding.code)),
  };
}

export function ownDaemons(journals: MpsState['journals']): OwnDaemon[] {
  return journals.flatMap((journal) => {
    if (journal.state !== 'owner-alive') return [];
    const { owner, entries } = journal.file;
    return entries.flatMap((entry) =>
      entry.kind === 'mps-daemon' && entry.daemon
        ? [{ pid: entry.daemon.pid, ownerPid: owner.pid, pipeDirectory: entry.pipeDirectory }]
        : [],
    );
  });
}

/** Every process on every device with its role; without a study no process is a known worker. */
export function probedProcesses(gpu: GpuSnapshot, mpsServerPids: readonly number[]): ProbedProcess[] {
  const known = { workers: new Set<number>(), mpsServers: new Set(mpsServerPids) };
  return gpu.devices.flatMap((device) =>
    (device.processes ?? []).map((reading) => ({
      device: device.index,
      role: processRole(reading, known),
      ...reading,
    })),
  );
}
