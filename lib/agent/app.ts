/** The agent's HTTP interface: who may ask, how a refusal looks, and the routes that were handed in. */
import {
  type FastifyError,
  type FastifyInstance,
  type FastifyPluginAsync,
  type FastifyReply,
  type FastifyRequest,
  fastify,
} from 'fastify';
import { MpsbenchError } from '../core/errors.ts';
import { formatBytes } from '../core/units.ts';
import type { Credentials } from './credentials.ts';
import { agentServer, type ConnectionLimits, refuseConnection, usualLimits } from './http-server.ts';
import { hostOf, isLoopback } from './loopback.ts';
import { AgentProblem, problemBody } from './problem.ts';

export interface AgentParts {
  /** Of mpsbench, for /healthz. */
  readonly version: string;
  /** Those in force now; the certificate of the first call is what the server starts with. */
  readonly credentials: () => Credentials;
  /** Beside /healthz. Each asks for the token, where there is one. */
  readonly routes: readonly FastifyPluginAsync[];
  readonly limits?: ConnectionLimits;
  /** A line for the operator: a fault of the agent itself. */
  readonly log: (line: string) => void;
  /** Called for every request that is refused, with the code it is told. */
  readonly onRefused?: (code: string) => void;
}

/** Of a body, where a route names no other limit. */
const mostBodyBytes = 64 * 1024;

/** Every route but /healthz needs the token, also those that do not exist. Bodies are JSON. */
export function agentApp(parts: AgentParts): FastifyInstance {
  const limits = parts.limits ?? usualLimits;
  const app = fastify({
    bodyLimit: mostBodyBytes,
    logger: false,
    forceCloseConnections: true,
    clientErrorHandler: (error, socket) => refuseConnection(error, socket),
    frameworkErrors: (_error, _request, reply: unknown) => refuseBadPath(reply as FastifyReply),
    serverFactory: (handler) => agentServer(handler, parts.credentials().tls, limits),
  });
  app.removeContentTypeParser('text/plain');
  app.addHook('onRequest', async (request) => admit(request, parts.credentials()));
  app.setNotFoundHandler((request) => {
    throw new AgentProblem(404, 'NOT_FOUND', `there is no ${request.method} ${request.url.split('?')[0]} here`);
  });
  app.setErrorHandler((error: FastifyError | Error, _request, reply) => {
    const { statusCode, code, message } = problemOf(error, parts.log);
    parts.onRefused?.(code);
    if (statusCode === 401) void reply.header('www-authenticate', 'Bearer');
    // What is left of a body that was not read must not be taken for the next request.
    void reply.code(statusCode).header('connection', 'close').type('application/json');
    return reply.send(`${JSON.stringify(problemBody(code, message))}\n`);
  });
  app.get('/healthz', async () => ({ status: 'ok', version: parts.version }));
  for (const routes of parts.routes) app.register(routes);
  return app;
}

/** Before any hook, so that nothing is said of what is there. Its type knows no status of a reply without a schema. */
function refuseBadPath(reply: FastifyReply): void {
  const body = problemBody('BAD_REQUEST', 'the path of the request can not be read');
  void reply
    .code(400)
    .type('application/json')
    .send(`${JSON.stringify(body)}\n`);
}

/** Throws what the request is refused for. */
function admit(request: FastifyRequest, { allows }: Credentials): void {
  if (request.routeOptions.url === '/healthz') return;
  if (allows === null && !isLoopback(hostOf(request.headers.host ?? ''))) {
    // Else a page in a browser of this host could ask, by a name of its own that leads to loopback.
    throw new AgentProblem(421, 'MISDIRECTED', 'without a token the agent answers to names of loopback only');
  }
  if (allows && !allows(request.headers.authorization)) {
    throw new AgentProblem(401, 'UNAUTHORIZED', 'send the token of the agent as: Authorization: Bearer TOKEN');
  }
  const withoutBody = request.method === 'GET' || request.method === 'HEAD';
  const length = Number(request.headers['content-length'] ?? 0);
  if (withoutBody && (length > 0 || request.headers['transfer-encoding'] !== undefined)) {
    if (length > mostBodyBytes) throw tooLarge(mostBodyBytes);
    throw new AgentProblem(400, 'BAD_REQUEST', `a ${request.method} request has no body`);
  }
}

function tooLarge(mostBytes: number): AgentProblem {
  return new AgentProblem(413, 'BODY_TOO_LARGE', `a body may have ${formatBytes(mostBytes)} at most`);
}

function problemOf(
  error: FastifyError | Error,
  log: (line: string) => void,
): { readonly statusCode: number; readonly code: string; readonly message: string } {
  if (error instanceof AgentProblem) return error;
  if (error instanceof MpsbenchError) return { statusCode: 500, code: error.code, message: error.message };
  const statusCode = 'statusCode' in error ? error.statusCode : undefined;
  if (statusCode === 413) return { statusCode, code: 'BODY_TOO_LARGE', message: error.message };
  if (statusCode !== undefined && statusCode >= 400 && statusCode < 500) {
    return { statusCode, code: 'BAD_REQUEST', message: error.message };
  }
  log(`a bug: ${error.stack ?? error.message}`);
  return { statusCode: 500, code: 'INTERNAL', message: 'the agent failed; its log says how' };
}
