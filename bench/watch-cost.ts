/** What `mpsbench watch` costs beside its NVML calls: 8 GPUs with 48 MPS clients each, on the fake driver of the tests. */
import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { mainPath } from './load-client.ts';
import { type BenchOutcome, type BenchSettings, markdownTable } from './outcome.ts';
import { inTurns, median } from './rounds.ts';

const devices = 8;
const clientsPerDevice = 48;
const intervalMs = 1000;
/** The first look, its JIT and the first question to the daemons do not count. */
const settleMs = 5000;
const usualSeconds = 30;
const limitPercent = 1;
const ticksPerSecond = 100;

const snapshotsOnly = `
const { openGpu } = await import(process.argv[1]);
const session = openGpu({ nvmlPath: process.env.MPSBENCH_NVML_LIBRARY });
setInterval(() => session.snapshot(), ${intervalMs});
`;

/** CPU of the view on a terminal of 120 x 40, less that of a program that only takes the same snapshots. */
export async function watchCost({ rounds, seconds }: BenchSettings): Promise<BenchOutcome> {
  const folder = mkdtempSync(join(tmpdir(), 'mpsbench-watch-'));
  try {
    const environment = environmentIn(folder);
    const spanMs = (seconds ?? usualSeconds) * 1000;
    const library = fileURLToPath(new URL('../dist/gpu/session.js', import.meta.url));
    const watch = `stty cols 120 rows 40; exec ${process.execPath} ${mainPath} watch`;
    const programs: [string, string[]][] = [
      ['watch', ['script', '-qefc', watch, '/dev/null']],
      ['snapshots', [process.execPath, '--input-type=module', '-e', snapshotsOnly, library]],
    ];
    const measured = await inTurns(
      programs.map(([name, command]) => ({ name, measure: () => cpuPercent(command, environment, spanMs) })),
      rounds,
    );
    const percents = programs.map(([name]) => median(measured.get(name) ?? []));
    const added = (percents[0] ?? Number.NaN) - (percents[1] ?? Number.NaN);
    const rows = programs.map(([name], at) => [name, percentText(percents[at] ?? Number.NaN)]);
    return {
      markdown: [
        `${devices} GPUs with ${clientsPerDevice} MPS clients each, every ${intervalMs} ms, ${spanMs / 1000} s: CPU, median of ${rounds}.`,
        '',
        markdownTable(['program', 'CPU of one core'], [...rows, ['difference', percentText(added)]]),
        '',
      ].join('\n'),
      data: { devices, clientsPerDevice, intervalMs, spanMs, percents: Object.fromEntries(measured) },
      targets: [
        {
          what: 'watch at 1 s, beside its NVML calls',
          target: `< ${limitPercent} % of one core`,
          measured: percentText(added),
          met: added < limitPercent,
        },
      ],
    };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function environmentIn(folder: string): NodeJS.ProcessEnv {
  const library = fileURLToPath(new URL('../build-test/Release/fake/libnvidia-ml.so.1', import.meta.url));
  if (!existsSync(library)) throw new Error(`${library} is missing; build with -DMPSBENCH_BUILD_TESTS=ON`);
  const lines = Array.from({ length: devices }, (_, device) => deviceLines(device)).flat();
  const scenario = join(folder, 'nvml.scenario');
  writeFileSync(scenario, `${lines.join('\n')}\n`);
  const state = { MPSBENCH_STATE_DIR: join(folder, 'state'), MPSBENCH_NVML_LIBRARY: library };
  return { ...process.env, ...state, FAKE_NVML_SCENARIO: scenario, TERM: 'xterm-256color', SHELL: '/bin/sh' };
}

/** PIDs at the end of what there can be, so that the environments of others are not read. */
function deviceLines(device: number): string[] {
  const clients = Array.from(
    { length: clientsPerDevice },
    (_, client) => `process ${4_190_000 + device * 100 + client} 500 cm - - /usr/bin/python3 worker.py`,
  );
  return ['gpu', `uuid GPU-0000000${device}`, 'memory 81559 480 30000', 'utilization 80 30', ...clients];
}

/** Of the program alone: under script it is the child, which does the work. */
async function cpuPercent(command: readonly string[], env: NodeJS.ProcessEnv, spanMs: number): Promise<number> {
  const [program = '', ...rest] = command;
  const child = spawn(program, rest, { env, stdio: ['pipe', 'ignore', 'inherit'] });
  try {
    await wait(settleMs);
    const pid = program === 'script' ? childOf(child.pid ?? 0) : (child.pid ?? 0);
    const before = ticksOf(pid);
    await wait(spanMs);
    return ((ticksOf(pid) - before) / ticksPerSecond / (spanMs / 1000)) * 100;
  } finally {
    // The view is left as by a user: script would tell of a shell that was killed.
    if (program === 'script') child.stdin.write('q');
    else child.kill('SIGTERM');
  }
}

function childOf(pid: number): number {
  return Number(readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ')[0]);
}

/** User and system time of the process and its children that ended: the control program's too. */
function ticksOf(pid: number): number {
  const text = readFileSync(`/proc/${pid}/stat`, 'utf8');
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  return [11, 12, 13, 14].reduce((sum, at) => sum + Number(fields[at]), 0);
}

function percentText(percent: number): string {
  return `${percent.toFixed(2)} %`;
}
