/** The routes by which a driver on another machine has a study run here and sends its load. */
import type { FastifyError, FastifyPluginAsync, FastifyReply } from 'fastify';
import type { z } from 'zod';
import { type ErrorCode, MpsbenchError } from '../core/errors.ts';
import { problemText } from '../records/problem-text.ts';
import {
  answerSchema,
  beginSchema,
  fileRequestSchema,
  leaseSchema,
  nextSchema,
  studyPath,
} from '../remote/protocol.ts';
import type { RemoteStudies } from '../remote/remote-studies.ts';
import { AgentProblem, problemBody } from './problem.ts';

/** A load's result has its histograms and its series. */
const mostResultBytes = 64 * 1024 * 1024;

const statusOfCode: Partial<Record<ErrorCode, number>> = {
  USAGE: 400,
  PLAN_INVALID: 400,
  PLAN_UNREADABLE: 400,
  STUDY_UNREADABLE: 404,
  ALREADY_RUNNING: 409,
  LEASE_LOST: 410,
};

export interface StudyRoutesOptions {
  readonly studies: RemoteStudies;
}

/** Every message can be sent again: the second time it changes nothing. */
export function studyRoutes({ studies }: StudyRoutesOptions): FastifyPluginAsync {
  return async (app) => {
    app.setErrorHandler(refuse);
    app.post(`${studyPath}/begin`, async ({ body }) => await studies.begin(read(beginSchema, body)));
    app.post(`${studyPath}/clock`, async () => studies.clock());
    app.post(`${studyPath}/next`, async ({ body }) => {
      const { lease, seen } = read(nextSchema, body);
      return { events: await studies.next(lease, seen) };
    });
    app.post(`${studyPath}/answer`, { bodyLimit: mostResultBytes }, async ({ body }) => {
      const { lease, order, answer } = read(answerSchema, body);
      await studies.answer(lease, order, answer);
      return {};
    });
    app.post(`${studyPath}/files`, async ({ body }) => ({ files: await studies.files(read(leaseSchema, body).lease) }));
    app.post(`${studyPath}/file`, async ({ body }, reply) => {
      const { lease, name } = read(fileRequestSchema, body);
      return reply.type('application/octet-stream').send(await studies.file(lease, name));
    });
    app.post(`${studyPath}/release`, async ({ body }) => {
      const { lease } = read(leaseSchema, body);
      studies.release(lease);
      return { over: studies.isOver(lease) };
    });
  };
}

function read<T>(schema: z.ZodType<T>, body: unknown): T {
  const result = schema.safeParse(body);
  if (result.success) return result.data;
  throw new AgentProblem(400, 'BAD_REQUEST', `a message of this version is needed: ${problemText(result.error)}`);
}

/** What is not of a study is left to the agent's own handler. */
function refuse(error: FastifyError | Error, _request: unknown, reply: FastifyReply): FastifyReply {
  const status = error instanceof MpsbenchError ? statusOfCode[error.code] : undefined;
  if (!(error instanceof MpsbenchError) || status === undefined) throw error;
  return reply.code(status).send(problemBody(error.code, error.message));
}
