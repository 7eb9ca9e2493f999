/** Where the fake libcuda is, and how a test writes its scenario (the lines are documented in fake_cuda.cc). */
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../../', import.meta.url));
export const fakeDeviceUuid = 'GPU-5f1c2d3e-0a1b-4c2d-8e3f-000000000001';

/** Path of the fake; `old` = a driver without UUIDs, error names and MPS_ENABLED. Throws where it is not built. */
export function fakeCudaPath(variant: 'current' | 'old' = 'current'): string {
  const path = join(root, 'build-test/Release/fake', variant === 'old' ? 'old' : '', 'libcuda.so.1');
  if (existsSync(path)) return path;
  throw new Error(
    `${path} is missing; build it: npx cmake-js configure -O build-test/Release --CDMPSBENCH_BUILD_TESTS=ON && npx cmake-js build -O build-test/Release`,
  );
}

export interface FakeCudaScenario extends Disposable {
  /** FAKE_CUDA_SCENARIO, for a child's environment. */
  readonly environment: Readonly<Record<string, string>>;
  /** A directory of its own, for anything else. */
  readonly directory: string;
}

export function fakeCudaScenario(lines: readonly string[]): FakeCudaScenario {
  const directory = mkdtempSync(join(tmpdir(), 'mpsbench-cuda-'));
  const file = join(directory, 'scenario');
  writeFileSync(file, `${lines.join('\n')}\n`);
  return {
    environment: { FAKE_CUDA_SCENARIO: file },
    directory,
    [Symbol.dispose]: () => rmSync(directory, { recursive: true, force: true }),
  };
}
