/** What is exported of the MPS daemons of the host, as they told it when they were last asked. */
import type { DaemonFacts } from '../mps-facts.ts';
import { type MetricFamily, type Sample, scaled } from './metric-family.ts';

const states = ['alive', 'silent', 'stale'] as const;

export const mpsMetrics: readonly MetricFamily[] = [
  {
    name: 'mpsbench_mps_control_info',
    help: 'The MPS control program that is installed; always 1, absent where it can not be run.',
    type: 'gauge',
    labels: ['version'],
    samples: ({ slow }) => {
      const control = slow?.facts.mps.control;
      return control?.unavailable === null ? [{ own: { version: control.version ?? '' }, value: 1 }] : [];
    },
  },
  {
    name: 'mpsbench_mps_daemons',
    help: 'MPS daemons: alive ones answer, silent ones do not, stale ones are files without a process.',
    type: 'gauge',
    labels: ['state'],
    samples: ({ slow }) =>
      states.map((state) => {
        const count = slow?.daemons.filter((daemon) => daemon.state === state).length;
        return { own: { state }, value: count ?? null };
      }),
  },
  ofDaemons('mpsbench_mps_servers', 'MPS servers that a daemon has started.', [], ({ servers }) => [
    { value: servers.length },
  ]),
  ofDaemons(
    'mpsbench_mps_server_clients',
    'Clients that an MPS server has, on all GPUs.',
    ['server_pid'],
    ({ servers }) =>
      servers.map(({ pid, clientPids }) => ({ own: { server_pid: pid }, value: clientPids?.length ?? null })),
  ),
  ofDaemons(
    'mpsbench_mps_default_active_thread_ratio',
    'Share of the SMs that a daemon gives to clients that ask for none, 0 to 1.',
    [],
    ({ defaultSharePercent }) => [{ value: scaled(defaultSharePercent, 0.01) }],
  ),
];

/** Of the daemons that answer. */
function ofDaemons(
  name: string,
  help: string,
  labels: readonly string[],
  values: (daemon: DaemonFacts) => readonly Sample[],
): MetricFamily {
  return {
    name,
    help,
    type: 'gauge',
    labels: ['pipe_directory', ...labels],
    samples: ({ slow }) =>
      (slow?.daemons ?? [])
        .filter(({ state }) => state === 'alive')
        .flatMap((daemon) => {
          const shared = { pipe_directory: daemon.pipeDirectory ?? '' };
          return values(daemon).map((sample) => ({ ...sample, shared }));
        }),
  };
}
