/** The published JSON Schemas, made from the schemas that the program itself reads and writes by. */
import { z } from 'zod';
import { studySummarySchema } from '../analysis/summary-model.ts';
import { environmentSchema } from '../records/environment.ts';
import { encodedHistogramsSchema } from '../records/load.ts';
import { manifestSchema } from '../records/manifest.ts';
import { studyPlanSchema } from '../records/plan.ts';
import { requestedForm } from '../records/plan-text.ts';
import { trialSeriesSchema } from '../records/series.ts';
import { trialRecordSchema } from '../records/trial.ts';
import {
  agentDocumentSchema,
  comparisonDocumentSchema,
  contextDocumentSchema,
  doctorDocumentSchema,
  loadDocumentSchema,
  loadIntervalDocumentSchema,
  loadShareDocumentSchema,
  probeDocumentSchema,
  rateSearchDocumentSchema,
  scheduleDocumentSchema,
  serveDocumentSchema,
  studyDocumentSchema,
  verificationDocumentSchema,
  watchDocumentSchema,
} from './json-documents.ts';

/** Of every document in the table below. */
const documentVersion = 1;

interface PublishedDocument {
  readonly title: string;
  readonly schema: z.ZodType;
}

/** File name without ending -> document. */
const documents: Readonly<Record<string, PublishedDocument>> = {
  plan: { title: 'A study plan: plan.yaml, as a user writes it and as a study keeps it', schema: studyPlanSchema },
  environment: { title: 'environment.json of a study', schema: environmentSchema },
  manifest: { title: 'manifest.json of a study that ran to its end', schema: manifestSchema },
  trial: { title: 'One line of trials.jsonl of a study', schema: trialRecordSchema },
  histograms: { title: 'A file below histograms/ of a study', schema: encodedHistogramsSchema },
  series: { title: 'A file below series/ of a study', schema: trialSeriesSchema },
  summary: { title: 'summary.json of a study', schema: studySummarySchema },
  'probe-document': { title: 'mpsbench probe --json', schema: probeDocumentSchema },
  'watch-document': { title: 'mpsbench watch --json', schema: watchDocumentSchema },
  'context-document': { title: 'mpsbench context --json', schema: contextDocumentSchema },
  'doctor-document': { title: 'mpsbench doctor --json', schema: doctorDocumentSchema },
  'load-document': { title: 'mpsbench load --json', schema: loadDocumentSchema },
  'rate-search-document': { title: 'mpsbench load --rate auto --json', schema: rateSearchDocumentSchema },
  'load-interval-document': { title: 'A line of mpsbench load --json-lines', schema: loadIntervalDocumentSchema },
  'study-document': { title: 'mpsbench study --json and mpsbench report --json', schema: studyDocumentSchema },
  'study-schedule-document': { title: 'mpsbench study --dry-run --json', schema: scheduleDocumentSchema },
  'verification-document': { title: 'mpsbench verify --json', schema: verificationDocumentSchema },
  'comparison-document': { title: 'mpsbench compare --json', schema: comparisonDocumentSchema },
  'agent-document': { title: 'mpsbench agent --json', schema: agentDocumentSchema },
  'load-share-document': { title: 'mpsbench load-worker --json', schema: loadShareDocumentSchema },
  'serve-document': { title: 'mpsbench serve --json', schema: serveDocumentSchema },
};

/** Plans are read strictly. Everything else may gain keys without a new version, unless a test asks for `strict`. */
export interface PublishOptions {
  readonly strict?: boolean;
}

/** Name -> JSON Schema (2020-12). */
export function publishedSchemas(options: PublishOptions = {}): Readonly<Record<string, unknown>> {
  const published = Object.entries(documents).map(([name, { title, schema }]) => {
    const { $schema, ...body } = jsonSchemaOf(schema, options.strict === true);
    return [name, { $schema, $id: `urn:mpsbench:${name}:${documentVersion}`, title, ...body }] as const;
  });
  return Object.fromEntries(published);
}

type JsonSchema = z.core.JSONSchema.BaseSchema;

/**
 * A plan is described as it is written, with text for durations and sizes; what else is read and written has the same
 * form on both sides, and every key that has a default on reading is there.
 */
function jsonSchemaOf(schema: z.ZodType, strict: boolean): JsonSchema {
  const ofPlan = z.toJSONSchema(studyPlanSchema, { io: 'input' });
  withWrittenDefaults(ofPlan, requestedForm(studyPlanSchema.parse({})));
  if (schema === studyPlanSchema) return ofPlan;
  const { $schema: _, ...plan } = ofPlan;
  return z.toJSONSchema(schema, {
    io: 'output',
    override: ({ zodSchema, jsonSchema }) => {
      if (zodSchema === studyPlanSchema) replace(jsonSchema, plan);
      delete jsonSchema.readOnly;
      const { def } = zodSchema._zod;
      if (!strict && def.type === 'object' && def.catchall === undefined) delete jsonSchema.additionalProperties;
    },
    // The plan inside a schedule: its durations are transforms, which have no schema on the output side.
    unrepresentable: 'any',
  });
}

/** The library writes a default as it is after reading (nanoseconds); a reader of the schema writes it as text. */
function withWrittenDefaults(schema: JsonSchema, written: object): void {
  for (const [key, value] of Object.entries(written)) {
    const property = schema.properties?.[key];
    if (typeof property !== 'object' || property.const !== undefined) continue;
    if (typeof value !== 'object' || value === null || Array.isArray(value)) {
      if (value !== undefined) property.default = value;
      continue;
    }
    delete property.default;
    const inner = property.properties === undefined ? property.oneOf?.[0] : property;
    if (inner !== undefined) withWrittenDefaults(inner, value);
  }
}

function replace(target: JsonSchema, content: JsonSchema): void {
  for (const key of Object.keys(target)) delete target[key];
  Object.assign(target, content);
}
