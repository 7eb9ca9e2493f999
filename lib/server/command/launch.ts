/** What one process of a command is started with: arguments, variables and directory, placeholders filled in. */
import { resolve } from 'node:path';
import { serverIdVariable } from '../../core/server-processes.ts';
import { fillPlaceholders, type PlaceholderName } from '../../records/server-plans/argument-text.ts';
import { type CommandPlan, launchArguments } from '../../records/server-plans/command.ts';
import { loopbackHost, type ServerStart } from '../adapter.ts';

export interface ProcessPlace {
  readonly port: number;
  /** From 1. */
  readonly worker: number;
  readonly serverId: string;
}

export interface LaunchedCommand {
  readonly command: string;
  readonly arguments: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
  readonly workingDirectory: string;
}

/** The arm's variables win over the plan's, and the plan's over ours. */
export function launchOf(plan: CommandPlan, start: ServerStart, place: ProcessPlace): LaunchedCommand {
  const values = valuesOf(start, place);
  const fill = (text: string): string => fillPlaceholders(text, values);
  const [command = '', ...rest] = launchArguments(plan).map(fill);
  const named = Object.entries(plan.environment).map(([name, value]) => [name, fill(value)]);
  return {
    command,
    arguments: rest,
    environment: {
      MPSBENCH_HOST: values.host,
      MPSBENCH_PORT: values.port,
      MPSBENCH_WORKER: values.worker,
      MPSBENCH_WORKERS: values.workers,
      MPSBENCH_BATCH_SIZE: values.batchSize,
      ...deviceVariables(start),
      ...Object.fromEntries(named),
      [serverIdVariable]: place.serverId,
      ...start.environment,
    },
    workingDirectory: resolve(plan.cwd ?? '.'),
  };
}

function valuesOf(start: ServerStart, { port, worker }: ProcessPlace): Record<PlaceholderName, string> {
  return {
    host: start.host ?? loopbackHost,
    port: String(port),
    worker: String(worker),
    workers: String(start.workers),
    batchSize: String(start.batchSize),
    deviceUuid: start.deviceUuid ?? '',
    logDirectory: resolve(start.logDirectory),
  };
}

/** The device under study is the only one that the program sees, and its first. */
function deviceVariables({ deviceOrdinal = null }: ServerStart): Record<string, string> {
  if (deviceOrdinal === null) return {};
  return { CUDA_DEVICE_ORDER: 'PCI_BUS_ID', CUDA_VISIBLE_DEVICES: String(deviceOrdinal) };
}
