/** `mpsbench agent`: what this GPU host has to say, over HTTP. */
import { Command } from 'commander';
import { agentStudies } from '../../agent/agent-studies.ts';
import { agentApp } from '../../agent/app.ts';
import { type AgentConfiguration, defaultConfiguration, readConfiguration } from '../../agent/configuration.ts';
import { readCredentials } from '../../agent/credentials.ts';
import { renewTls } from '../../agent/http-server.ts';
import { listenAndServe } from '../../agent/listen.ts';
import { studyRoutes } from '../../agent/study-routes.ts';
import { messageOf } from '../../core/errors.ts';
import { packageVersion } from '../../core/package-version.ts';
import { type CliContext, jsonDocument } from '../context.ts';
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
  $ curl http://127.0.0.1:9477/healthz

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
  await using studies = agentStudies(configuration, context);
  // What an agent that was killed has left running is ended before another driver comes.
  if (studies !== null) await recoverLeftovers(context);
  const routes = studies === null ? [] : [studyRoutes({ studies })];
  const app = agentApp({ version: packageVersion(), credentials: () => credentials, routes, log });
  context.onHangup?.(() => {
    try {
      credentials = readCredentials(configuration, new Date());
      if (credentials.tls) renewTls(app.server, credentials.tls);
      log('certificate and token were read again');
    } catch (thrown) {
      log(`certificate and token stay as they were: ${messageOf(thrown)}`);
    }
  });
  await listenAndServe(app, {
    ...configuration.listen,
    signal: context.signal,
    onListening: (url) => context.out(options.json ? jsonDocument('agent', { url }) : `listening on ${url}\n`),
  });
}

function configurationOf(options: AgentOptions): AgentConfiguration {
  const written = options.config === undefined ? defaultConfiguration() : readConfiguration(options.config);
  const { host = written.listen.host, port = written.listen.port } = options;
  return { ...written, listen: { host, port } };
}
