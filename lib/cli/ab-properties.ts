/** The config.properties that benchmark-ab.py starts TorchServe with, as settings of a plan. */
import { configKeysOfOurs } from '../records/server-plans/torchserve.ts';
import type { PlanSetting } from './ab-keys.ts';

export interface PropertySetting {
  readonly key: string;
  readonly value: string;
  /** null = it is left out, for the reason in `remark`. */
  readonly setting: PlanSetting | null;
  readonly remark: string | null;
}

/** What benchmark-ab.py's own config.properties says that bears on the figures. */
export const shippedProperties = `number_of_netty_threads=32
job_queue_size=1000
prefer_direct_buffer=True
default_response_timeout=300
unregister_model_timeout=300
`;

/** One entry a line of the file; comments and empty lines have none. */
export function readProperties(text: string): PropertySetting[] {
  const lines = text.split('\n').map((line) => line.trim());
  return lines.filter((line) => line !== '' && !/^[#!]/.test(line)).map(readLine);
}

function readLine(line: string): PropertySetting {
  const [, key = line, value = ''] = /^([^=:\s]+)\s*[=:]?\s*(.*)$/.exec(line) ?? [];
  if (key === 'job_queue_size') return { key, value, setting: server('queueSize', numberIn(value)), remark: null };
  if (key === 'default_response_timeout') {
    return { key, value, setting: server('responseTimeout', `${value}s`), remark: null };
  }
  if (!Object.hasOwn(configKeysOfOurs, key)) {
    return { key, value, setting: { path: ['server', 'config', key], value }, remark: null };
  }
  const instead = configKeysOfOurs[key] ?? null;
  const remark = instead === null ? 'mpsbench sets it' : `mpsbench sets it from ${instead}`;
  return { key, value, setting: null, remark };
}

function server(key: string, value: unknown): PlanSetting {
  return { path: ['server', key], value };
}

/** Text that is no number is left as it is, so that the plan's validation says what is wrong with it. */
function numberIn(text: string): number | string {
  return /^\d+$/.test(text) ? Number(text) : text;
}
