/** `mpsbench load-worker`: sends shares of loads that a coordinator hands out through Redis, until Ctrl-C. */
import { hostname } from 'node:os';
import { Command } from 'commander';
import { interrupted } from '../../core/errors.ts';
import { counted } from '../../core/units.ts';
import type { LoadHost } from '../../records/load-hosts.ts';
import { type CliContext, jsonDocument } from '../context.ts';
import { clientCpusOf } from '../load-headroom.ts';
import { addRedisOptions, type RedisOptions, redisOf } from '../load-hosts-options.ts';
import { collect } from '../option-values.ts';

interface Options extends RedisOptions {
  readonly name?: string;
  readonly clientCpus?: string;
  readonly allowTarget?: readonly string[];
  readonly json?: true;
}

const examples = `
Examples:
  $ mpsbench load-worker --redis redis://10.0.0.5:6379
  $ mpsbench load-worker --redis-url-file redis.url --redis-ca ca.pem --allow-target 'http://gpu-*:8080'

  and where the figures are wanted:
  $ mpsbench load http://gpu-1:8080/ping -c 64 -d 30s --load-hosts 2 --redis redis://10.0.0.5:6379

Exit status: 1 Redis cannot be reached at the start · 2 usage · 130 interrupted`;

export function loadWorkerCommand(context: CliContext): Command {
  const command = new Command('load-worker').description(
    'send the shares of loads that mpsbench load or study --load-hosts hands out, until Ctrl-C',
  );
  return addRedisOptions(command)
    .option('--name <name>', 'what reports call this worker (host name and process)')
    .option('--client-cpus <list>', 'CPUs that the generator is kept to, such as 0-3,8')
    .option(
      '--allow-target <pattern>',
      'send to such servers only, such as http://gpu-*:8080; may be repeated',
      collect,
    )
    .option('--json', 'a JSON document for each share that was sent')
    .addHelpText('after', examples)
    .action((options: Options) => loadWorker(context, options));
}

async function loadWorker(context: CliContext, options: Options): Promise<void> {
  const redis = await redisOf(options);
  const allowedTargets = options.allowTarget ?? [];
  const [{ runLoadWorker }, { checkPattern }] = await Promise.all([
    import('../../load-hosts/load-worker.ts'),
    import('../../load-hosts/allowed-targets.ts'),
  ]);
  allowedTargets.forEach(checkPattern);
  const name = options.name ?? `${hostname()}-${process.pid}`;
  await runLoadWorker(
    {
      redis,
      name,
      cpus: clientCpusOf(options),
      allowedTargets,
      onReady: () => context.err(`load worker ${name} waits for shares at ${redis.text}\n`),
      onShare: (host) => context.out(options.json ? jsonDocument('load-share', host) : shareLine(host)),
      onTrouble: (text) => context.err(`load worker ${name}: ${text}\n`),
    },
    context.signal,
  );
  throw interrupted('load-worker');
}

function shareLine({ ok, finished, connections }: LoadHost): string {
  return `share sent: ${counted(finished, 'request')} over ${counted(connections, 'connection')}, ${ok} ok\n`;
}
