/** The fake libnvidia-ml for tests of the shipped addon: where it is, and the scenario that it plays in this process. */
import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The driver generations that the fake is built for. */
export type FakeDriver = 'current' | 'r535' | 'old';

/** Path of the fake library. Fails where it was not built, since a test without it tests nothing. */
export function fakeLibrary(driver: FakeDriver = 'current'): string {
  const folder = driver === 'current' ? '' : `${driver}/`;
  const path = fileURLToPath(new URL(`../../build-test/Release/fake/${folder}libnvidia-ml.so.1`, import.meta.url));
  assert.ok(existsSync(path), `${path} is missing: build with -DMPSBENCH_BUILD_TESTS=ON (npm test does)`);
  return path;
}

export interface FakeScenario extends Disposable {
  readonly path: string;
  /** Replaces the script at once; statements as in test/fakes/nvml_scenario.h. */
  play(...lines: readonly string[]): void;
  /** How often the library was called by this name since the scenario was made. */
  callsOf(symbol: string): number;
}

/** A scenario of its own, which this process's fake libraries play until it is disposed of. */
export function fakeScenario(...lines: readonly string[]): FakeScenario {
  const folder = mkdtempSync(join(tmpdir(), 'mpsbench-nvml-'));
  const path = join(folder, 'scenario');
  const log = join(folder, 'log');
  const play = (...script: readonly string[]) => {
    writeFileSync(`${path}.new`, `${[`log ${log}`, ...script].join('\n')}\n`);
    renameSync(`${path}.new`, path);
  };
  play(...lines);
  process.env.FAKE_NVML_SCENARIO = path;
  return {
    path,
    play,
    callsOf: (symbol) =>
      (existsSync(log) ? readFileSync(log, 'utf8').split('\n') : []).filter((l) => l === symbol).length,
    [Symbol.dispose]: () => {
      delete process.env.FAKE_NVML_SCENARIO;
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
