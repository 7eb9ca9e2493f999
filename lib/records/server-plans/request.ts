/** What a plan says of the request that a server of any kind is checked and loaded with, and of its answer. */
import { z } from 'zod';

const nonEmpty = z.string({ error: 'needs text' }).min(1, 'must not be empty');

export const requestMethodSchema = z.enum(['GET', 'POST', 'PUT', 'PATCH', 'DELETE']).default('POST');

/** A header may not end its line. */
export const requestHeadersSchema = z
  .record(
    z.string().regex(/^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/, 'is no name of a header'),
    z.string().regex(/^[^\r\n]*$/, 'must be one line'),
  )
  .default({});

/** Files whose bytes are request bodies: the first is the checked one, all are the load's where the plan names none. */
export const requestBodiesSchema = z.array(nonEmpty).default([]);

/** What the checked response must be beside its 2xx status: text that matches, or JSON that is equal. */
export const expectedAnswerSchema = z
  .union([
    z.strictObject({ pattern: z.string().refine(isPattern, 'is no regular expression') }),
    z.strictObject({ json: z.unknown().refine((value) => value !== undefined, 'needs a value') }),
  ])
  .nullable()
  .default(null);
export type ExpectedAnswer = z.infer<typeof expectedAnswerSchema>;

function isPattern(text: string): boolean {
  try {
    return new RegExp(text).source !== '';
  } catch {
    return false;
  }
}
