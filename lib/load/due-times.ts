/** All the times at which the requests of an open loop fall due. */
import { MpsbenchError } from '../core/errors.ts';
import type { LoadSpec } from '../records/load.ts';
import { IssuePlan } from './issue-plan.ts';
import { arrivalSchedule } from './schedule.ts';

/** 1 GiB of due times, twice. */
const mostScheduled = 2 ** 27;

/** Due times from the start of the run, all of them: the threads only follow. Throws USAGE for more than fit into memory. */
export function dueTimes(spec: LoadSpec): Float64Array {
  const plan = new IssuePlan(0, spec.warmupNs, spec.stop);
  const arrivals = arrivalSchedule(spec);
  let due = new Float64Array(1024);
  for (let count = 0; ; count++) {
    const dueNs = arrivals.next();
    if (plan.claim(dueNs) === null) return due.subarray(0, count);
    if (count === mostScheduled) throw tooLong();
    if (count === due.length) {
      const larger = new Float64Array(2 * count);
      larger.set(due);
      due = larger;
    }
    due[count] = dueNs;
  }
}

function tooLong(): MpsbenchError {
  const advice = 'give a shorter run or a lower rate';
  return new MpsbenchError('USAGE', `the schedule of this run has over ${mostScheduled} due times: ${advice}`);
}
