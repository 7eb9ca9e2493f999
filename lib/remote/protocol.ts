/** The messages between a driver, which sends the load, and the agent, which runs the study; all of them JSON. */
import { z } from 'zod';
import { cellSchema } from '../records/arm.ts';
import { calibrationSchema, calibrationSubjectSchema } from '../records/headroom.ts';
import { trialPhaseSchema, trialRecordSchema } from '../records/trial.ts';
import { instantSchema, originSchema, wireResultSchema, wireSpecSchema } from './load-wire.ts';
import { planChoicesSchema } from './plan-choices.ts';

/** Below it are the routes of a remote study. */
export const studyPath = '/v1/study';

const count = z.number().int().nonnegative();
const shortText = z.string().min(1).max(200);
export const studyIdSchema = z.string().regex(/^[A-Za-z0-9][A-Za-z0-9_-]{0,120}$/);

/** Who drives, for people. */
export const driverSchema = z.strictObject({
  host: shortText,
  pid: z.number().int().positive(),
  user: shortText,
  toolVersion: shortText,
});
export type Driver = z.infer<typeof driverSchema>;

/** `run` is made up by the driver for each begin, so that one that is sent again begins nothing anew. */
export const beginSchema = z.strictObject({
  driver: driverSchema,
  run: z.uuid(),
  plan: shortText,
  choices: planChoicesSchema,
  /** Study of this agent to continue; null = a new one. */
  resume: studyIdSchema.nullable(),
});
export type Begin = z.infer<typeof beginSchema>;

export const begunSchema = z.object({
  lease: z.uuid(),
  study: studyIdSchema,
  /** The complete plan, as a user writes it. */
  plan: z.record(z.string(), z.unknown()),
  /** Without a message of the driver for so long the agent gives the study up. */
  leaseTimeoutNs: z.number().int().positive(),
});
export type Begun = z.infer<typeof begunSchema>;

export const clockReplySchema = z.object({ receivedNs: instantSchema, returnedNs: instantSchema });

export const leaseSchema = z.strictObject({ lease: z.uuid() });
/** Waits until there is an event after `seen`, or a while. */
export const nextSchema = z.strictObject({ lease: z.uuid(), seen: count });

const progressSchema = z.object({
  trial: z.object({
    trialId: z.string(),
    block: count,
    position: count,
    cell: cellSchema,
    phase: trialPhaseSchema.optional(),
  }),
  trials: count,
  blocks: count,
  finished: count,
  step: z.enum(['settle', 'start', 'warm up', 'measure', 'stop', 'calibrate']),
  recentPerSecond: z.number().nullable(),
  remainingNs: z.number().nonnegative(),
});
export type WireProgress = z.infer<typeof progressSchema>;

/** What the agent has to say, in its order. */
const eventBodySchema = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('note'), text: z.string() }),
  z.object({ kind: z.literal('started'), trials: count, expectedNs: z.number().nonnegative() }),
  z.object({ kind: z.literal('progress'), progress: progressSchema }),
  z.object({ kind: z.literal('load'), order: count, spec: wireSpecSchema, origin: originSchema }),
  z.object({
    kind: z.literal('calibrate'),
    order: count,
    spec: wireSpecSchema,
    subject: calibrationSubjectSchema,
    measuredNs: z.number().nonnegative(),
  }),
  z.object({ kind: z.literal('cancel'), order: count }),
  z.object({ kind: z.literal('trial'), record: trialRecordSchema }),
  /** The study is over and the host is as it was; code and message are null if it ran to its end. */
  z.object({ kind: z.literal('ended'), code: z.string().nullable(), message: z.string().nullable() }),
]);
export type EventBody = z.infer<typeof eventBodySchema>;
export const eventsSchema = z.object({ events: z.array(z.object({ number: count, body: eventBodySchema })) });
export type NumberedEvent = z.infer<typeof eventsSchema>['events'][number];

/** What became of an order; `usedNs` is the CPU time of the driver's process so far. */
export const answerSchema = z.strictObject({
  lease: z.uuid(),
  order: count,
  answer: z.discriminatedUnion('kind', [
    z.strictObject({ kind: z.literal('measuring'), offsetNs: z.number(), usedNs: z.number().nonnegative() }),
    z.strictObject({ kind: z.literal('measured'), offsetNs: z.number(), usedNs: z.number().nonnegative() }),
    z.strictObject({ kind: z.literal('result'), result: wireResultSchema }),
    z.strictObject({ kind: z.literal('calibrated'), calibration: calibrationSchema }),
    z.strictObject({ kind: z.literal('failed'), code: z.string(), message: z.string() }),
  ]),
});
export type Answer = z.infer<typeof answerSchema>['answer'];

/** Records of a study that may be fetched; nothing else of the agent's disk. */
export const recordNameSchema = z
  .string()
  .regex(
    /^(plan\.yaml|environment\.json|trials\.jsonl|manifest\.json|(histograms|series)\/[A-Za-z0-9][A-Za-z0-9._-]*\.json)$/,
  );
export const filesSchema = z.object({
  files: z.array(z.object({ name: recordNameSchema, sizeBytes: count, sha256: z.string().regex(/^[0-9a-f]{64}$/) })),
});
export type FileFact = z.infer<typeof filesSchema>['files'][number];
export const fileRequestSchema = z.strictObject({ lease: z.uuid(), name: recordNameSchema });

export const problemSchema = z.object({ code: z.string(), message: z.string() });
