/** What a client of the agent is told went wrong: a status, a stable code and one line. */

export type ProblemCode =
  | 'BAD_REQUEST'
  | 'UNAUTHORIZED'
  | 'MISDIRECTED'
  | 'NOT_FOUND'
  | 'CONFLICT'
  | 'BODY_TOO_LARGE'
  | 'HEADERS_TOO_LARGE'
  | 'TOO_SLOW'
  | 'TOO_MANY_STREAMS'
  | 'UNAVAILABLE'
  | 'INTERNAL';

/** Thrown by a route; becomes `{"error":{"code","message"}}` with that status. */
export class AgentProblem extends Error {
  readonly statusCode: number;
  readonly code: ProblemCode;

  constructor(statusCode: number, code: ProblemCode, message: string) {
    super(message);
    this.name = 'AgentProblem';
    this.statusCode = statusCode;
    this.code = code;
  }
}

/** The body of every refusal, on one line. */
export function problemBody(code: string, message: string): { readonly error: { code: string; message: string } } {
  return { error: { code, message: message.replaceAll(/\s+/g, ' ') } };
}
