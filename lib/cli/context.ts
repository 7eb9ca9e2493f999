/** What a command is given: the two streams, the interrupt signal and how it says its exit status. */
import type { EmergencyStops } from '../core/emergency.ts';
import type { ExitStatus } from '../core/errors.ts';
import { jsonSchemaVersion } from '../records/document-version.ts';

export interface CliContext {
  /** The result, and nothing else. */
  readonly out: (text: string) => void;
  /** Progress and warnings. */
  readonly err: (text: string) => void;
  /** Whether stderr is a terminal that progress may redraw. */
  readonly interactive: boolean;
  /** Aborts on the first SIGINT or SIGTERM. */
  readonly signal: AbortSignal;
  /** Takes SIGHUP from the signals above: from now on it calls this. Absent = nobody sends any. */
  readonly onHangup?: (reload: () => void) => void;
  readonly emergency: EmergencyStops;
  /** Path overrides for tests and odd installations, read once from the environment. */
  readonly paths: {
    /** MPSBENCH_NVML_LIBRARY; null = libnvidia-ml.so.1 by the dynamic linker. */
    readonly nvml: string | null;
    /** MPSBENCH_CUDA_LIBRARY; null = libcuda.so.1 by the dynamic linker. */
    readonly cuda: string | null;
    /** MPSBENCH_MPS_CONTROL; null = nvidia-cuda-mps-control on PATH. */
    readonly mpsControl: string | null;
  };
  /** Called once by a command that did not throw. */
  readonly exit: (status: ExitStatus) => void;
}

/** The --json form of a result: one indented document, its version and kind first. */
export function jsonDocument(kind: string, body: object): string {
  return `${JSON.stringify({ schemaVersion: jsonSchemaVersion, kind, ...body }, null, 2)}\n`;
}
