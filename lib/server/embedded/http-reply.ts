/** Replies in TorchServe's form: JSON bodies, its error types, and a closed connection after every error. */
import type { IncomingMessage, ServerResponse } from 'node:http';

export type ProblemType =
  | 'BadRequestException'
  | 'ConflictStatusException'
  | 'InternalServerException'
  | 'MethodNotAllowedException'
  | 'ModelNotFoundException'
  | 'ModelVersionNotFoundException'
  | 'RequestEntityTooLargeException'
  | 'ResourceNotFoundException'
  | 'ServiceUnavailableException';

/** What a client is told went wrong. Thrown by routes; `sendProblem` writes it. */
export class HttpProblem extends Error {
  readonly status: number;
  readonly type: ProblemType;

  constructor(status: number, type: ProblemType, message: string) {
    super(message);
    this.name = 'HttpProblem';
    this.status = status;
    this.type = type;
  }
}

export function badRequest(message: string): HttpProblem {
  return new HttpProblem(400, 'BadRequestException', message);
}

export function methodNotAllowed(request: IncomingMessage): HttpProblem {
  return new HttpProblem(405, 'MethodNotAllowedException', `Method ${request.method} is not allowed on this path.`);
}

export function unknownPath(): HttpProblem {
  return new HttpProblem(404, 'ResourceNotFoundException', 'No such path.');
}

export function modelNotFound(name: string): HttpProblem {
  return new HttpProblem(404, 'ModelNotFoundException', `Model not found: ${name}`);
}

export function versionNotFound(name: string, version: string): HttpProblem {
  return new HttpProblem(
    404,
    'ModelVersionNotFoundException',
    `Model version: ${version} does not exist for model: ${name}`,
  );
}

/** Writes a complete JSON text. `close` ends the connection after it. */
export function sendText(response: ServerResponse, status: number, text: string, close: boolean): void {
  const headers = { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) };
  response.writeHead(status, close || status >= 400 ? { ...headers, connection: 'close' } : headers);
  response.end(text);
}

export function sendJson(response: ServerResponse, status: number, body: object, close: boolean): void {
  sendText(response, status, `${JSON.stringify(body, null, 2)}\n`, close);
}

/** A thrown problem as its reply; anything else is a fault of the server itself. */
export function sendProblem(response: ServerResponse, thrown: unknown): void {
  const problem =
    thrown instanceof HttpProblem
      ? thrown
      : new HttpProblem(500, 'InternalServerException', thrown instanceof Error ? thrown.message : String(thrown));
  sendJson(response, problem.status, { code: problem.status, type: problem.type, message: problem.message }, true);
}
