/** The agent's configuration file: what it listens on, who may ask it, and the plans that it may run. */
import { readFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { closest } from 'fastest-levenshtein';
import { z } from 'zod';
import { MpsbenchError, messageOf } from '../core/errors.ts';
import { seconds } from '../core/units.ts';
import { positiveDurationValue } from '../records/plan-values.ts';
import { type Path, parseYamlMap, pathText, type YamlMap } from '../records/yaml-map.ts';

const path = z.string().min(1, 'must be a path');

const listenSchema = z.strictObject({
  /** Address or name to listen on; other than loopback needs tls and tokenFile. */
  host: z.string().min(1, 'must be an address or a name').default('127.0.0.1'),
  /** 0 = any free port. */
  port: z.number().int('must be a whole number').min(0).max(65_535).default(9477),
});

const tlsSchema = z.strictObject({
  /** PEM, with the intermediate certificates. */
  certificateFile: path,
  /** PEM, without a passphrase. */
  keyFile: path,
});

const studiesSchema = z.strictObject({
  /** Studies are written below it. */
  directory: path,
  /** Address of this host that the servers of a study listen on for the load of a driver. */
  loadAddress: z.string().min(1, 'must be an address').default('127.0.0.1'),
  /** A driver that is not heard of for so long has lost its study, and the host is put back. */
  leaseTimeout: positiveDurationValue.default(seconds(60)),
});

const planName = z
  .string()
  .regex(/^[a-z0-9][a-z0-9._-]{0,63}$/, 'must be a name of a-z, 0-9, dot, dash and underscore');

/** The file as it is written, in YAML. Relative paths start at its folder. */
export const agentConfigurationSchema = z.strictObject({
  listen: listenSchema.prefault({}),
  /** Absent = plain HTTP, on loopback only. */
  tls: tlsSchema.optional(),
  /** Absent = anybody who reaches it may ask, on loopback only. */
  tokenFile: path.optional(),
  /** Name -> plan.yaml: nothing else is ever run. */
  plans: z.record(planName, path).default({}),
  /** Absent = no studies are run. */
  studies: studiesSchema.optional(),
});
export type AgentConfiguration = z.infer<typeof agentConfigurationSchema>;

/** Keys by the path of the map that holds them, for the nearest name. */
const knownKeys: Readonly<Record<string, readonly string[]>> = {
  '': Object.keys(agentConfigurationSchema.shape),
  listen: Object.keys(listenSchema.shape),
  tls: Object.keys(tlsSchema.shape),
  studies: Object.keys(studiesSchema.shape),
};

/** Without a file: loopback, the usual port, no plan. */
export function defaultConfiguration(): AgentConfiguration {
  return agentConfigurationSchema.parse({});
}

/** Reads the file, with its paths made absolute. Throws AGENT_CONFIGURATION with the key and the line. */
export function readConfiguration(file: string): AgentConfiguration {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (cause) {
    const what = `the agent's configuration ${file} can not be read: ${messageOf(cause)}`;
    throw new MpsbenchError('AGENT_CONFIGURATION', `${what}; name a readable file with --config`, { cause });
  }
  return withAbsolutePaths(parseConfiguration(text, file), dirname(file));
}

/** As it is written, its paths too. Throws AGENT_CONFIGURATION with the key, the line and the nearest valid name. */
export function parseConfiguration(text: string, source: string): AgentConfiguration {
  const notMap = "a configuration is a map of keys such as 'tokenFile: token'; this is not one";
  const document = parseYamlMap(text, source, { code: 'AGENT_CONFIGURATION', notMap });
  const result = agentConfigurationSchema.safeParse(document.value);
  if (result.success) return result.data;
  const issues = result.error.issues;
  const issue = issues.find(({ code }) => code === 'unrecognized_keys') ?? issues[0];
  const more = issues.length > 1 ? ` (and ${issues.length - 1} more)` : '';
  const what = issue ? describe(issue, document) : `${source}: not valid`;
  throw new MpsbenchError('AGENT_CONFIGURATION', `${what}${more}; see the agent's page of the documentation`);
}

function describe(issue: z.core.$ZodIssue, { locate }: YamlMap): string {
  const key = issue.code === 'unrecognized_keys' ? issue.keys[0] : undefined;
  const at: Path = key === undefined ? issue.path : [...issue.path, key];
  const known = knownKeys[pathText(issue.path)] ?? [];
  const nearest = key === undefined || known.length === 0 ? '' : `; did you mean '${closest(key, [...known])}'?`;
  const where = locate(at);
  return `${where ? `${where}: ` : ''}${pathText(at)}: ${key === undefined ? issue.message : `unknown key${nearest}`}`;
}

function withAbsolutePaths(written: AgentConfiguration, folder: string): AgentConfiguration {
  const { tls, tokenFile, studies, plans, listen } = written;
  const at = (relative: string): string => resolve(folder, relative);
  return {
    listen,
    plans: Object.fromEntries(Object.entries(plans).map(([name, file]) => [name, at(file)])),
    ...(tls && { tls: { certificateFile: at(tls.certificateFile), keyFile: at(tls.keyFile) } }),
    ...(tokenFile !== undefined && { tokenFile: at(tokenFile) }),
    ...(studies && { studies: { ...studies, directory: at(studies.directory) } }),
  };
}
