/** Preflight checks of what a worker meets: can it make a CUDA context, and is it surely outside MPS when it must be. */
import { formatBytes, formatDuration, ns } from '../core/units.ts';
import type { ContextMeasurement } from '../gpu/context-memory.ts';
import type { ContextFact } from './context-facts.ts';
import { type Finding, findingsIn, withoutAdvice } from './finding.ts';
import type { Check } from './preflight-check.ts';

const say = findingsIn('device');

/** CUDA error number -> what to do about it. */
const errorMends: Readonly<Record<number, string>> = {
  2: 'free memory on the device: another process holds it',
  3: 'check that the driver is whole, and in a container that it is given the compute capability',
  46: 'another process or an MPS server has the device in exclusive mode: stop it, or set the compute mode to Default',
  100: 'check CUDA_VISIBLE_DEVICES and that the container is given the device',
  101: 'check CUDA_VISIBLE_DEVICES and that the container is given the device',
  802: 'start nvidia-fabricmanager, which NVSwitch systems need',
  803: 'libcuda and the kernel driver are of different versions: reboot, or remove CUDA compatibility packages',
  804: 'libcuda and the kernel driver are of different versions: reboot, or remove CUDA compatibility packages',
};

const contexts: Check = ({ contexts: facts }) => facts.flatMap(contextFinding);

function contextFinding(fact: ContextFact): readonly Finding[] {
  const subject = `GPU ${fact.deviceIndex}`;
  if ('probe' in fact) return probeFindings(fact, subject);
  const { code, message } = fact.unavailable;
  if (code === 'CUDA_LIBRARY_MISSING') {
    const mend = 'install libcuda1 with the driver (in a container: give it the compute capability)';
    return [say.blocker('gpu', 'cuda-library-missing', subject, withoutAdvice(message), mend)];
  }
  const mend = 'check nvidia-smi and dmesg for driver faults, and CUDA_VISIBLE_DEVICES';
  return [say.blocker('gpu', 'cuda-failing', subject, withoutAdvice(message), mend)];
}

function probeFindings({ probe, processBytes }: ContextMeasurement, subject: string): readonly Finding[] {
  if (probe.error !== null) {
    const { code, name, call } = probe.error;
    const message = `no CUDA context can be made: ${call} answered ${code} (${name})`;
    const mend = errorMends[code] ?? 'check nvidia-smi and dmesg for driver faults';
    return [say.blocker('gpu', 'cuda-context-failed', subject, message, mend)];
  }
  if (probe.mpsEnabled === true) {
    const message = 'a worker is attached to MPS even with a pipe directory that does not exist';
    return [say.blocker('off', 'off-not-detached', subject, message, 'stop the MPS daemons of this host')];
  }
  const took = probe.contextCreationNs === null ? 'unknown time' : formatDuration(ns(probe.contextCreationNs));
  const seen = `${probe.multiprocessorCount ?? 'an unknown number of'} multiprocessors`;
  const takes = processBytes === null ? 'memory not told by the driver' : formatBytes(processBytes);
  return [say.passed('cuda-context', subject, `a worker gets a CUDA context here (${took}, ${seen}, ${takes})`)];
}

export const contextChecks: readonly Check[] = [contexts];
