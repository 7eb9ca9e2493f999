/** A model's configuration as Triton tells it: changed to a cell's scale, and compared with it. Pure. */

export interface ModelConfig {
  readonly [key: string]: unknown;
  readonly name: string;
  /** 0 = the model does not batch. */
  readonly max_batch_size: number;
  readonly instance_group: readonly { readonly [key: string]: unknown; readonly count: number }[];
}

export interface Scale {
  readonly workers: number;
  readonly batchSize: number;
}

/**
 * The whole configuration with the cell's scale: Triton takes no part of one. All instances go to one group of the
 * first group's kind, since a count per group multiplies by the devices of that group.
 */
export function configAt(config: ModelConfig, { workers, batchSize }: Scale): ModelConfig {
  const [first] = config.instance_group;
  const dynamicBatching = isRecord(config.dynamic_batching) ? config.dynamic_batching : {};
  const batching = {
    max_batch_size: batchSize,
    dynamic_batching: { ...dynamicBatching, preferred_batch_size: [batchSize] },
  };
  // A model that does not batch has no batch dimension: its batch size cannot be set, only be one.
  const batches = config.max_batch_size > 0;
  return {
    ...config,
    ...(batches ? batching : {}),
    instance_group: [{ ...(first ?? { name: `${config.name}_0` }), count: workers }],
  };
}

/** What was asked against what is; null if it is the same. */
export function scaleProblem(config: ModelConfig, { workers, batchSize }: Scale): string | null {
  const instances = config.instance_group.reduce((sum, group) => sum + group.count * devicesOf(group), 0);
  const largestBatch = Math.max(1, config.max_batch_size);
  if (instances === workers && largestBatch === batchSize) return null;
  return `was asked for ${workers} instances at batch size ${batchSize} and has ${instances} at ${largestBatch}`;
}

/** `count` is the number of instances on each of the group's devices. */
function devicesOf(group: ModelConfig['instance_group'][number]): number {
  const { gpus } = group;
  return Array.isArray(gpus) && gpus.length > 0 ? gpus.length : 1;
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
