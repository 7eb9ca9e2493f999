/** `mpsbench agent`: what this GPU host has to say, over HTTP. */
import process from 'node:process';
import { Command } from 'commander';
import { agentStudies } from '../../agent/agent-studies.ts';
import { agentApp } from '../../agent/app.ts';
import { type AgentConfiguration, defaultConfiguration, readConfiguration } from '../../agent/configuration.ts';
import { type Credentials, readCredentials } from '../../agent/credentials.ts';
import { HostReader } from '../../agent/host-reader.ts';
import { renewTls } from '../../agent/http-server.ts';
import { listenAndServe } from '../../agent/listen.ts';
import type { AgentCounts } from '../../agent/metrics/agent-metrics.ts';
import { hostRoutes } from '../../agent/routes.ts';
import { studyRoutes } from '../../agent/study-routes.ts';
import { messageOf } from '../../core/errors.ts';
import { packageVersion } from '../../core/package-version.ts';
import { openGpu } from '../../gpu/session.ts';
import { type CliContext, jsonDocument } from '../context.ts';
import { hostFactsBeside } from '../host-facts.ts';
import { wholeNumberValue } from '../option-values.ts';
import { recoverLeftovers } from '../recover-leftovers.ts';

interface AgentOptions {
  readonly config?: string;
  readonly host?: string;
  readonly port?: number;
  readonly json?: true;
}

const help = `
Examples:
  $ mpsbench agent
  $ mpsbench agent --config /etc/mpsbench/agent.yaml
  $ curl http://127.0.0.1:9477/metrics

Beyond loopback it needs TLS and a token: 'tls' and 'tokenFile' of the configuration. SIGHUP reads both again.`;

export function agentCommand(context: CliContext): Command {
  return new Command('agent')
    .description('answer for this GPU host over HTTP: metrics for Prometheus, snapshots, samples')
    .option('--config <file>', 'YAML file: listen, tls, tokenFile, plans, studies')
    .option('--host <address>', 'address to listen on, instead of that of the configuration')
    .option('--port <port>', 'port to listen on, instead of that of the configuration', wholeNumberValue(0, 65_535))
    .option('--json', 'one JSON document with the address, on stdout')
    .addHelpText('after', help)
    .action((options: AgentOptions) => runAgent(options, context));
}

async function runAgent(options: AgentOptions, context: CliContext): Promise<void> {
  const configuration = configurationOf(options);
  let credentials = readCredentials(configuration, new Date());
  const log = (line: string) => context.err(`${line}\n`);
  const counts: AgentCounts = { refused: new Map(), streams: 0, droppedSamples: 0 };
  const version = packageVersion();
  using reader = hostReader(context);
  await using studies = agentStudies(configuration, context);
  // What an agent that was killed has left running is ended before a driver comes.
  if (studies !== null) await recoverLeftovers(context);
  const host = hostRoutes({ reader, agent: { version, nodeVersion: process.version, counts } });
  const app = agentApp({
    version,
    credentials: () => credentials,
    routes: studies === null ? [host] : [host, studyRoutes({ studies })],
    log,
    onRefused: (code) => counts.refused.set(code, (counts.refused.get(code) ?? 0) + 1),
  });
  context.onHangup?.(() => {
    credentials = renewed(configuration, credentials, log);
    if (credentials.tls) renewTls(app.server, credentials.tls);
  });
  await listenAndServe(app, {
    ...configuration.listen,
    signal: context.signal,
    onListening: (url) => context.out(options.json ? jsonDocument('agent', { url }) : `listening on ${url}\n`),
  });
}

function hostReader(context: CliContext): HostReader {
  return new HostReader({
    openGpu: () => openGpu({ nvmlPath: context.paths.nvml }),
    facts: (gpu) => hostFactsBeside(context, gpu),
    signal: context.signal,
  });
}

/** Those that can't be used are told of and left: the agent goes on with what it has. */
function renewed(configuration: AgentConfiguration, before: Credentials, log: (line: string) => void): Credentials {
  try {
    const read = readCredentials(configuration, new Date());
    log('certificate and token were read again');
    return read;
  } catch (thrown) {
    log(`certificate and token stay as they were: ${messageOf(thrown)}`);
    return before;
  }
}

function configurationOf(options: AgentOptions): AgentConfiguration {
  const written = options.config === undefined ? defaultConfiguration() : readConfiguration(options.config);
  const { host = written.listen.host, port = written.listen.port } = options;
  return { ...written, listen: { host, port } };
}
