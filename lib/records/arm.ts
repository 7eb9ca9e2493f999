/** Arm: how the workers share the GPU. Cell: workers x batch size x arm. */
import { z } from 'zod';
import { counted } from '../core/units.ts';

/** off = time-slicing, proved to be without MPS; mps with an active thread percentage below 100 caps the SM share. */
export type Arm =
  | { readonly kind: 'off' }
  | {
      readonly kind: 'mps' /** (0, 100]; null = not set, as a user who only starts the daemon has it. */;
      readonly activeThreadPercentage: number | null;
    };

/** The text form: "off", "mps", "mps:50". It is the arm's name in plans, records, file names and figures. */
export type ArmName = string & { readonly __arm: true };

const pattern = /^(?:off|mps(?::(\d{1,3}(?:\.\d+)?))?)$/;

/** Reads "off", "mps" or "mps:P". Throws RangeError that says what is allowed. */
export function parseArm(text: string): Arm {
  const match = pattern.exec(text.trim());
  if (!match)
    throw new RangeError(`'${text}' is not an arm; arms are off, mps and mps:P with P a percentage, such as mps:50`);
  if (match[0] === 'off') return { kind: 'off' };
  if (match[1] === undefined) return { kind: 'mps', activeThreadPercentage: null };
  const percentage = Number(match[1]);
  if (percentage <= 0 || percentage > 100) {
    throw new RangeError(`'${text}' asks for ${match[1]} %; an active thread percentage is above 0 and at most 100`);
  }
  return { kind: 'mps', activeThreadPercentage: percentage };
}

export function armName(arm: Arm): ArmName {
  if (arm.kind === 'off') return 'off' as ArmName;
  return (arm.activeThreadPercentage === null ? 'mps' : `mps:${arm.activeThreadPercentage}`) as ArmName;
}

/** For the published JSON Schema alone; parseArm also limits P to (0, 100]. */
const armText = { description: 'off, mps, or mps:P with P an active thread percentage', pattern: pattern.source };

export const armNameSchema = z
  .string()
  .meta(armText)
  .transform((text, context): ArmName => {
    try {
      return armName(parseArm(text));
    } catch (thrown) {
      context.addIssue({ code: 'custom', message: (thrown as RangeError).message });
      return z.NEVER;
    }
  });

export const cellSchema = z.object({
  workers: z.number().int().min(1),
  batchSize: z.number().int().min(1),
  /** The arm's name. */
  arm: z.string().regex(pattern),
});
export type Cell = z.infer<typeof cellSchema>;

/** "4 workers, batch 1, mps:50": for people. */
export function cellText(cell: Cell): string {
  return `${counted(cell.workers, 'worker')}, batch ${cell.batchSize}, ${cell.arm}`;
}

/** "w2-b8-mps50": stable, sortable enough for people, safe in file names. */
export function cellId(cell: Cell): string {
  return `w${cell.workers}-b${cell.batchSize}-${cell.arm.replace(':', '')}`;
}
