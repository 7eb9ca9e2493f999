/** The studies that the simulation of verdicts draws: what is true in them, and how they are disturbed. */
import type { Noise, Scenario } from './verdict-simulation.ts';

const calm: Noise = {
  trialSd: 0.01,
  lastingSd: 0,
  kept: 0,
  blockSd: 0,
  drift: 0,
  startSd: 0,
  outlierRatio: 0,
};
/** A host that warms up by 6 % over the study, in moods that outlast a trial, with blocks on better and worse days. */
const rough: Noise = { ...calm, trialSd: 0.01, lastingSd: 0.01, kept: 0.7, blockSd: 0.02, drift: 0.06 };

/** Two arms with MPS against 'off' at six settings of workers and batch size: twelve planned comparisons, fifteen verdicts. */
const settings = [0, 0.3, 0.5, 0.8, 1, 1.2];

/** Each cell with MPS lies so far from its 'off', as a log-ratio. */
function apart(effect: number, base: readonly number[] = settings): Scenario['truth'] {
  const withMps = base.map((log) => log + effect);
  return { off: base, mps: withMps, 'mps:50': withMps };
}

const flat = settings.map(() => 0);
const usual = { thresholdRatio: 0.03, splitPlot: false } as const;
const [atUpper, atLower] = [Math.log(1.03), Math.log(0.97)];

interface Question {
  /** What the rates are to show. */
  readonly about: 'no false BETTER or WORSE' | 'no false EQUIVALENT' | 'power';
  readonly scenario: Omit<Scenario, 'blocks'>;
}

const question = (about: Question['about'], name: string, scenario: Omit<Scenario, 'blocks' | 'name'>): Question => ({
  about,
  scenario: { name, ...scenario },
});

/** Each is run at several numbers of blocks. */
export const questions: readonly Question[] = [
  ...(
    [
      ['calm host', calm],
      ['drift, lasting noise, block effects', rough],
      ['the same with 10 % outliers of -6 sd', { ...rough, outlierRatio: 0.1 }],
    ] as const
  ).flatMap(([host, noise]) => [
    question('no false BETTER or WORSE', `no effect, ${host}`, { ...usual, noise, truth: apart(0) }),
    question('no false BETTER or WORSE', `no effect and a threshold of 0, ${host}`, {
      ...usual,
      thresholdRatio: 0,
      noise,
      truth: apart(0),
    }),
    question('no false BETTER or WORSE', `every ratio at 1 + threshold, ${host}`, {
      ...usual,
      noise,
      truth: apart(atUpper),
    }),
    question('no false BETTER or WORSE', `every ratio at 1 - threshold, ${host}`, {
      ...usual,
      noise,
      truth: apart(atLower),
    }),
  ]),
  question('no false BETTER or WORSE', 'all 18 cells equal and a threshold of 0: the best is chosen by luck', {
    ...usual,
    thresholdRatio: 0,
    noise: rough,
    truth: apart(0, flat),
  }),
  question('no false BETTER or WORSE', 'one good off cell and six as good with MPS, threshold 0', {
    ...usual,
    thresholdRatio: 0,
    noise: rough,
    truth: { off: [0, -1, -1, -1, -1, -1], mps: flat, 'mps:50': flat },
  }),
  question('no false BETTER or WORSE', 'split plot: servers kept by arm, starts differ by 2 %, at 1 + threshold', {
    ...usual,
    splitPlot: true,
    noise: { ...rough, startSd: 0.02 },
    truth: apart(atUpper),
  }),
  question('no false BETTER or WORSE', 'split plot, all 18 cells equal, threshold 0', {
    ...usual,
    thresholdRatio: 0,
    splitPlot: true,
    noise: { ...rough, startSd: 0.02 },
    truth: apart(0, flat),
  }),
  question('no false BETTER or WORSE', 'one comparison alone, lasting noise, threshold 0', {
    ...usual,
    thresholdRatio: 0,
    noise: { ...rough, trialSd: 0.003 },
    truth: { off: [0], mps: [0] },
  }),
  question('no false EQUIVALENT', 'every ratio at 1 + threshold, very little noise', {
    ...usual,
    noise: { ...calm, trialSd: 0.003 },
    truth: apart(atUpper),
  }),
  question('no false EQUIVALENT', 'every ratio at 1 - threshold, drift, lasting noise, block effects', {
    ...usual,
    noise: rough,
    truth: apart(atLower),
  }),
  question('no false EQUIVALENT', 'every ratio at 1 + threshold, 10 % outliers of -6 sd', {
    ...usual,
    noise: { ...rough, outlierRatio: 0.1 },
    truth: apart(atUpper),
  }),
  ...[0, 0.05, 0.1, 0.2].flatMap((effect) => [
    question('power', `true effect ${effect * 100} %, calm host`, {
      ...usual,
      noise: calm,
      truth: apart(Math.log1p(effect)),
    }),
    question('power', `true effect ${effect * 100} %, drift, lasting noise, block effects`, {
      ...usual,
      noise: rough,
      truth: apart(Math.log1p(effect)),
    }),
  ]),
];
