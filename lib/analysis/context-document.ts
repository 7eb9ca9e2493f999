/** A `context` document beside a study: what bare contexts cost in arms that the study itself measured none of. */
import { z } from 'zod';
import { type Environment, environmentSchema } from '../records/environment.ts';
import { bareContextBytes } from './bare-context.ts';
import { contextSummarySchema } from './context-cost-model.ts';

/** The part that the ledger reads of what `mpsbench context --out` writes. */
export const ledgerContextSchema = z.object({
  deviceUuid: z.string(),
  environment: environmentSchema,
  summary: contextSummarySchema,
});
export type LedgerContext = z.infer<typeof ledgerContextSchema>;

/**
 * The environment of the study with the arms of the document, which win over the single context of the host's checks.
 * Unchanged where there is no document, or one of another driver. Entries name their device.
 */
export function withContextDocument(environment: Environment, document: LedgerContext | null): Environment {
  const drivers = [environment, document?.environment].map((its) => its?.gpu?.driverVersion ?? null);
  if (document === null || drivers[0] !== drivers[1]) return environment;
  const { deviceUuid } = document;
  const measured = [...bareContextBytes(document)].flatMap(([arm, { processBytes }]) =>
    processBytes === null ? [] : [{ arm, deviceUuid, processBytes }],
  );
  const isKnown = (arm: string, uuid: string): boolean =>
    measured.some((entry) => entry.arm === arm && entry.deviceUuid === uuid);
  const kept = environment.bareContexts.filter((entry) => !isKnown(entry.arm, entry.deviceUuid));
  return { ...environment, bareContexts: [...kept, ...measured] };
}
