/** Asks the MPS daemons of this host who they serve: seldom, since each question is a process and a line in their log. */
import { z } from 'zod';
import { codeOf } from '../../core/errors.ts';
import { isRunning } from '../../core/process-identity.ts';
import { seconds } from '../../core/units.ts';
import { askMps } from '../../mps/ask.ts';
import type { ControlRun } from '../../mps/control.ts';
import { withoutMpsVariables } from '../../mps/environment.ts';
import { type ForeignDaemon, foreignDaemonSchema } from '../../mps/foreign-daemons.ts';
import { type Parser, parsePercentage, parsePidList, parseServerStatus } from '../../mps/transcript.ts';
import { type MpsState, mpsControlStateSchema, readMpsState } from '../../study/mps-state.ts';
import type { CliContext } from '../context.ts';

const pid = z.number().int().positive();

export const watchedServerSchema = z.object({
  pid,
  /** In the daemon's words; null = it was not asked, or did not say. */
  status: z.enum(['INITIALIZING', 'ACTIVE', 'FAULT']).nullable(),
  clientPids: z.array(pid).readonly().nullable(),
});
export type WatchedServer = z.infer<typeof watchedServerSchema>;

export const watchedDaemonSchema = foreignDaemonSchema.omit({ serverPids: true }).extend({
  /** The mpsbench process that has started it, which is not asked lest a study be disturbed; null = somebody else's. */
  ownerPid: pid.nullable(),
  servers: z.array(watchedServerSchema).readonly(),
  /** What it gives to clients that ask for no share; null = it was not asked, or did not say. */
  defaultSharePercent: z.number().nullable(),
});
export type WatchedDaemon = z.infer<typeof watchedDaemonSchema>;

export const mpsReadingSchema = z.object({
  control: mpsControlStateSchema,
  daemons: z.array(watchedDaemonSchema).readonly(),
});
export type MpsReading = z.infer<typeof mpsReadingSchema> & {
  /** Of servers that running mpsbench processes of this user have started. */
  readonly serverIds: ReadonlySet<string>;
};

const patience = seconds(2);

/** Looks and asks, with deadlines; changes nothing. Rejects with INTERRUPTED only. */
export async function readMps(context: CliContext): Promise<MpsReading> {
  const { signal } = context;
  const found = await readMpsState({ controlPath: context.paths.mpsControl, variables: process.env, signal });
  const daemons = ownDaemons(found.journals);
  for (const daemon of found.daemons) daemons.push(await watchedDaemon(daemon, found.control.path, signal));
  return { control: found.control, daemons, serverIds: serverIdsOf(found.journals) };
}

function ownDaemons(journals: MpsState['journals']): WatchedDaemon[] {
  return journals.flatMap((journal) => {
    if (journal.state !== 'owner-alive') return [];
    return journal.file.entries.flatMap((entry): WatchedDaemon[] => {
      if (entry.kind !== 'mps-daemon' || entry.daemon === null) return [];
      const servers = entry.servers.map((server) => ({ pid: server.pid, status: null, clientPids: null }));
      const state = isRunning(entry.daemon) ? 'alive' : 'stale';
      const { pipeDirectory } = entry;
      const who = { pid: entry.daemon.pid, uid: process.getuid?.() ?? null, ownerPid: journal.file.owner.pid };
      return [{ state, ...who, pipeDirectory, detail: null, servers, defaultSharePercent: null }];
    });
  });
}

function serverIdsOf(journals: MpsState['journals']): ReadonlySet<string> {
  const entries = journals.flatMap((journal) => (journal.state === 'owner-alive' ? journal.file.entries : []));
  return new Set(entries.flatMap((entry) => (entry.kind === 'server' ? entry.serverId : [])));
}

async function watchedDaemon(
  { serverPids, ...daemon }: ForeignDaemon,
  controlPath: string | null,
  signal: AbortSignal,
): Promise<WatchedDaemon> {
  const unasked = (serverPids ?? []).map((server) => ({ pid: server, status: null, clientPids: null }));
  const base = { ...daemon, ownerPid: null, servers: unasked, defaultSharePercent: null };
  if (daemon.state !== 'alive' || daemon.pipeDirectory === null || controlPath === null) return base;
  const environment = { ...withoutMpsVariables(process.env), CUDA_MPS_PIPE_DIRECTORY: daemon.pipeDirectory };
  const run: ControlRun = { path: controlPath, environment, timeoutNs: patience, signal };
  const servers: WatchedServer[] = [];
  for (const server of serverPids ?? []) {
    const status = await told(run, `get_server_status ${server}`, parseServerStatus);
    servers.push({ pid: server, status, clientPids: await told(run, `get_client_list ${server}`, parsePidList) });
  }
  return {
    ...base,
    servers,
    defaultSharePercent: await told(run, 'get_default_active_thread_percentage', parsePercentage),
  };
}

/** null where the daemon refuses, or does not answer in time or in words that are known. */
async function told<T>(run: ControlRun, command: string, parse: Parser<T>): Promise<T | null> {
  try {
    const answer = await askMps(run, command, parse);
    return answer.kind === 'facts' ? answer.facts : null;
  } catch (thrown) {
    const code = codeOf(thrown);
    if (code === undefined || code === 'INTERRUPTED') throw thrown;
    return null;
  }
}
