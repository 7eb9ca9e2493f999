/** `mpsbench serve`: the embedded inference server in the foreground. */
import { Command, Option } from 'commander';
import { interrupted, MpsbenchError } from '../../core/errors.ts';
import { counted, milliseconds, type Nanoseconds } from '../../core/units.ts';
import { embeddedServerSchema } from '../../records/server-plans/embedded.ts';
import { type RunningFront, startFront } from '../../server/embedded/front.ts';
import { describeWorkload, resolveWorkload } from '../../server/embedded/workload.ts';
import { type CliContext, jsonDocument } from '../context.ts';
import { durationValue, wholeNumberValue } from '../option-values.ts';

interface ServeOptions {
  readonly workload: string;
  readonly model: string;
  readonly modelName: string;
  readonly workers: number;
  readonly batchSize: number;
  readonly maxBatchDelay: Nanoseconds;
  readonly queueLimit: number;
  readonly inferencePort: number;
  readonly managementPort: number;
  readonly host: string;
  readonly device: string | null;
  readonly seed: number;
  readonly json?: true;
}

const examples = `
Examples:
  $ mpsbench serve --workers 2 --batch-size 8
  $ mpsbench serve --workload cuda --model bert-base --device GPU-0a1b2c3d-…
  $ mpsbench serve --workload fixed:5ms --json

  $ curl -X POST --data-binary 'any bytes' http://127.0.0.1:8080/predictions/mpsbench
  $ curl http://127.0.0.1:8081/models/mpsbench
`;

export function serveCommand(context: CliContext): Command {
  return new Command('serve')
    .description("serve the embedded model with TorchServe's inference and management paths until Ctrl-C")
    .option(
      '--workload <kind>',
      'auto, cuda, cpu or fixed:<duration> per batch; auto = cuda with --device, else cpu',
      'auto',
    )
    .option('--model <preset>', 'auto, tiny, small or bert-base', 'auto')
    .option('--model-name <name>', 'name in the paths of the API', 'mpsbench')
    .option('--workers <n>', 'worker processes, each with its own model copy', wholeNumberValue(0, 1000), 1)
    .option('--batch-size <n>', 'most requests per batch', wholeNumberValue(1, 4096), 1)
    .addOption(
      new Option('--max-batch-delay <duration>', 'longest wait for a batch to fill')
        .argParser(durationValue)
        .default(milliseconds(20), '20ms'),
    )
    .option('--queue-limit <n>', 'requests that may wait; more get status 503', wholeNumberValue(1, 1e9), 1000)
    .option('--inference-port <port>', '0 = any free port', wholeNumberValue(0, 65_535), 8080)
    .option('--management-port <port>', '0 = any free port', wholeNumberValue(0, 65_535), 8081)
    .option('--host <address>', 'address to listen on; the API has no authentication', '127.0.0.1')
    .addOption(
      new Option('--device <uuid>', 'UUID of the GPU for the cuda workload').argParser(String).default(null, 'none'),
    )
    .option('--seed <n>', 'weights are drawn from it', wholeNumberValue(0, Number.MAX_SAFE_INTEGER), 1)
    .option('--json', 'one JSON document with the addresses, on stdout')
    .addHelpText('after', examples)
    .action((options: ServeOptions) => serve(options, context));
}

async function serve(options: ServeOptions, context: CliContext): Promise<void> {
  const workload = resolveWorkload(readPlan(options), {
    seed: options.seed,
    cudaPath: context.paths.cuda,
    deviceUuid: options.device,
  });
  const { host, inferencePort, managementPort, queueLimit } = options;
  const log = (line: string) => context.err(`${line}\n`);
  const front = await startFront({ host, inferencePort, managementPort, queueLimit, workload }, log);
  const forget = context.emergency.add(() => front.kill());
  try {
    const { modelName: name, batchSize, maxBatchDelay: maxBatchDelayNs, workers } = options;
    const interruption = rejectionOn(context.signal);
    await Promise.race([front.register({ name, batchSize, maxBatchDelayNs }, workers), interruption]);
    context.out(announcement(options, front, describeWorkload(workload)));
    await interruption;
  } finally {
    await front.drain();
    forget();
  }
}

/** Rejects with INTERRUPTED when the signal aborts; never resolves. */
function rejectionOn(signal: AbortSignal): Promise<never> {
  const rejection = new Promise<never>((_, reject) => {
    const abort = () => reject(interrupted('serve'));
    if (signal.aborted) abort();
    else signal.addEventListener('abort', abort, { once: true });
  });
  // Whoever is not waiting for it at that moment has failed for another reason.
  rejection.catch(() => {});
  return rejection;
}

function readPlan(options: ServeOptions) {
  const plan = embeddedServerSchema.safeParse({
    kind: 'embedded',
    workload: options.workload,
    model: options.model,
  });
  if (plan.success) return plan.data;
  const [issue] = plan.error.issues;
  const key = String(issue?.path[0] ?? 'workload');
  const given = key === 'model' ? options.model : options.workload;
  const allowed = key === 'model' ? 'must be auto, tiny, small or bert-base' : (issue?.message ?? 'is not valid');
  throw new MpsbenchError('USAGE', `--${key} '${given}' ${allowed}; see mpsbench serve --help`);
}

function announcement(options: ServeOptions, front: RunningFront, description: string): string {
  const inferenceUrl = `http://${options.host}:${front.inferencePort}/predictions/${options.modelName}`;
  const managementUrl = `http://${options.host}:${front.managementPort}/models/${options.modelName}`;
  if (options.json) {
    const { workers, batchSize } = options;
    return jsonDocument('serve', { description, workers, batchSize, inferenceUrl, managementUrl });
  }
  return [
    `serving ${description}: ${counted(options.workers, 'worker')}, batch size ${options.batchSize}`,
    `  inference   ${inferenceUrl}`,
    `  management  ${managementUrl}`,
    `  try         curl -X POST --data-binary 'any bytes' ${inferenceUrl}`,
    '  stop        Ctrl-C (requests in flight are answered)',
    '',
  ].join('\n');
}
