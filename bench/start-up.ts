/** From the start of the process to its first request at the server, by the server's clock, which is the caller's too. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { autocannonPath } from './autocannon.ts';
import { buildProgram } from './build-program.ts';
import { mainPath } from './load-client.ts';
import { type BenchOutcome, type BenchSettings, markdownTable } from './outcome.ts';
import { inTurns, median, type Rounds, spreadText } from './rounds.ts';
import { startTruthServer, type TruthServer } from './truth-server.ts';

const starts = 15;
const limitNs = 150e6;
const aimedAt = 'mpsbench load';

/** The whole of it, and node alone, which no program in JavaScript can be faster than. */
export async function startUp({ serverCore }: BenchSettings): Promise<BenchOutcome> {
  const program = await buildProgram('truth_server');
  await using server = await startTruthServer(program, serverCore, { fast_us: 0 });
  const { url } = server;
  const load = [process.execPath, mainPath, 'load', url, '-n', '1'];
  const autocannon = await autocannonPath();
  const toRequest: [string, string[]][] = [
    [aimedAt, load],
    ['mpsbench load --engine undici', [...load, '--engine', 'undici']],
    ...(autocannon === null
      ? []
      : ([['autocannon', [process.execPath, autocannon, '-a', '1', '-c', '1', url]]] as const)
    ).map(([name, command]): [string, string[]] => [name, [...command]]),
  ];
  const toEnd: [string, string[]][] = [
    ['node -e 0', [process.execPath, '-e', '0']],
    ['mpsbench --version', [process.execPath, mainPath, '--version']],
    ['mpsbench --help', [process.execPath, mainPath, '--help']],
  ];
  const requests = await inTurns(
    toRequest.map(([name, command]) => ({ name, measure: () => untilFirstRequest(server, command) })),
    starts,
  );
  const ends = await inTurns(
    toEnd.map(([name, command]) => ({ name, measure: () => untilEnd(command) })),
    starts,
  );
  const medianNs = median(requests.get(aimedAt) ?? []);
  return {
    markdown: [
      `${starts} starts in turns, not bound to a core: medians, with the least and the most.`,
      '',
      markdownTable(['program', 'start to first request'], rowsOf(requests)),
      '',
      markdownTable(['program', 'start to end'], rowsOf(ends)),
      '',
    ].join('\n'),
    data: { starts, firstRequestNs: Object.fromEntries(requests), endNs: Object.fromEntries(ends) },
    targets: [
      {
        what: `start to first request, ${aimedAt}`,
        target: `≤ ${limitNs / 1e6} ms`,
        measured: milliseconds(medianNs),
        met: medianNs <= limitNs,
      },
    ],
  };
}

async function untilFirstRequest(server: TruthServer, command: readonly string[]): Promise<number> {
  await server.reset();
  const startedNs = process.hrtime.bigint();
  await ended(command);
  const { firstArrivalNs } = await server.truth();
  if (firstArrivalNs === 0) throw new Error(`${command.join(' ')} sent nothing`);
  return firstArrivalNs - Number(startedNs);
}

async function untilEnd(command: readonly string[]): Promise<number> {
  const startedNs = process.hrtime.bigint();
  await ended(command);
  return Number(process.hrtime.bigint() - startedNs);
}

async function ended([command = '', ...rest]: readonly string[]): Promise<void> {
  await once(spawn(command, rest, { stdio: 'ignore' }), 'close');
}

function rowsOf(rounds: Rounds<number>): string[][] {
  return [...rounds].map(([name, spansNs]) => [name, spreadText(spansNs, milliseconds)]);
}

function milliseconds(spanNs: number): string {
  return `${(spanNs / 1e6).toFixed(0)} ms`;
}
