/** The keys of benchmark-ab.py's config.json: where each goes in a plan, or why it has no meaning here. */
import { fileURLToPath } from 'node:url';

/** One key of a plan and what it is set to, in the form that a user writes. */
export interface PlanSetting {
  readonly path: readonly string[];
  readonly value: unknown;
}

/** How a key with a meaning is read. */
export interface MappedKey {
  /** What benchmark-ab.py takes where the key is left out; null = nothing is set. */
  readonly fallback: string | null;
  /** Throws RangeError, worded to follow the key, for a value that benchmark-ab.py would not take either. */
  readonly read: (text: string) => PlanSetting;
  /** Said beside the key whenever it is used. */
  readonly remark?: string;
}

function whole(text: string): number {
  if (!/^\d+$/.test(text.trim())) throw new RangeError(`'${text}' is no whole number`);
  return Number(text);
}

/** benchmark-ab.py's users write local files as paths and as file:// URLs. */
function localPath(text: string): string {
  return text.startsWith('file://') ? fileURLToPath(text) : text;
}

function modelName(text: string): string {
  const name = /^\/?predictions\/([^/]+)$/.exec(text)?.[1];
  if (name === undefined) throw new RangeError(`'${text}' is not predictions/NAME, the one path that a study asks`);
  return name;
}

const serverKey = (key: string, value: unknown): PlanSetting => ({ path: ['server', key], value });
const loadKey = (key: string, value: unknown): PlanSetting => ({ path: ['load', key], value });

/** In the order in which they are told. */
export const mappedKeys: Readonly<Record<string, MappedKey>> = {
  url: {
    fallback: 'https://torchserve.pytorch.org/mar_files/resnet-18.mar',
    read: (text) => serverKey('model', localPath(text)),
  },
  inference_model_url: {
    fallback: 'predictions/benchmark',
    read: (text) => serverKey('modelName', modelName(text)),
  },
  input: {
    fallback: '../examples/image_classifier/kitten.jpg',
    read: (text) => serverKey('body', localPath(text)),
  },
  content_type: { fallback: 'application/jpg', read: (text) => serverKey('contentType', text) },
  workers: { fallback: '1', read: (text) => ({ path: ['workers'], value: [whole(text)] }) },
  batch_size: { fallback: '1', read: (text) => ({ path: ['batchSizes'], value: [whole(text)] }) },
  batch_delay: {
    // Its own default is 200, and TorchServe's 100 is what it measured.
    fallback: '100',
    read: (text) => serverKey('maxBatchDelay', `${whole(text)}ms`),
    remark: 'benchmark-ab.py sends it under a name that TorchServe ignores, and so measured 100 ms',
  },
  concurrency: { fallback: '10', read: (text) => loadKey('concurrency', whole(text)) },
  requests: { fallback: '100', read: (text) => loadKey('requests', whole(text)) },
};

/** Why a key changes nothing here, and what to use instead. */
export const idleKeys: Readonly<Record<string, string>> = {
  test_plan: 'its plans have had no effect since 2024; say what they said with the other keys',
  exec_env: 'TorchServe is started on this host; to study it in a container, run mpsbench in there',
  gpus: 'it is for docker alone; choose the device with --device',
  image: 'it is for docker alone',
  docker_runtime: 'it is for docker alone',
  backend_profiling: 'a profiler in the workers would slow what is measured',
  handler_profiling: 'TorchServe writes those times to a log that costs what it measures',
  generate_graphs: 'figures are always made: report.html and figures/',
  report_location: 'ab_report.csv is in the study directory; name that with --out',
  result_file: 'every file is in the study directory; name that with --out',
  tmp_dir: 'temporary files go where TMPDIR says',
  benchmark_backend: 'mpsbench sends the requests itself; choose its engine with load.engine in a plan',
  device: 'benchmark-ab.py has no such option any more; choose the device with --device',
  ts: 'benchmark-ab.py has no such option any more; a study starts TorchServe itself',
};

/** What benchmark-ab.py does without a key for it. */
export const unwrittenSettings: readonly (PlanSetting & { readonly remark: string })[] = [
  { path: ['load', 'timeout'], value: '300s', remark: 'as in ab -s 300' },
];
