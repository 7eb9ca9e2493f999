/** What is wrong with a record, on one line: schema errors as such are documents of many lines. */
import { ZodError } from 'zod';
import { messageOf } from '../core/errors.ts';

/** The first problem with the place where it is ("load.measurement.outcomes: …"), and how many more there are. */
export function problemText(cause: unknown): string {
  if (!(cause instanceof ZodError)) return messageOf(cause).replaceAll(/\s+/g, ' ');
  const [first, ...more] = cause.issues;
  const place = first && first.path.length > 0 ? `${first.path.join('.')}: ` : '';
  const rest = more.length > 0 ? ` (and ${more.length} more)` : '';
  return `${place}${first?.message ?? 'not as expected'}${rest}`;
}
