/** The bearer token of the agent: read from a file that nobody else may read, compared in constant time. */
import { createHash, timingSafeEqual } from 'node:crypto';
import { MpsbenchError } from '../core/errors.ts';
import { readPrivateFile } from './private-file.ts';

/** Shorter ones can be guessed. */
const leastCharacters = 16;

/** Says whether the value of an Authorization header carries the token. */
export type TokenCheck = (authorization: string | undefined) => boolean;

/**
 * Reads the token, without blanks around it. Throws AGENT_CONFIGURATION if the file can't be read, is open to its group or
 * to everybody, or holds no token of at least 16 characters without blanks.
 */
export function readToken(file: string): string {
  const token = readPrivateFile(file, 'token file').trim();
  if (/^[\x21-\x7e]+$/.test(token) && token.length >= leastCharacters) return token;
  const what = `the token file ${file} holds no token of at least ${leastCharacters} characters without blanks`;
  throw new MpsbenchError('AGENT_CONFIGURATION', `${what}; make one with: openssl rand -hex 32 > ${file}`);
}

/** Both sides are hashed first, so that the time says nothing of the length either. */
export function tokenCheck(token: string): TokenCheck {
  const expected = digest(token);
  return (authorization) => {
    const given = /^Bearer +([\x21-\x7e]+)$/i.exec(authorization ?? '')?.[1];
    return timingSafeEqual(digest(given ?? ''), expected) && given !== undefined;
  };
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
