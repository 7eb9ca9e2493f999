/** Fills the environment record: what this machine, its limits and its variables are while results are made. */
import { readFileSync, readlinkSync } from 'node:fs';
import os from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { type Environment, environmentSchemaVersion } from '../records/environment.ts';
import type { GpuSnapshot } from '../records/gpu.ts';

/**
 * Variables that change what CUDA, MPS or a container runtime do. Only these are recorded: any other variable may
 * hold a secret and none of them changes a result.
 */
export const recordedVariables = [
  'CUDA_DEVICE_MAX_CONNECTIONS',
  'CUDA_DEVICE_ORDER',
  'CUDA_DISABLE_PTX_JIT',
  'CUDA_CACHE_DISABLE',
  'CUDA_FORCE_PTX_JIT',
  'CUDA_LAUNCH_BLOCKING',
  'CUDA_MODULE_LOADING',
  'CUDA_MPS_ACTIVE_THREAD_PERCENTAGE',
  'CUDA_MPS_CLIENT_PRIORITY',
  'CUDA_MPS_ENABLE_PER_CTX_DEVICE_MULTIPROCESSOR_PARTITIONING',
  'CUDA_MPS_LOG_DIRECTORY',
  'CUDA_MPS_PINNED_DEVICE_MEM_LIMIT',
  'CUDA_MPS_PIPE_DIRECTORY',
  'CUDA_MPS_PROTOCOL_VERSION',
  'CUDA_MPS_SM_PARTITION',
  'CUDA_VISIBLE_DEVICES',
  'NVIDIA_DRIVER_CAPABILITIES',
  'NVIDIA_TF32_OVERRIDE',
  'NVIDIA_VISIBLE_DEVICES',
] as const;

/** What the caller knows; the rest is read from the host. */
export interface EnvironmentSources {
  readonly tool: {
    readonly version: string;
    readonly addonBuildId: string | null;
    /** What was typed, "mpsbench" first. */
    readonly commandLine: readonly string[];
  };
  readonly gpu: GpuSnapshot | null;
  readonly gpuUnavailable: Environment['gpuUnavailable'];
  readonly mpsControl: Environment['mpsControl'];
  readonly variables: Readonly<Record<string, string | undefined>>;
  /** Where /proc and /sys are; '/' but in tests. */
  readonly root: string;
}

/** The environment record of this moment. Never throws for a fact that can't be read: that field is null. */
export function recordEnvironment(sources: EnvironmentSources): Environment {
  const { version, addonBuildId, commandLine } = sources.tool;
  return {
    schemaVersion: environmentSchemaVersion,
    recordedAt: new Date().toISOString(),
    tool: { version, nodeVersion: process.version, addonBuildId, commandLine: [...commandLine] },
    host: hostFacts(sources.root),
    cudaVariables: pickVariables(sources.variables),
    gpu: sources.gpu,
    gpuUnavailable: sources.gpuUnavailable,
    // A study says which arms of its plan it left out; a bare record has no plan.
    armsLeftOut: [],
    bareContexts: [],
    mpsControl: sources.mpsControl,
  };
}

/**
 * CPUs that this process may really use: those of its affinity mask, cut to the cgroup's quota.
 * May be a fraction; `cpuQuota` null (unknown) and "max …" cut nothing.
 */
export function usableCpuCount(host: Pick<Environment['host'], 'cpuCount' | 'cpuQuota'>): number {
  return Math.min(host.cpuCount, coresOfQuota(host.cpuQuota) ?? host.cpuCount);
}

/** CPU seconds per second that the control groups above this process allow; null = no limit, or not known. */
export function cpuQuotaCores(root: string): number | null {
  return coresOfQuota(cpuQuota(root));
}

function coresOfQuota(cpuQuota: string | null): number | null {
  const [quota, period] = (cpuQuota ?? 'max').split(' ').map(Number);
  return quota && period && Number.isFinite(quota / period) ? quota / period : null;
}

function hostFacts(root: string): Environment['host'] {
  return {
    hostname: os.hostname(),
    kernel: `${os.type()} ${os.release()}`,
    architecture: os.arch(),
    cpuModel: cpuModel(root),
    cpuCount: os.availableParallelism(),
    memoryBytes: os.totalmem(),
    userId: process.getuid?.() ?? null,
    pidNamespace: pidNamespace(root),
    cpuQuota: cpuQuota(root),
    cpuGovernor: readText(root, 'sys/devices/system/cpu/cpu0/cpufreq/scaling_governor'),
  };
}

function pickVariables(variables: EnvironmentSources['variables']): Record<string, string> {
  const picked: Record<string, string> = {};
  for (const name of recordedVariables) {
    const value = variables[name];
    if (value !== undefined) picked[name] = value;
  }
  return picked;
}

/** Node knows no model name on many arm64 machines; /proc/cpuinfo sometimes does. */
function cpuModel(root: string): string {
  const told = os.cpus()[0]?.model.trim();
  if (told && told !== 'unknown') return told;
  return /^(?:model name|Model|Hardware)\s*:\s*(.+)$/m.exec(readText(root, 'proc/cpuinfo') ?? '')?.[1] ?? 'unknown';
}

function pidNamespace(root: string): string | null {
  try {
    return /\[(\d+)\]/.exec(readlinkSync(join(root, 'proc/self/ns/pid')))?.[1] ?? null;
  } catch {
    return null;
  }
}

/**
 * The tightest CPU quota above this process, in the form of cgroup v2's cpu.max: "200000 100000" is two CPUs,
 * "max 100000" no limit. null where no cgroup says anything.
 */
function cpuQuota(root: string): string | null {
  const membership = readText(root, 'proc/self/cgroup') ?? '';
  const unified = /^0::(\/.*)$/m.exec(membership)?.[1] ?? '/';
  const legacy = /^\d+:(?:[^:]*,)?cpu(?:,[^:]*)?:(\/.*)$/m.exec(membership)?.[1] ?? '/';
  const found = [
    ...ancestors(unified).map((path) => readText(root, join('sys/fs/cgroup', path, 'cpu.max'))),
    ...ancestors(legacy).map((path) => legacyQuota(root, path)),
  ].filter((value) => value !== null);
  const limits = found.filter((value) => !value.startsWith('max'));
  const cpus = (value: string): number => {
    const [quota, period] = value.split(' ').map(Number);
    return (quota ?? Number.NaN) / (period ?? Number.NaN);
  };
  return limits.sort((a, b) => cpus(a) - cpus(b))[0] ?? found[0] ?? null;
}

function legacyQuota(root: string, path: string): string | null {
  for (const controller of ['cpu', 'cpu,cpuacct']) {
    const quota = readText(root, join('sys/fs/cgroup', controller, path, 'cpu.cfs_quota_us'));
    const period = readText(root, join('sys/fs/cgroup', controller, path, 'cpu.cfs_period_us'));
    if (quota !== null && period !== null) return `${Number(quota) < 0 ? 'max' : quota} ${period}`;
  }
  return null;
}

/** "/a/b" -> "/a/b", "/a", "/": a quota anywhere on the way up holds. */
function ancestors(path: string): string[] {
  const parts = path.split('/').filter((part) => part !== '');
  return [...parts.keys(), parts.length].map((count) => `/${parts.slice(0, count).join('/')}`).reverse();
}

function readText(root: string, path: string): string | null {
  try {
    return readFileSync(join(root, path), 'utf8').trim();
  } catch {
    return null;
  }
}
