/** What a plan may say of servers that are running already: which endpoint serves which cell. */
import { z } from 'zod';
import { armNameSchema, type Cell } from '../arm.ts';
import { positiveInteger } from '../plan-values.ts';
import { expectedAnswerSchema, requestBodiesSchema, requestHeadersSchema, requestMethodSchema } from './request.ts';

const nonEmpty = z.string({ error: 'needs text' }).min(1, 'must not be empty');

const endpointSchema = z.strictObject({
  /** Whole URL of the request. */
  url: z.string().refine(isHttpUrl, 'must be a URL such as http://127.0.0.1:8000/predict'),
  /** What the server was started with: of all endpoints of the cell together. */
  workers: positiveInteger.max(1000).default(1),
  batchSize: positiveInteger.max(4096).default(1),
  arm: armNameSchema,
  /** Workers on this host, for the proof of the arm; empty = the arm is as stated. */
  pids: z.array(positiveInteger).default([]),
  /** CUDA_MPS_PIPE_DIRECTORY of the daemon that they are clients of; null = not known, nobody is asked. */
  pipeDirectory: nonEmpty.nullable().default(null),
});
export type AttachedEndpoint = z.infer<typeof endpointSchema>;

export const attachedServerSchema = z.strictObject({
  kind: z.literal('attached'),
  /** Endpoints of the same cell share its load evenly; their URLs differ in host and port alone. */
  endpoints: z
    .array(endpointSchema)
    .min(1, 'needs an endpoint')
    .superRefine((endpoints, context) => {
      for (const [index, endpoint] of endpoints.entries()) {
        const [path, message] = cellProblem(endpoint, endpointsOf({ endpoints }, endpoint)) ?? [];
        if (path !== undefined) context.addIssue({ code: 'custom', path: [index, path], message });
      }
    }),
  method: requestMethodSchema,
  headers: requestHeadersSchema,
  bodies: requestBodiesSchema,
  expect: expectedAnswerSchema,
  /** What the servers run, for the report; null = the first URL. */
  description: nonEmpty.nullable().default(null),
});
export type AttachedPlan = z.infer<typeof attachedServerSchema>;

/** Those that serve the cell. */
export function endpointsOf(
  plan: { readonly endpoints: readonly AttachedEndpoint[] },
  cell: Cell,
): readonly AttachedEndpoint[] {
  return plan.endpoints.filter(
    ({ workers, batchSize, arm }) => workers === cell.workers && batchSize === cell.batchSize && arm === cell.arm,
  );
}

function cellProblem(
  { url, workers }: AttachedEndpoint,
  ofCell: readonly AttachedEndpoint[],
): readonly ['url' | 'workers', string] | null {
  const first = ofCell[0]?.url ?? url;
  if (requestOf(first) !== requestOf(url)) {
    return ['url', `must differ from ${first} of the same cell in host and port alone`];
  }
  if (ofCell.length <= workers) return null;
  return [
    'workers',
    `is ${workers}, and the cell has ${ofCell.length} endpoints; it counts the workers of all of them`,
  ];
}

/** Scheme, path and query; null for what is no URL. */
function requestOf(url: string): string | null {
  if (!URL.canParse(url)) return null;
  const { protocol, pathname, search } = new URL(url);
  return `${protocol}${pathname}${search}`;
}

function isHttpUrl(text: string): boolean {
  const { protocol } = URL.canParse(text) ? new URL(text) : { protocol: '' };
  return protocol === 'http:' || protocol === 'https:';
}
