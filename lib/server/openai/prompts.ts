/** Requests for text: from the prompts of a file, or made up with a seed. */
import { readFileSync } from 'node:fs';
import { z } from 'zod';
import { MpsbenchError, messageOf } from '../../core/errors.ts';
import { type RandomStream, randomStream } from '../../core/random.ts';
import type { OpenaiPlan } from '../../records/server-plans/openai.ts';
import { parseJson } from '../model-setup.ts';

const madeUpCount = 64;
/** Short and common: a token each for most tokenizers. */
const words =
  'the time of a day is not as long as it was when we had more work to do and some of them could see how far it would go'.split(
    ' ',
  );

const promptLineSchema = z.union([
  z.looseObject({ prompt: z.string().min(1) }),
  z.looseObject({ messages: z.array(z.looseObject({ role: z.string() })).min(1) }),
]);
type PromptLine = z.infer<typeof promptLineSchema>;

/** Bodies of streamed requests, with the server's own count of tokens asked for. Throws BODY_UNREADABLE. */
export function textRequests(plan: OpenaiPlan, model: string): Uint8Array[] {
  const random = randomStream(plan.seed, 'payload');
  const prompts = plan.prompts === null ? madeUpPrompts(plan, random) : readPrompts(plan.prompts, plan.api);
  return prompts.map((prompt) => {
    const document = {
      model,
      max_tokens: drawBetween(plan.outputTokens, random),
      stream: true,
      stream_options: { include_usage: true },
      ...plan.parameters,
      ...inputOf(prompt, plan.api),
    };
    return Buffer.from(JSON.stringify(document));
  });
}

/** What a line says of its own, such as max_tokens, wins over the plan. */
function inputOf(line: PromptLine, api: OpenaiPlan['api']): object {
  if (api === 'completions' || 'messages' in line) return line;
  const { prompt, ...rest } = line;
  return { ...rest, messages: [{ role: 'user', content: prompt }] };
}

function madeUpPrompts({ promptWords }: OpenaiPlan, random: RandomStream): PromptLine[] {
  return Array.from({ length: madeUpCount }, () => {
    const length = drawBetween(promptWords, random);
    const prompt = Array.from({ length }, () => words[random.below(words.length)]).join(' ');
    return { prompt };
  });
}

function drawBetween([least, most]: readonly [number, number], random: RandomStream): number {
  return least + random.below(most - least + 1);
}

function readPrompts(file: string, api: OpenaiPlan['api']): PromptLine[] {
  const lines = readLines(file).map((text, index) => {
    const line = promptLineSchema.safeParse(parseJson(text)).data;
    if (line !== undefined && (api === 'chat' || 'prompt' in line)) return line;
    const wanted = api === 'chat' ? '{"prompt": "…"} or {"messages": […]}' : '{"prompt": "…"}';
    throw new MpsbenchError('BODY_UNREADABLE', `${file} line ${index + 1} is no prompt; write ${wanted} on each line`);
  });
  if (lines.length > 0) return lines;
  throw new MpsbenchError('BODY_UNREADABLE', `${file} holds no prompt; write one a line, such as {"prompt": "…"}`);
}

function readLines(file: string): string[] {
  try {
    return readFileSync(file, 'utf8')
      .split('\n')
      .filter((line) => line.trim() !== '');
  } catch (cause) {
    const what = `cannot read the prompts ${file}: ${messageOf(cause)}`;
    throw new MpsbenchError('BODY_UNREADABLE', `${what}; name a readable file as server.prompts`, { cause });
  }
}
