/** The options of a load from several hosts: where Redis is, and how many workers there are to be. */
import { readFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { type Command, Option } from 'commander';
import { MpsbenchError, messageOf } from '../core/errors.ts';
import { type Nanoseconds, seconds } from '../core/units.ts';
import type { EngineWish } from '../load/choose-engine.ts';
import type { LoadHosts } from '../load-hosts/coordinator.ts';
import type { RedisAddress } from '../load-hosts/redis-address.ts';
import type { CliContext } from './context.ts';
import { positiveDurationValue, wholeNumberValue } from './option-values.ts';

export interface RedisOptions {
  readonly redis?: string;
  readonly redisUrlFile?: string;
  readonly redisCa?: string;
}

export interface LoadHostsOptions extends RedisOptions {
  readonly loadHosts?: number;
  readonly loadHostsWait: Nanoseconds;
}

const mostHosts = 1000;

export function addRedisOptions(command: Command): Command {
  return command
    .addOption(
      new Option('--redis <url>', 'Redis of the load workers: redis://host:port, rediss:// for TLS').conflicts(
        'redisUrlFile',
      ),
    )
    .option('--redis-url-file <file>', 'file that holds that URL, so that no list of processes shows its password')
    .option('--redis-ca <file>', 'PEM file of the only authorities whose certificates are taken of a rediss:// server');
}

export function addLoadHostsOptions(command: Command): Command {
  command.option(
    '--load-hosts <count>',
    'send from so many hosts, each with mpsbench load-worker; needs --redis',
    wholeNumberValue(1, mostHosts),
  );
  return addRedisOptions(command).addOption(
    new Option('--load-hosts-wait <span>', 'patience with load workers that are not there yet')
      .argParser(positiveDurationValue)
      .default(seconds(30), '30s'),
  );
}

/** Null where the load is sent from here. Throws USAGE. */
export async function loadHostsOf(
  context: CliContext,
  options: LoadHostsOptions,
  wish: Pick<EngineWish, 'engine' | 'threads'>,
): Promise<LoadHosts | null> {
  const { loadHosts: hosts, loadHostsWait: waitNs } = options;
  if (hosts === undefined) {
    if (options.redis === undefined && options.redisUrlFile === undefined) return null;
    throw new MpsbenchError('USAGE', '--redis is for loads from several hosts: give --load-hosts as well');
  }
  const redis = await redisOf(options);
  const { LoadHosts: Hosts } = await import('../load-hosts/coordinator.ts');
  let told = '';
  return new Hosts({
    redis,
    hosts,
    waitNs,
    name: `${hostname()} (process ${process.pid})`,
    wish,
    onWorkers: (names) => {
      const text = [...names].sort().join(', ');
      if (text !== told) context.err(`load workers: ${text}\n`);
      told = text;
    },
  });
}

/** Throws USAGE for an address that is missing or cannot be read. */
export async function redisOf({ redis, redisUrlFile, redisCa }: RedisOptions): Promise<RedisAddress> {
  const url = redis ?? (redisUrlFile === undefined ? undefined : readText('file', redisUrlFile).trim());
  if (url === undefined) {
    throw new MpsbenchError('USAGE', 'Redis is needed to reach the load workers: give --redis or --redis-url-file');
  }
  const { redisAddress } = await import('../load-hosts/redis-address.ts');
  return redisAddress(url, redisCa === undefined ? null : readText('authorities', redisCa));
}

/** A command line as it may be kept: without the password of Redis. */
export function withoutPassword(words: readonly string[]): string[] {
  return words.map((word) => word.replace(/((?:rediss?|unix):\/\/)[^@/]*@/, '$1***@'));
}

function readText(what: string, path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (cause) {
    throw new MpsbenchError('USAGE', `${what} '${path}' cannot be read (${messageOf(cause)}): check the path`, {
      cause,
    });
  }
}
