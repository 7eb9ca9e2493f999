/** What a study cannot have where its load comes from several hosts: told before anything is started. */
import { MpsbenchError } from '../core/errors.ts';
import type { StudyPlan } from '../records/plan.ts';

/** Throws USAGE. */
export function checkPlanOverHosts({ load, server }: StudyPlan): void {
  const refused: readonly [boolean, string][] = [
    [typeof load.warmup !== 'number', 'no warm-up that ends by itself: give its length, such as --warmup 5s'],
    [load.cpus !== null, 'no CPUs of this host to send from: give --client-cpus to load-worker'],
    [server.kind === 'openai', 'no event streams, so no server of text: send from this host'],
  ];
  const first = refused.find(([given]) => given);
  if (first !== undefined) throw new MpsbenchError('USAGE', `a study with --load-hosts has ${first[1]}`);
}
