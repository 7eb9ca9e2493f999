/** Preflight checks of MPS: its control program, other daemons, the client limit, and journals of mpsbench itself. */
import { basename } from 'node:path';
import { clientLimit } from '../core/client-limit.ts';
import { entryName, type JournalEntry, type JournalFinding } from '../core/journal.ts';
import type { ForeignDaemon } from '../mps/foreign-daemons.ts';
import { type Finding, findingsIn, withoutAdvice } from './finding.ts';
import type { Check, PreflightFacts } from './preflight-check.ts';

const say = findingsIn('mps');
const sayLeft = findingsIn('leftovers');
const controlName = 'nvidia-cuda-mps-control';

const controlMends: Readonly<Record<string, string>> = {
  MPS_CONTROL_MISSING:
    'install it with the driver (Debian: nvidia-cuda-mps; Ubuntu: nvidia-compute-utils-<branch>), or name it in MPSBENCH_MPS_CONTROL',
  MPS_CONTROL_NOT_EXECUTABLE: 'chmod +x it, and check that its file system is not mounted noexec',
};

const control: Check = ({
  mps: {
    control: { path, version, unavailable },
  },
}) => {
  if (unavailable === null) {
    return [say.passed('mps-control', controlName, `${path ?? 'found'}, version ${version ?? 'not told'}`)];
  }
  const code = unavailable.code === 'MPS_CONTROL_MISSING' ? 'mps-control-missing' : 'mps-control-unusable';
  const mend = controlMends[unavailable.code] ?? `run ${path ?? controlName} -v by hand to see why`;
  return [say.blocker('mps', code, controlName, withoutAdvice(unavailable.message), mend)];
};

const daemons: Check = ({ mps, environment }) => mps.daemons.map((daemon) => daemonFinding(daemon, environment));

function daemonFinding(daemon: ForeignDaemon, environment: PreflightFacts['environment']): Finding {
  const subject = daemon.pipeDirectory ?? `pid ${daemon.pid ?? 'unknown'}`;
  if (daemon.state === 'stale') {
    const message =
      'leftovers of an MPS daemon that is gone; a program that is pointed there runs without MPS and without an error';
    return say.warning(
      'stale-pipe-directory',
      subject,
      message,
      `remove it if no daemon is meant to be there: rm -r ${subject}`,
    );
  }
  if (daemon.state === 'silent') {
    const message = `an MPS daemon that does not answer (${daemon.detail ?? 'no detail'}); a study leaves it alone`;
    return say.warning(
      'silent-daemon',
      subject,
      message,
      'if it is yours, see its control.log, and stop it before a study',
    );
  }
  const owner = `pid ${daemon.pid ?? 'unknown'}, uid ${daemon.uid ?? 'unknown'}`;
  const message = `another MPS daemon runs (${owner})`;
  const stop = `stop it if it is yours (CUDA_MPS_PIPE_DIRECTORY=${daemon.pipeDirectory ?? '<its directory>'}, then: echo quit | ${controlName})`;
  const exclusive = environment.gpu?.devices.some((device) => device.computeMode?.startsWith('exclusive'));
  if (exclusive) {
    return say.blocker(
      'mps',
      'foreign-daemon-exclusive',
      subject,
      `${message} and may hold a GPU in exclusive mode`,
      stop,
    );
  }
  return say.warning(
    'foreign-daemon',
    subject,
    `${message}; a study leaves it alone, but its clients share the GPU`,
    stop,
  );
}

const limit: Check = ({ environment: { gpu }, plannedWorkers }) =>
  (gpu?.devices ?? []).flatMap((device) => {
    const subject = `GPU ${device.index}`;
    const { contexts, basis } = clientLimit({
      computeCapability: device.computeCapability,
      driverVersion: gpu?.driverVersion ?? null,
    });
    if (contexts === null)
      return [say.note('client-limit-unknown', subject, `the MPS client limit is unknown: ${basis}`)];
    const told = `MPS takes ${contexts} client contexts per device (${basis})`;
    if (plannedWorkers > contexts) {
      const message = `${told}; ${plannedWorkers} workers need one each`;
      return [
        say.blocker('mps', 'client-limit', subject, message, `plan at most ${contexts} workers for the MPS arms`),
      ];
    }
    if (device.migEnabled === true) {
      const message = `${told}, fewer on a MIG device in proportion to its compute instance; ${plannedWorkers} are planned`;
      return [say.warning('client-limit-mig', subject, message, 'plan few workers per MIG device, or turn MIG off')];
    }
    return [say.passed('client-limit', subject, `${told}; ${plannedWorkers} are planned`)];
  });

/** Thread percentages came with Volta. */
const threadPercentage: Check = ({ environment: { gpu } }) =>
  (gpu?.devices ?? []).flatMap((device) => {
    const major = Number.parseInt(device.computeCapability ?? '', 10);
    if (Number.isNaN(major) || major >= 7) return [];
    const message = `compute capability ${device.computeCapability} (before Volta) ignores the active thread percentage`;
    return [say.warning('no-thread-percentage', `GPU ${device.index}`, message, 'leave mps:P arms out of the plan')];
  });

const journals: Check = ({ mps }) => mps.journals.map(journalFinding);

function journalFinding(journal: JournalFinding): Finding {
  const subject = basename(journal.path);
  if (journal.state === 'unreadable') {
    const mend = `stop by hand what ${journal.path} names, and remove it`;
    return sayLeft.warning('journal-unreadable', subject, `a journal that can not be read: ${journal.problem}`, mend);
  }
  const { owner, hostName, entries } = journal.file;
  const what = entries.map(entryText).join(', ') || 'nothing';
  if (journal.state === 'left-behind') {
    const message = `mpsbench (pid ${owner.pid}) was killed and left behind: ${what}`;
    return sayLeft.warning('left-behind', subject, message, 'mpsbench doctor --repair');
  }
  if (journal.state === 'owner-alive') {
    const message = `another mpsbench (pid ${owner.pid}) runs with ${what}: each would spoil the figures of the other`;
    return sayLeft.warning('mpsbench-running', subject, message, 'wait until it has finished');
  }
  return sayLeft.note('journal-elsewhere', subject, `belongs to an mpsbench on ${hostName}; left alone`);
}

function entryText(entry: JournalEntry): string {
  const where = entry.directory === null ? '' : ` in ${entry.directory}`;
  const pids = entry.kind === 'server' ? entry.leaders.map(({ pid }) => pid).join(', ') : '';
  return `${entryName(entry)}${pids === '' ? '' : ` (pid ${pids})`}${where}`;
}

export const mpsChecks: readonly Check[] = [control, daemons, limit, threadPercentage];
export const leftoverChecks: readonly Check[] = [journals];
