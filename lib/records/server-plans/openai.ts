/** What a plan may say of a server of text generation that speaks OpenAI's API with event streams. */
import { z } from 'zod';
import { cpuListValue, positiveInteger } from '../plan-values.ts';
import { cpusCanBeSet, cpusCannotBeSet, exactlyOneStart, launchKeys, nonEmptyText } from './launch.ts';

const tokenRange = z
  .tuple([positiveInteger, positiveInteger])
  .refine(([least, most]) => least <= most, 'must be [least, most]')
  .default([32, 128]);

export const openaiServerSchema = z
  .strictObject({
    kind: z.literal('openai'),
    ...launchKeys,
    cpus: cpuListValue,
    /** Name of the model in the requests; null = the first that the server lists. */
    model: nonEmptyText.nullable().default(null),
    api: z.enum(['chat', 'completions']).default('chat'),
    /** Asked by GET until it answers 200. */
    readyPath: z
      .string()
      .regex(/^\/\S*$/, 'must begin with / and hold no blanks')
      .default('/v1/models'),
    /**
     * per-worker: a server for each worker, told its port. one: a single server, told {workers}.
     */
    processes: z.enum(['per-worker', 'one']).default('per-worker'),
    /** JSON lines, each {"prompt": "…"} or {"messages": […]}; null = made-up prompts. */
    prompts: nonEmptyText.nullable().default(null),
    /** Made-up prompts: least and most words, which are about as many tokens. */
    promptWords: tokenRange,
    /** Most tokens of an answer, drawn for each prompt: least and most. */
    outputTokens: tokenRange,
    /** Made-up prompts, or draws of the lengths of answers for the prompts of the file. */
    seed: z.number().int().min(0).max(Number.MAX_SAFE_INTEGER).default(1),
    /** Further fields of every request, such as {temperature: 0, ignore_eos: true}. */
    parameters: z.record(z.string(), z.unknown()).default({}),
  })
  .superRefine(exactlyOneStart)
  .refine(cpusCanBeSet, cpusCannotBeSet);
export type OpenaiPlan = z.infer<typeof openaiServerSchema>;
