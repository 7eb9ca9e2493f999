/** Options of `study` on how its trials are run: attempts, second runs, confirmation, looks. */

/** One option and the plan keys it stands for; `read` turns its text into the plan's form. */
export interface PlanOption {
  readonly flags: string;
  readonly description: string;
  readonly path: readonly string[];
  readonly read: (text: string) => unknown;
  /** true: given several times it makes a list. */
  readonly repeatable?: true;
}

/** Text that is no number is left as it is, so that validation can say what is wrong with it. */
export const numberIn = (text: string): number | string => (/^-?\d+(\.\d+)?$/.test(text.trim()) ? Number(text) : text);

export const courseOptions: readonly PlanOption[] = [
  {
    flags: '--retries <n>',
    description: 'attempts that a void trial is given beside its first, inside its block',
    path: ['retries'],
    read: numberIn,
  },
  {
    flags: '--adaptive',
    description: 'look after each block, and run only the cells that are not decided or may be the best',
    path: ['adaptive'],
    read: () => true,
  },
  {
    flags: '--aa',
    description: 'run the first arm twice in each block: what a comparison shows between equals',
    path: ['aa'],
    read: () => true,
  },
  {
    flags: '--confirm <n>',
    description: 'fresh blocks of the best cell and its runner-up; their figures are the ones quoted',
    path: ['confirm'],
    read: numberIn,
  },
];
