/** The environment of the workers of an arm: what makes them share the GPU through our daemon, or surely not. */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Arm } from '../records/arm.ts';
import type { RunningMpsDaemon } from './contract.ts';

export interface ArmEnvironment {
  readonly set: Readonly<Record<string, string>>;
  /** Names to take out of whatever environment the workers would inherit. */
  readonly unset: readonly string[];
}

const mpsVariablePrefix = 'CUDA_MPS_';

/**
 * Variables of an arm's workers; every other CUDA_MPS_… that is inherited goes.
 *
 * `off` is not the absence of the variable: a client without CUDA_MPS_PIPE_DIRECTORY tries the default directory
 * and attaches to whatever daemon runs there, silently. A directory that does not exist is the only way to be sure,
 * and CUDA then runs without MPS, also silently (driver 580).
 */
export function armEnvironment(
  arm: Arm,
  daemon: Pick<RunningMpsDaemon, 'clientEnvironment'> | null,
  inherited: NodeJS.ProcessEnv = process.env,
): ArmEnvironment {
  const set = arm.kind === 'off' ? { CUDA_MPS_PIPE_DIRECTORY: absentDirectory() } : sharedBy(arm, daemon);
  const names = Object.keys(inherited).filter((name) => name.startsWith(mpsVariablePrefix) && !(name in set));
  return { set, unset: names.sort() };
}

/** A copy without any CUDA_MPS_… variable. */
export function withoutMpsVariables(environment: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(environment).filter(([name]) => !name.startsWith(mpsVariablePrefix)));
}

function sharedBy(arm: Arm & { readonly kind: 'mps' }, daemon: Pick<RunningMpsDaemon, 'clientEnvironment'> | null) {
  assert.ok(daemon, 'an MPS arm needs a running daemon');
  const share = arm.activeThreadPercentage;
  return {
    ...daemon.clientEnvironment,
    ...(share === null ? {} : { CUDA_MPS_ACTIVE_THREAD_PERCENTAGE: String(share) }),
  };
}

/** Random, so that nobody can have made it; never created. */
function absentDirectory(): string {
  return join(tmpdir(), `mpsbench-off-${randomBytes(8).toString('hex')}`);
}
