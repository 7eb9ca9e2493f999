/** What a plan may say of TorchServe. */
import { z } from 'zod';
import { type Nanoseconds, seconds } from '../../core/units.ts';
import { cpuListValue, durationValue, positiveDurationValue, positiveInteger } from '../plan-values.ts';

/** Keys of config.properties that the adapter sets itself, and what to use instead; null = it is the study's own. */
export const configKeysOfOurs: Readonly<Record<string, string | null>> = {
  inference_address: null,
  management_address: null,
  metrics_address: null,
  grpc_inference_port: null,
  grpc_management_port: null,
  model_store: 'modelStore',
  load_models: 'model',
  models: 'model',
  model_snapshot: null,
  job_queue_size: 'queueSize',
  default_response_timeout: 'responseTimeout',
  number_of_gpu: 'gpu.device of the plan',
  disable_system_metrics: null,
  disable_token_authorization: null,
  enable_model_api: null,
  enable_metrics_api: null,
  enable_envvars_config: null,
  metrics_mode: null,
  metrics_config: null,
  use_native_io: null,
};

const nonEmpty = z.string({ error: 'needs text' }).min(1, 'must not be empty');
const wholeMilliseconds = (value: number): boolean => value % 1e6 === 0;
const wholeSeconds = (value: number): boolean => value % 1e9 === 0;

const configSchema = z.record(z.string().regex(/^[a-z][a-z0-9_]*$/, 'is no key of config.properties'), nonEmpty);

export const torchserveServerSchema = z.strictObject({
  kind: z.literal('torchserve'),
  /** Path of the .mar or of its unpacked directory, its name in modelStore, or a URL that TorchServe itself loads it from. */
  model: z
    .string({ error: 'needs the path of a .mar, its name in modelStore, or its URL' })
    .min(1, 'must not be empty'),
  /** Directory of archives; null = the directory that the .mar is in, or an empty one for a URL. */
  modelStore: nonEmpty.nullable().default(null),
  /** Name under which the model is registered and asked for. */
  modelName: z
    .string()
    .regex(/^[A-Za-z0-9][A-Za-z0-9_.-]*$/, 'must be letters, digits, . _ -')
    .default('mpsbench'),
  /** Program to start; null = torchserve on PATH. */
  torchserve: nonEmpty.nullable().default(null),
  /** Interpreter to start it with; null = the one that its first line names. Workers run in the same one. */
  python: nonEmpty.nullable().default(null),
  /** Home of Java 17 or later; null = JAVA_HOME, else java on PATH. */
  java: nonEmpty.nullable().default(null),
  /** job_queue_size: requests that may wait; one more is answered 503. */
  queueSize: positiveInteger.default(1000),
  /** max_batch_delay: how long a worker waits for its batch to fill; whole milliseconds. */
  maxBatchDelay: durationValue
    .refine(wholeMilliseconds, 'must be whole milliseconds')
    .default(50_000_000 as Nanoseconds),
  /** After so long without an answer TorchServe ends the worker; whole seconds. */
  responseTimeout: positiveDurationValue.refine(wholeSeconds, 'must be whole seconds').default(seconds(120)),
  /** Further lines of config.properties, such as number_of_netty_threads. */
  config: configSchema
    .superRefine((config, context) => {
      for (const key of Object.keys(config).filter((candidate) => candidate in configKeysOfOurs)) {
        const instead = configKeysOfOurs[key] ?? null;
        const advice = instead === null ? 'leave it out' : `use ${instead}`;
        context.addIssue({ code: 'custom', path: [key], message: `is set by mpsbench; ${advice}` });
      }
    })
    .default({}),
  /** File whose bytes are the request that is checked, and the load's where the plan names no bodies. */
  body: nonEmpty.nullable().default(null),
  contentType: nonEmpty.default('text/plain'),
  /** CPUs of every process of the server. */
  cpus: cpuListValue,
});
export type TorchservePlan = z.infer<typeof torchserveServerSchema>;
