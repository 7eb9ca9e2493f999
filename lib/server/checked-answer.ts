/** Whether a server's answer to the checked request is the one that the plan expects. */
import { readFileSync } from 'node:fs';
import { isDeepStrictEqual } from 'node:util';
import { MpsbenchError, messageOf } from '../core/errors.ts';
import type { ExpectedAnswer } from '../records/server-plans/request.ts';
import type { HttpReply } from './model-setup.ts';
import { oneLine, parseJson } from './model-setup.ts';

/** What is wrong with it, in words; null if it has a 2xx status and is as expected. */
export function answerProblem({ status, text }: HttpReply, expected: ExpectedAnswer): string | null {
  if (status < 200 || status > 299) return `answered ${status}: ${oneLine(text)}`;
  if (expected === null) return null;
  if ('pattern' in expected) {
    return new RegExp(expected.pattern).test(text)
      ? null
      : `answered ${oneLine(text)}, which expect.pattern does not match`;
  }
  if (isDeepStrictEqual(parseJson(text), expected.json)) return null;
  return `answered ${oneLine(text)} instead of expect.json`;
}

/** The bytes of the files. Throws BODY_UNREADABLE. */
export function readRequestBodies(paths: readonly string[], key: string): Uint8Array[] {
  return paths.map((path) => {
    try {
      return readFileSync(path);
    } catch (cause) {
      const what = `cannot read the request body ${path}: ${messageOf(cause)}`;
      throw new MpsbenchError('BODY_UNREADABLE', `${what}; name readable files as ${key}`, { cause });
    }
  });
}
