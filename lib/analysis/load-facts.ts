/** What load results, of one rate or of a search, tell of what was sent and from where: the facts that a comparison asks for. */
import { z } from 'zod';
import { environmentSchema } from '../records/environment.ts';
import { differingFacts, distinctText, type Facts, leavesOf } from './comparison-facts.ts';
import type { ComparisonFact } from './comparison-model.ts';

export const loadToolSchema = environmentSchema.shape.tool.pick({ version: true, nodeVersion: true });
export const loadHostSchema = environmentSchema.shape.host.pick({
  hostname: true,
  kernel: true,
  architecture: true,
  cpuModel: true,
  cpuCount: true,
});

/** What the documents of `load --json` and of `load --rate auto --json` share. */
export const sentLoadSchema = z.object({
  schemaVersion: z.literal(1),
  url: z.string(),
  method: z.string(),
  headerNames: z.array(z.string()),
  bodies: z.number(),
  template: z.boolean(),
  socketPath: z.string().nullable(),
  warmupNs: z.number(),
  timeoutNs: z.number(),
  expectStatus: z.array(z.number()).nullable(),
  transport: z.record(z.string(), z.unknown()).optional(),
  tool: loadToolSchema.optional(),
  host: loadHostSchema.optional(),
});
export type SentLoad = z.infer<typeof sentLoadSchema>;

type FactList = (readonly [fact: string, value: string | null])[];

export function sentFacts({
  url: text,
  method,
  socketPath,
  headerNames,
  bodies,
  template,
  expectStatus,
}: SentLoad): FactList {
  const url = new URL(text);
  return [
    ['server', socketPath ?? url.origin],
    ['path', `${method} ${url.pathname}${url.search}`],
    ['headers', [...headerNames].sort().join(', ') || 'none'],
    ['bodies', `${bodies}${template ? ' templates' : ''}`],
    ['expected status', expectStatus?.join(', ') ?? '2xx'],
  ];
}

export function limitFacts({ warmupNs, timeoutNs, transport }: SentLoad): FactList {
  return [
    ['warm-up', String(warmupNs)],
    ['timeout', String(timeoutNs)],
    ...(transport === undefined ? [] : leavesOf('transport', transport)),
  ];
}

export function clientFacts({ tool, host }: SentLoad): FactList {
  return [
    ['client CPU', host ? `${host.cpuModel}, ${host.cpuCount} CPUs` : null],
    ['mpsbench', tool?.version ?? null],
    ['client', host?.hostname ?? null],
    ['kernel', host?.kernel ?? null],
    ['Node', tool?.nodeVersion ?? null],
  ];
}

/** The server of a branch may listen elsewhere; what it is is not known. */
export const notedLoadFacts: readonly string[] = ['server', 'client', 'kernel', 'Node'];

/** What stands against comparing the runs of two sides, or is to be known: unlike runs of a side, then what the sides do not share. */
export function runDifferences<Run>(
  base: readonly Run[],
  candidate: readonly Run[],
  factsOf: (run: Run) => FactList,
  noted: readonly string[],
): ComparisonFact[] {
  const unlike = { base: unlikeFacts(base, factsOf), candidate: unlikeFacts(candidate, factsOf) };
  return [
    ...unlessNone('differences within a side', unlike),
    ...differingFacts(factsOfRuns(base, factsOf), factsOfRuns(candidate, factsOf), (fact) => noted.includes(fact)),
  ];
}

/** Runs of one side that are not alike show as several values of a fact, which no other side shares by chance. */
function factsOfRuns<Run>(runs: readonly Run[], factsOf: (run: Run) => FactList): Facts {
  const lists = runs.map((run) => new Map(factsOf(run)));
  const names = new Set(lists.flatMap((list) => [...list.keys()]));
  return new Map([...names].map((name) => [name, distinctText(lists.map((list) => list.get(name) ?? 'not known'))]));
}

/** A fact that stands against comparing, if a side has anything but "none" of it. */
export function unlessNone(fact: string, sides: Pick<ComparisonFact, 'base' | 'candidate'>): ComparisonFact[] {
  return sides.base === 'none' && sides.candidate === 'none' ? [] : [{ fact, ...sides, matters: true }];
}

/** Names of the facts in which runs of one side differ from its first one; "none" where they are alike. */
function unlikeFacts<Run>([first, ...others]: readonly Run[], factsOf: (run: Run) => FactList): string {
  if (first === undefined) return 'none';
  const facts = new Map(factsOf(first));
  const differing = others.flatMap((run) => differingFacts(facts, new Map(factsOf(run)), () => false));
  return distinctText(differing.map(({ fact }) => fact)) ?? 'none';
}
