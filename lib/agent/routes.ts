/** What the agent answers of this host: /metrics, /v1/snapshot and /v1/samples. */
import type { FastifyInstance, FastifyPluginAsync } from 'fastify';
import { jsonSchemaVersion } from '../records/document-version.ts';
import type { HostReader, HostReading } from './host-reader.ts';
import type { AgentIdentity } from './metrics/agent-metrics.ts';
import { exposition, expositionType, metricFamilies } from './metrics/exposition.ts';
import { AgentProblem } from './problem.ts';
import { samplesAsked, startStream } from './sample-stream.ts';

export interface HostRoutesOptions {
  readonly reader: HostReader;
  readonly agent: AgentIdentity;
}

/** A plugin for `agentApp`. */
export function hostRoutes({ reader, agent }: HostRoutesOptions): FastifyPluginAsync {
  return async (app: FastifyInstance) => {
    const rendered = renderedOnce(agent);
    const ending = new AbortController();
    app.addHook('preClose', async () => ending.abort());
    app.get('/metrics', async (_request, reply) => {
      const text = await rendered(await reader.read());
      return reply.type(expositionType).send(text);
    });
    app.get('/v1/snapshot', async (_request, reply) => {
      return reply.type('application/json').send(`${snapshotDocument(await reader.read())}\n`);
    });
    app.get('/v1/samples', async (request, reply) => {
      const asked = samplesAsked(request.query);
      const line = async (): Promise<string> => snapshotDocument(await reader.read());
      const stream = startStream(asked, { line, counts: agent.counts, signal: ending.signal });
      return reply.type('application/x-ndjson').send(stream);
    });
  };
}

/** As `probe --json` prints it, on one line. */
function snapshotDocument({ snapshot, unavailable }: HostReading): string {
  if (snapshot) return JSON.stringify({ schemaVersion: jsonSchemaVersion, kind: 'probe', ...snapshot });
  throw new AgentProblem(503, 'UNAVAILABLE', `${unavailable?.code ?? ''}: ${unavailable?.message ?? ''}`);
}

/** The text of one reading is made once, for however many scrapers. */
function renderedOnce(agent: AgentIdentity): (reading: HostReading) => Promise<string> {
  const families = metricFamilies(agent);
  const texts = new WeakMap<HostReading, Promise<string>>();
  return (reading) => {
    const text = texts.get(reading) ?? exposition(families, reading);
    texts.set(reading, text);
    return text;
  };
}
