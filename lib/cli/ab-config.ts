/** A config.json of TorchServe's benchmark-ab.py as a plan, with a line for each key on what became of it. */
import { basename } from 'node:path';
import { closest } from 'fastest-levenshtein';
import { MpsbenchError, messageOf } from '../core/errors.ts';
import type { PlanDocument } from '../records/plan-text.ts';
import { idleKeys, type MappedKey, mappedKeys, type PlanSetting, unwrittenSettings } from './ab-keys.ts';
import { readProperties, shippedProperties } from './ab-properties.ts';
import { readPlanFile } from './plan-file.ts';

export interface AbConfig {
  readonly document: PlanDocument;
  /** For people: one line a key, those of the file first and then what benchmark-ab.py takes without being told. */
  readonly lines: readonly string[];
}

/** The option that a plan's key is given by, which then wins over the file; null = by none. */
export type OptionOf = (path: readonly string[]) => string | null;

const propertiesKey = 'config_properties';
const anotherFile = 'name a file that can be read';

/**
 * Reads the file, and the config.properties that it names. Throws PLAN_UNREADABLE or PLAN_INVALID; a key that
 * benchmark-ab.py does not know is told with the nearest one that it does.
 */
export async function readAbConfig(file: string, optionOf: OptionOf): Promise<AbConfig> {
  const given = parseConfig(await readPlanFile(file, 'config', anotherFile), file);
  const reader = new AbConfigReader(file, optionOf);
  for (const [key, text] of given) {
    if (key === propertiesKey) reader.properties(await readPlanFile(text, key, anotherFile), `${key} ${text}`);
    else reader.key(key, text);
  }
  reader.defaults(new Set(given.keys()));
  return reader.result();
}

/** Gathers settings and lines, in the order in which the keys are handed in. */
class AbConfigReader {
  readonly #file: string;
  readonly #optionOf: OptionOf;
  readonly #lines: string[] = [];
  readonly #plan: Record<string, unknown>;
  /** Path of the plan, dotted -> the key of the file that it came from. */
  readonly #sources = new Map<string, string>();

  constructor(file: string, optionOf: OptionOf) {
    this.#file = file;
    this.#optionOf = optionOf;
    this.#plan = { name: `benchmark-ab.py ${basename(file)}`, server: { kind: 'torchserve' } };
  }

  key(key: string, text: string): void {
    const idle = idleKeys[key];
    if (idle !== undefined) this.#lines.push(`${key}: no meaning here: ${idle}`);
    else this.#map(key, `${key} ${text}`, mappedKeys[key] as MappedKey, text);
  }

  properties(text: string, source: string): void {
    for (const { key, value, setting, remark } of readProperties(text)) {
      const said = `${source}: ${key}=${value}`;
      if (setting) this.#set(propertiesKey, said, setting, remark);
      else this.#lines.push(`${said}: left out: ${remark}`);
    }
  }

  /** benchmark-ab.py's own values of what was not given. */
  defaults(given: ReadonlySet<string>): void {
    for (const [key, mapped] of Object.entries(mappedKeys)) {
      if (given.has(key) || mapped.fallback === null) continue;
      this.#map(key, `${key} not given, taken as ${mapped.fallback}`, mapped, mapped.fallback);
    }
    if (!given.has(propertiesKey)) this.properties(shippedProperties, `${propertiesKey} not given, taken as its own`);
    for (const { remark, ...setting } of unwrittenSettings) this.#set('ab', 'ab', setting, remark);
  }

  result(): AbConfig {
    const locate: PlanDocument['locate'] = (path) => {
      for (let length = path.length; length > 0; length--) {
        const source = this.#sources.get(path.slice(0, length).join('.'));
        if (source !== undefined) return `${this.#file} key '${source}'`;
      }
      return null;
    };
    return { document: { value: this.#plan, locate }, lines: this.#lines.map((line) => `${this.#file}: ${line}`) };
  }

  #map(key: string, said: string, mapped: MappedKey, text: string): void {
    try {
      this.#set(key, said, mapped.read(text), mapped.remark ?? null);
    } catch (cause) {
      const what = `${this.#file} key '${key}': ${messageOf(cause)}`;
      throw new MpsbenchError('PLAN_INVALID', `${what}; mend it there, or give the plan's own key`, { cause });
    }
  }

  #set(key: string, said: string, { path, value }: PlanSetting, remark: string | null): void {
    const option = this.#optionOf(path);
    if (option !== null) {
      this.#lines.push(`${said}: ${option} takes its place`);
      return;
    }
    let target = this.#plan;
    for (const part of path.slice(0, -1)) {
      target[part] ??= {};
      target = target[part] as Record<string, unknown>;
    }
    target[path.at(-1) as string] = value;
    this.#sources.set(path.join('.'), key);
    const name = path.join('.');
    this.#lines.push(`${said} -> ${name} ${JSON.stringify(value)}${remark === null ? '' : ` (${remark})`}`);
  }
}

/** Every key with its value as text: benchmark-ab.py takes numbers and truths in quotes or without. */
function parseConfig(text: string, file: string): Map<string, string> {
  const value = parseObject(text, file);
  const known = [...Object.keys(mappedKeys), ...Object.keys(idleKeys), propertiesKey];
  const given = new Map<string, string>();
  for (const [key, entry] of Object.entries(value)) {
    if (!known.includes(key)) {
      throw new MpsbenchError('PLAN_INVALID', `${file}: ${key}: unknown key; did you mean '${closest(key, known)}'?`);
    }
    if (typeof entry === 'object') {
      throw new MpsbenchError('PLAN_INVALID', `${file} key '${key}': needs one value; give lists by options of study`);
    }
    given.set(key, String(entry));
  }
  return given;
}

function parseObject(text: string, file: string): object {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw new MpsbenchError('PLAN_INVALID', `${file}: ${messageOf(cause)}; mend the JSON there`, { cause });
  }
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value;
  throw new MpsbenchError('PLAN_INVALID', `${file}: a config of benchmark-ab.py is one object of keys; this is none`);
}
