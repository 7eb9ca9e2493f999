/** The plan of `study --quick`: about a minute on two cores, and about three with MPS arms. */
import type { RequestedPlan } from '../records/plan.ts';

export const quickPlan: RequestedPlan = {
  name: 'quick study of the embedded server',
  workers: [1, 2],
  batchSizes: [1, 8],
  arms: ['off', 'mps', 'mps:50'],
  blocks: 3,
  load: { duration: '3s', warmup: '1s' },
};
