/** A host for the command line to look at: the fake libnvidia-ml with a scenario, and a control program that answers -v. */
import assert from 'node:assert/strict';
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { scratchFolder } from './run-cli.ts';

export const fakeNvmlPath = fileURLToPath(new URL('../../build-test/Release/fake/libnvidia-ml.so.1', import.meta.url));

/** Variables that make the command line read this scenario (see test/fakes/nvml_scenario.h) instead of a driver. */
export function fakeDriver(scenario: readonly string[]): NodeJS.ProcessEnv {
  assert.ok(
    existsSync(fakeNvmlPath),
    `${fakeNvmlPath} is missing: build with -DMPSBENCH_BUILD_TESTS=ON (npm test does)`,
  );
  const path = join(scratchFolder(), 'nvml.scenario');
  writeFileSync(path, `${scenario.join('\n')}\n`);
  return { MPSBENCH_NVML_LIBRARY: fakeNvmlPath, FAKE_NVML_SCENARIO: path };
}

/** Variables that make CUDA contexts come from the fake libcuda (see test/fakes/fake_cuda.cc), for the fake driver's device. */
export function fakeCuda(scenario: readonly string[] = []): NodeJS.ProcessEnv {
  const library = fileURLToPath(new URL('../../build-test/Release/fake/libcuda.so.1', import.meta.url));
  const path = join(scratchFolder(), 'cuda.scenario');
  const device = 'device GPU-5b1f0c2e-93f4-4c0e-8d51-0a6e2f7b9c30 132 NVIDIA H100 80GB HBM3';
  writeFileSync(path, `${[device, ...scenario].join('\n')}\n`);
  return { MPSBENCH_CUDA_LIBRARY: library, FAKE_CUDA_SCENARIO: path };
}

/** A control program that knows -v only, as driver 580 prints it, and finds no daemon. */
export function fakeControl(mode = 0o755): NodeJS.ProcessEnv {
  const path = join(scratchFolder(), 'nvidia-cuda-mps-control');
  const version =
    'CUDA MPS Control for Linux/Unix/QNX. Binary version: 13000\nCopyright (C) 2003 - 2025 NVIDIA Corporation.\n';
  const script = [
    '#!/bin/sh',
    `if [ "$1" = -v ]; then printf '%s\\n' '${version}'; exit 0; fi`,
    "echo 'Cannot find MPS control daemon process'; exit 1",
  ];
  writeFileSync(path, `${script.join('\n')}\n`, { mode });
  return { MPSBENCH_MPS_CONTROL: path };
}
