/** The plan of `study --quick`: under a minute on two cores, and two and a half with MPS arms. */
import type { RequestedPlan } from '../records/plan.ts';

export const quickPlan: RequestedPlan = {
  name: 'quick study of the embedded server',
  workers: [1, 2],
  batchSizes: [1, 8],
  arms: ['off', 'mps', 'mps:50'],
  blocks: 3,
  load: { duration: '2s', warmup: '1s' },
};
