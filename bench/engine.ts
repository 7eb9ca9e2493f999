/**
 * What the engines cost beside their peers: client CPU per request and throughput on one core, against a server that
 * answers at once on another. The peers run in turns, each round in the other direction.
 * Run with `npm run bench`; `npm run bench -- --out DIR` keeps the figures, `--rounds N --seconds N` change the length.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { cpus, release } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { root, runCommand } from '../test/runner/command.ts';
import { buildNullServer, startNullServer } from './null-server.ts';
import { type Measured, type Peer, peers } from './peers.ts';

const clientCore = 0;
const serverCore = 1;

interface Target {
  readonly engine: 'native' | 'undici';
  readonly peer: string;
  readonly figure: keyof Measured;
  readonly limit: number;
}

/** What is aimed at, as engine over peer. */
const targets: readonly Target[] = [
  { engine: 'native', peer: 'wrk', figure: 'cpuPerRequestNs', limit: 0.9 },
  { engine: 'native', peer: 'wrk', figure: 'requestsPerSecond', limit: 1.0 },
  { engine: 'native', peer: 'ab', figure: 'requestsPerSecond', limit: 1.3 },
  { engine: 'undici', peer: 'autocannon', figure: 'cpuPerRequestNs', limit: 0.7 },
];

const cases = [
  { connections: 64, bodyBytes: 512, responseBytes: 2 },
  { connections: 600, bodyBytes: 512, responseBytes: 2 },
  { connections: 64, bodyBytes: 65536, responseBytes: 65536 },
] as const;

type Rounds = ReadonlyMap<string, readonly Measured[]>;

const { values } = parseArgs({
  options: { out: { type: 'string' }, rounds: { type: 'string' }, seconds: { type: 'string' } },
});
const rounds = Number(values.rounds ?? 7);
const seconds = Number(values.seconds ?? 2);

async function installed(): Promise<Peer[]> {
  const found: { readonly ok: boolean }[] = [];
  // One after the other: npm installs into one folder.
  for (const { present } of peers) {
    found.push(await runCommand(present[0] as string, present.slice(1), { output: 'keep' }));
  }
  peers.forEach(({ name }, index) => {
    if (!found[index]?.ok) console.log(`${name} is not installed and left out`);
  });
  return peers.filter((_, index) => found[index]?.ok);
}

async function measureCase(program: string, present: readonly Peer[], load: (typeof cases)[number]): Promise<Rounds> {
  const all = new Map<string, Measured[]>(present.map(({ name }) => [name, []]));
  await using server = await startNullServer(program, serverCore, load.responseBytes);
  for (let round = 0; round < rounds; round++) {
    for (const peer of round % 2 === 0 ? present : [...present].reverse()) {
      all.get(peer.name)?.push(await peer.measure({ ...load, url: server.url, seconds }, clientCore));
    }
    process.stderr.write(`round ${round + 1} of ${rounds}\r`);
  }
  return all;
}

function median(given: readonly number[]): number {
  const sorted = [...given].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? (sorted[middle] ?? 0) : ((sorted[middle - 1] ?? 0) + (sorted[middle] ?? 0)) / 2;
}

function figures(all: Rounds, peer: string, figure: keyof Measured): number[] {
  return (all.get(peer) ?? []).map((measured) => measured[figure]);
}

/** Ratio of medians, and the least and the most of the rounds' own ratios. */
function ratioText(all: Rounds, engine: Target['engine'], peer: string, figure: keyof Measured): string {
  const [ours, other] = [figures(all, engine, figure), figures(all, peer, figure)];
  const perRound = ours.map((value, round) => value / (other[round] ?? Number.NaN));
  const ratio = median(ours) / median(other);
  return `${ratio.toFixed(2)} (${Math.min(...perRound).toFixed(2)} to ${Math.max(...perRound).toFixed(2)})`;
}

function caseText(all: Rounds, load: (typeof cases)[number]): string {
  const title = `### ${load.connections} connections, ${load.bodyBytes}-byte POST, ${load.responseBytes}-byte reply`;
  const head = '| client | CPU per request | requests per second | CPU, native over it | throughput, native over it |';
  const rows = [...all.keys()].map((name) => {
    const cpu = `${(median(figures(all, name, 'cpuPerRequestNs')) / 1e3).toFixed(2)} us`;
    const rate = Math.round(median(figures(all, name, 'requestsPerSecond'))).toLocaleString('en-US');
    const ratios =
      name === 'native'
        ? ['', '']
        : [ratioText(all, 'native', name, 'cpuPerRequestNs'), ratioText(all, 'native', name, 'requestsPerSecond')];
    return `| ${[name, cpu, rate, ...ratios].join(' | ')} |`;
  });
  const verdicts = targets.flatMap(({ engine, peer, figure, limit }) => {
    if (!all.has(peer)) return [];
    const ratio = median(figures(all, engine, figure)) / median(figures(all, peer, figure));
    const met = figure === 'cpuPerRequestNs' ? ratio <= limit : ratio >= limit;
    const sign = figure === 'cpuPerRequestNs' ? '<=' : '>=';
    return [
      `- ${figure} ${engine} over ${peer}: ${ratioText(all, engine, peer, figure)}, aimed at ${sign} ${limit}: ${met ? 'met' : 'NOT MET'}`,
    ];
  });
  return [title, '', head, '| --- | --- | --- | --- | --- |', ...rows, '', ...verdicts, ''].join('\n');
}

const program = await buildNullServer();
const present = await installed();
const machine = `${cpus()[0]?.model.trim()}, ${cpus().length} CPUs, Linux ${release()}, Node ${process.version}`;
const text = [
  `${machine}; ${new Date().toISOString()}`,
  `Keep-alive, one client thread on CPU ${clientCore}, server on CPU ${serverCore}; ${rounds} rounds of ${seconds} s each, in turns.`,
  'Medians; ratios of medians, with the least and the most of the ratios inside one round.',
  'CPU is user and system time of the whole client; clients on Node leave out their start and 1 s of warm-up.',
  '',
];
const records: unknown[] = [];
for (const load of cases) {
  const all = await measureCase(program, present, load);
  text.push(caseText(all, load));
  console.log(text.at(-1));
  records.push({ ...load, clients: Object.fromEntries(all) });
}
if (values.out !== undefined) {
  const folder = join(root, values.out);
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'engine.md'), `${text.join('\n').trimEnd()}\n`);
  writeFileSync(
    join(folder, 'engine.json'),
    `${JSON.stringify({ machine, rounds, seconds, cases: records }, null, 1)}\n`,
  );
}
