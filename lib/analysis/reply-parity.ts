/** Whether every arm answers alike: the replies that were asked for before each load, compared over a study. */
import type { StudyPlan } from '../records/plan.ts';
import type { SampledReply } from '../records/sampled-reply.ts';
import type { Reason, TrialRecord } from '../records/trial.ts';

/** Relative difference that rounding in another order of summation may bring. */
export const replyToleranceRatio = 1e-3;

export type ParityRule = (record: TrialRecord) => Reason | null;

/**
 * The reference is the first trial of the plan's first arm that has replies, else the first of any. Where trials of one
 * arm differ among themselves the model does not answer alike twice, and nothing can be said of arms.
 */
export function parityRule(records: readonly TrialRecord[], plan: StudyPlan): ParityRule {
  const asked = records.filter((record) => record.replies);
  const reference = asked.find((record) => record.cell.arm === plan.arms[0]) ?? asked[0];
  if (reference?.replies == null) return () => null;
  const expected = reference.replies;
  const varies = variesWithinAnArm(asked);
  return (record) => {
    if (!record.replies || sameReplies(record.replies, expected)) return null;
    const number = record.replies.findIndex((reply, index) => !sameReply(reply, expected[index]));
    const what = `reply ${number + 1} of ${expected.length} to the same requests is another than in ${reference.trialId}`;
    return varies
      ? {
          code: 'replies-vary',
          message: `${what}, as it is within one arm: this server does not answer alike twice`,
          advice: 'whether the arms answer alike cannot be told from replies; compare the quality of answers elsewhere',
        }
      : {
          code: 'replies-differ',
          message: `${what} (arm ${reference.cell.arm})`,
          advice: 'an arm that answers otherwise does other work: compare the replies before its speed',
        };
  };
}

function variesWithinAnArm(records: readonly TrialRecord[]): boolean {
  const first = new Map<string, readonly SampledReply[]>();
  return records.some(({ cell, replies }) => {
    const known = first.get(cell.arm);
    if (known === undefined) first.set(cell.arm, replies ?? []);
    return known !== undefined && !sameReplies(replies ?? [], known);
  });
}

function sameReplies(replies: readonly SampledReply[], expected: readonly SampledReply[]): boolean {
  return replies.length === expected.length && replies.every((reply, index) => sameReply(reply, expected[index]));
}

/** To the byte, or JSON of the same shape and text whose numbers are the same within the tolerance. */
function sameReply(reply: SampledReply, expected: SampledReply | undefined): boolean {
  if (expected === undefined || reply.status !== expected.status) return false;
  if (reply.digest === expected.digest) return true;
  if (reply.shapeDigest === null || reply.shapeDigest !== expected.shapeDigest) return false;
  const theirs = expected.numbers ?? [];
  return (reply.numbers ?? []).every((number, index) => close(number, theirs[index] ?? Number.NaN));
}

function close(one: number, other: number): boolean {
  return Math.abs(one - other) <= replyToleranceRatio * Math.max(Math.abs(one), Math.abs(other));
}
