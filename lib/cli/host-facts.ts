/** Facts about this host as a command sees it: the GPU as it is now, the variables and paths it was called with. */
import process from 'node:process';
import { MpsbenchError } from '../core/errors.ts';
import { packageVersion } from '../core/package-version.ts';
import { addonBuildId } from '../gpu/addon-build-id.ts';
import { tryOpenGpu } from '../gpu/session.ts';
import type { GpuSnapshot } from '../records/gpu.ts';
import { studyPlanSchema } from '../records/plan.ts';
import type { EnvironmentSources } from '../study/environment.ts';
import type { PreflightFacts } from '../study/preflight-check.ts';
import { gatherPreflightFacts } from '../study/preflight-facts.ts';
import type { CliContext } from './context.ts';

/** What the preflight checks need, outside a study. Rejects with INTERRUPTED only. */
export async function readHostFacts(
  context: CliContext,
  asked: {
    readonly plannedWorkers: number /** Also makes a CUDA context on each device. */;
    readonly withContexts: boolean;
  },
): Promise<PreflightFacts> {
  const { signal, emergency } = context;
  return await gatherPreflightFacts({
    ...preflightSources(context),
    ...readGpu(context),
    plannedWorkers: asked.plannedWorkers,
    context: asked.withContexts
      ? { nvmlPath: context.paths.nvml, cudaPath: context.paths.cuda, signal, emergency }
      : null,
  });
}

/** What there is to know beside a reading of the GPUs that the caller has, without making a CUDA context. */
export async function hostFactsBeside(context: CliContext, gpu: GpuSnapshot | null): Promise<PreflightFacts> {
  const gpuUnavailable = gpu ? null : { code: 'NVML_CALL_FAILED', message: 'the driver could not be read' };
  return await gatherPreflightFacts({
    ...preflightSources(context),
    gpu,
    gpuUnavailable,
    plannedWorkers: 1,
    context: null,
  });
}

function preflightSources(context: CliContext) {
  return {
    tool: {
      version: packageVersion(),
      addonBuildId: addonBuildId(),
      commandLine: ['mpsbench', ...process.argv.slice(2)],
    },
    variables: process.env,
    root: '/',
    mpsControlPath: context.paths.mpsControl,
    foreignMemoryLimitBytes: studyPlanSchema.parse({}).gpu.foreignMemoryLimit,
    signal: context.signal,
  };
}

/** A driver that opens and then fails is a fact for the checks, like one that does not open. */
function readGpu(context: CliContext): Pick<EnvironmentSources, 'gpu' | 'gpuUnavailable'> {
  const opened = tryOpenGpu({ nvmlPath: context.paths.nvml });
  if ('unavailable' in opened) return { gpu: null, gpuUnavailable: opened.unavailable };
  using session = opened.session;
  try {
    return { gpu: session.snapshot(), gpuUnavailable: null };
  } catch (thrown) {
    if (!(thrown instanceof MpsbenchError)) throw thrown;
    return { gpu: null, gpuUnavailable: { code: thrown.code, message: thrown.message } };
  }
}
