/**
 * Runs the benchmarks and writes what they measured: a Markdown and a JSON file for each, and one table of the targets.
 * `npm run bench -- --only NAME,… --rounds N --seconds N --out DIR --client-core N --server-core N`
 */
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { cpus, release, totalmem } from 'node:os';
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { runCommand } from '../test/runner/command.ts';
import { autocannonPath } from './autocannon.ts';
import { distributed } from './distributed.ts';
import { engine } from './engine.ts';
import { latencyTruth } from './latency-truth.ts';
import { mainPath } from './load-client.ts';
import { openLoop } from './open-loop.ts';
import { type BenchOutcome, type BenchSettings, type TargetResult, targetsTable } from './outcome.ts';
import { stall } from './stall.ts';
import { startUp } from './start-up.ts';
import { tenThousand } from './ten-thousand.ts';
import { uring } from './uring.ts';
import { watchCost } from './watch-cost.ts';

const benchmarks: Readonly<Record<string, (settings: BenchSettings) => Promise<BenchOutcome>>> = {
  'start-up': startUp,
  engine,
  'latency-truth': latencyTruth,
  'open-loop': openLoop,
  stall,
  'ten-thousand': tenThousand,
  uring,
  'watch-cost': watchCost,
  distributed,
};

interface Host {
  readonly machine: string;
  /** Program -> version, or that it is not installed. */
  readonly clients: Readonly<Record<string, string>>;
  readonly command: string;
  readonly recordedAt: string;
}

const { values } = parseArgs({
  options: {
    only: { type: 'string' },
    rounds: { type: 'string', default: '7' },
    seconds: { type: 'string' },
    out: { type: 'string', default: `bench/results/${new Date().toISOString().slice(0, 10)}-load` },
    'client-core': { type: 'string', default: '0' },
    'server-core': { type: 'string', default: '1' },
  },
});

process.exitCode = await main();

async function main(): Promise<number> {
  const names = values.only?.split(',') ?? Object.keys(benchmarks);
  const unknown = names.filter((name) => !(name in benchmarks));
  if (unknown.length > 0) return fail(`no benchmark '${unknown[0]}'; there are ${Object.keys(benchmarks).join(', ')}`);
  if (!existsSync(mainPath)) return fail('dist/ is missing; run npm run build first');
  const settings: BenchSettings = {
    rounds: Number(values.rounds),
    seconds: values.seconds === undefined ? null : Number(values.seconds),
    clientCore: Number(values['client-core']),
    serverCore: Number(values['server-core']),
  };
  const host = await describeHost();
  const folder = resolve(values.out);
  mkdirSync(folder, { recursive: true });
  const targets: TargetResult[] = [];
  for (const name of names) {
    console.log(`== ${name}`);
    const outcome = await outcomeOf(name, settings);
    console.log(`${outcome.markdown}\n${targetsTable(outcome.targets)}\n`);
    const { markdown, data } = outcome;
    writeFileSync(`${folder}/${name}.md`, document(name, host, `${markdown}\n${targetsTable(outcome.targets)}`));
    writeFileSync(`${folder}/${name}.json`, `${JSON.stringify({ ...host, settings, data }, null, 1)}\n`);
    targets.push(...outcome.targets);
    // After each, so that a run that is stopped leaves what it has.
    writeFileSync(`${folder}/targets.md`, document('targets', host, targetsTable(targets)));
  }
  console.log(`written to ${folder}`);
  return targets.some(({ met }) => met === null) ? 1 : 0;
}

/** One that fails takes nothing from the others; it stands in the table. */
async function outcomeOf(name: string, settings: BenchSettings): Promise<BenchOutcome> {
  try {
    return await (benchmarks[name] as (typeof benchmarks)[string])(settings);
  } catch (thrown) {
    const why = (thrown instanceof Error ? thrown.message : String(thrown)).trim().split('\n')[0] ?? '';
    const failed: TargetResult = { what: name, target: 'runs', measured: `failed: ${why}`, met: null };
    return { markdown: `Failed: ${why}\n`, data: null, targets: [failed] };
  }
}

function document(title: string, { machine, clients, command, recordedAt }: Host, body: string): string {
  const versions = Object.entries(clients).map(([name, version]) => `${name} ${version}`);
  return `# ${title}\n\n${machine}; ${recordedAt}\n\n\`${command}\` with ${versions.join(', ')}\n\n${body.trimEnd()}\n`;
}

async function describeHost(): Promise<Host> {
  const gibibytes = Math.round(totalmem() / 2 ** 30);
  const autocannon = await autocannonPath();
  return {
    machine: `${cpus()[0]?.model.trim()}, ${cpus().length} CPUs, ${gibibytes} GiB, Linux ${release()}, Node ${process.version}`,
    clients: {
      wrk: await version('wrk', ['-v'], /wrk (\S+)/),
      ab: await version('ab', ['-V'], /Version (\S+)/),
      autocannon:
        autocannon === null
          ? 'absent'
          : await version(process.execPath, [autocannon, '--version'], /autocannon v?(\S+)/),
    },
    command: `npm run bench${[' --', ...process.argv.slice(2)].join(' ').replace(/^ --$/, '')}`,
    recordedAt: new Date().toISOString(),
  };
}

/** What it says of itself; `absent` when it cannot be started. */
async function version(program: string, asking: readonly string[], pattern: RegExp): Promise<string> {
  const { output } = await runCommand(program, asking, { output: 'keep' });
  return pattern.exec(output)?.[1] ?? 'absent';
}

function fail(message: string): number {
  console.error(`bench: ${message}`);
  return 2;
}
