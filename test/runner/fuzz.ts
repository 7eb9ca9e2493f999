/** The fuzzers, built with clang: for a bounded time among the tests, longer by `npm run fuzz`. */
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inCi, root, runCommand, say } from './command.ts';
import { oneFailed, onePassed, oneSkipped, type Tally } from './tally.ts';

const sources = ['response_parser.cc', 'response_parser_body.cc', 'chunk_decoder.cc', 'parse_fault.cc'].map((name) =>
  join('native/load', name),
);
const flags = [
  '-std=c++20',
  '-O1',
  '-g',
  '-fsanitize=fuzzer,address,undefined',
  '-fno-sanitize-recover=all',
  '-Inative',
];

/** Something to start from; most random bytes do not get beyond the first letter. */
const seeds = [
  'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok',
  'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3;x=y\r\nabc\r\n0\r\nt: v\r\n\r\n',
  'HTTP/1.1 103 Early\r\nlink: x\r\n\r\nHTTP/1.0 404 No\r\nconnection: keep-alive\r\n\r\nbody',
];

/** Fuzzes the reply parser for so many seconds. Without clang and its libFuzzer it is a skip. */
export async function runFuzzers(seconds: number): Promise<Tally> {
  say(`fuzz: response_parser for ${seconds} s`);
  const clang = await clangWithFuzzer();
  if (clang === null) {
    process.stdout.write('skipped: no clang++ with libFuzzer here (Debian: clang-14 libclang-rt-14-dev)\n');
    return inCi ? oneFailed : oneSkipped;
  }
  const scratch = mkdtempSync(join(tmpdir(), 'mpsbench-fuzz-'));
  try {
    const program = join(scratch, 'response_parser_fuzz');
    const target = 'test/native/response_parser_fuzz.cc';
    const built = await runCommand(clang, [...flags, target, ...sources, '-o', program], { output: 'on-failure' });
    return built.ok ? await fuzz(program, scratch, seconds) : oneFailed;
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

async function fuzz(program: string, scratch: string, seconds: number): Promise<Tally> {
  const corpus = mkdtempSync(join(scratch, 'corpus-'));
  for (const [index, seed] of seeds.entries()) writeFileSync(join(corpus, `seed-${index}`), `\0\x07${seed}`, 'latin1');
  const finds = join(root, 'build-fuzz-');
  const limits = [`-max_total_time=${seconds}`, '-max_len=2048', '-timeout=10', `-artifact_prefix=${finds}`];
  const run = await runCommand(program, [corpus, ...limits, '-print_final_stats=1'], { output: 'on-failure' });
  if (!run.ok) return oneFailed;
  const executed = /number_of_executed_units:\s*(\d+)/.exec(run.output)?.[1] ?? '0';
  process.stdout.write(`${executed} inputs, ${readdirSync(corpus).length} kept, no fault\n`);
  return Number(executed) > 0 ? onePassed : oneFailed;
}

async function clangWithFuzzer(): Promise<string | null> {
  const scratch = mkdtempSync(join(tmpdir(), 'mpsbench-clang-'));
  try {
    const probe = join(scratch, 'probe.cc');
    writeFileSync(probe, 'extern "C" int LLVMFuzzerTestOneInput(const unsigned char*, unsigned long) { return 0; }\n');
    for (const name of ['clang++', 'clang++-19', 'clang++-16', 'clang++-14']) {
      const options = ['-fsanitize=fuzzer,address,undefined', probe, '-o', join(scratch, 'probe')];
      if ((await runCommand(name, options, { output: 'keep' })).ok) return name;
    }
    return null;
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}
