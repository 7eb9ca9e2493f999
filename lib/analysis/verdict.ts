/** What a comparison of throughput amounts to, against the plan's threshold, in one word and a reason (docs/METHOD.md). */
import { z } from 'zod';
import { counted } from '../core/units.ts';
import type { PairedRatio } from '../stats/paired.ts';
import { oneSidedPower, pairsForPower } from '../stats/power.ts';
import { type Contest, fewestPairs, studyAlpha } from './contest.ts';

export const verdictSchema = z.enum(['BETTER', 'WORSE', 'EQUIVALENT', 'INCONCLUSIVE', 'INVALID']);
export type Verdict = z.infer<typeof verdictSchema>;

export interface Judgement {
  readonly verdict: Verdict;
  readonly reason: string;
  /** Where it is INCONCLUSIVE: what `blocksToDecide` says; else null. */
  readonly moreBlocks: number | null;
}

/** By the adjusted p values alone. BETTER and WORSE need no look at the interval: such a p puts it beyond the threshold. */
export function verdictOf(contest: Contest): Exclude<Verdict, 'INVALID'> {
  if (contest.adjustedBeyondP <= studyAlpha) return contest.aboveP < contest.belowP ? 'BETTER' : 'WORSE';
  return contest.adjustedEquivalenceP <= studyAlpha ? 'EQUIVALENT' : 'INCONCLUSIVE';
}

/** How each side failed, in words; empty where it did not. */
export interface FailureWords {
  readonly mine: string;
  readonly theirs: string;
}

/** `ratio` and `contest` are null where no block, or too few, have a valid trial of both. What failed cannot win. */
export function judgeRatio(
  ratio: PairedRatio | null,
  contest: Contest | null,
  thresholdRatio: number,
  failures: FailureWords = { mine: '', theirs: '' },
): Judgement {
  if (ratio === null || contest === null) {
    const pairs = ratio?.pairs ?? 0;
    const reason = `n too small: ${pairs} of at least ${fewestPairs} valid pairs`;
    return { verdict: 'INCONCLUSIVE', reason, moreBlocks: null };
  }
  const verdict = verdictOf(contest);
  const place = placeText(ratio, thresholdRatio);
  const winnerFailed = verdict === 'BETTER' ? failures.mine : verdict === 'WORSE' ? failures.theirs : '';
  if (winnerFailed !== '') {
    const winner = verdict === 'BETTER' ? 'it' : 'the other one';
    const reason = `${place}, but ${winner} ${winnerFailed}, and what fails cannot win`;
    return { verdict: 'INCONCLUSIVE', reason, moreBlocks: null };
  }
  if (verdict === 'INCONCLUSIVE') {
    const moreBlocks = blocksToDecide(contest, ratio, thresholdRatio);
    const reason = `${place}${doubtText(contest, ratio, thresholdRatio)}; ${needText(moreBlocks)}`;
    return { verdict, reason, moreBlocks };
  }
  const p = verdict === 'EQUIVALENT' ? contest.adjustedEquivalenceP : contest.adjustedBeyondP;
  return { verdict, reason: `${place}; ${adjustedText(p, contest)}`, moreBlocks: null };
}

/** Where the interval lies. */
function placeText({ lowerRatio, upperRatio }: PairedRatio, thresholdRatio: number): string {
  const margin = `${Number((thresholdRatio * 100).toFixed(3))} %`;
  const [lower, upper] = [lowerRatio ?? 0, upperRatio ?? Number.POSITIVE_INFINITY];
  if (lower > 1 + thresholdRatio) return `interval above 1 + ${margin}`;
  if (upper < 1 - thresholdRatio) return `interval below 1 - ${margin}`;
  if (lower >= 1 - thresholdRatio && upper <= 1 + thresholdRatio) return `interval within 1 +/- ${margin}`;
  return `interval reaches across the ${margin} threshold`;
}

/** What keeps an interval that is on one side of the threshold from a verdict; empty where it is on none. */
function doubtText(contest: Contest, { lowerRatio, upperRatio }: PairedRatio, thresholdRatio: number): string {
  const [lower, upper] = [lowerRatio ?? 0, upperRatio ?? Number.POSITIVE_INFINITY];
  const isBeyond = lower > 1 + thresholdRatio || upper < 1 - thresholdRatio;
  const isWithin = lower >= 1 - thresholdRatio && upper <= 1 + thresholdRatio;
  if (isBeyond) return `, but ${adjustedText(contest.adjustedBeyondP, contest)}`;
  return isWithin ? `, but ${adjustedText(contest.adjustedEquivalenceP, contest)}` : '';
}

function adjustedText(p: number, contest: Contest): string {
  const among = contest.familySize === 1 ? '' : ` over ${contest.familySize} verdicts`;
  const chosen = contest.chosenFrom > 1 || contest.otherChosenFrom > 1 ? ' and the choice' : '';
  return `p ${pText(p)}${among || chosen ? `, adjusted${among}${chosen}` : ''}`;
}

/** "0.031", "0.00042", "< 0.0001": two significant digits. */
function pText(p: number): string {
  return p < 0.0001 ? '< 0.0001' : String(Number(p.toPrecision(2)));
}

/** More blocks than this are nobody's plan. */
const mostBlocks = 1000;
const wantedPower = 0.8;

/**
 * How many more blocks would decide with 80 % power if ratio and spread are what was seen, at the level of the family's
 * first step; null if more than a thousand.
 */
export function blocksToDecide(contest: Contest, ratio: PairedRatio, thresholdRatio: number): number | null {
  const sd = ratio.logSd ?? 0;
  if (sd === 0) return null;
  const centre = Math.log(ratio.ratio);
  const above = (centre - Math.log(1 + thresholdRatio)) / sd;
  const below = (Math.log(1 - thresholdRatio) - centre) / sd;
  const level = studyAlpha / contest.familySize / Math.max(contest.chosenFrom, contest.otherChosenFrom);
  const beyond = Math.max(above, below);
  // Within: each of the two sides may miss its margin, at most as often as both misses added up.
  const powerAt = (pairs: number): number =>
    beyond > 0
      ? oneSidedPower(pairs, beyond, level / 2)
      : oneSidedPower(pairs, -above, level) + oneSidedPower(pairs, -below, level) - 1;
  const pairs = pairsForPower(powerAt, wantedPower, ratio.pairs + 1, mostBlocks);
  return pairs === null ? null : pairs - ratio.pairs;
}

function needText(blocks: number | null): string {
  if (blocks === null) return 'if the ratio is what was seen, no reasonable number of blocks decides';
  return `if the ratio is what was seen, about ${counted(blocks, 'more block')} would decide`;
}
