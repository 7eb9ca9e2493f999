/** Counts of tests, read from what the runners themselves print, and the line that closes a run. */

export interface Tally {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
}

export const emptyTally: Tally = { passed: 0, failed: 0, skipped: 0 };
export const onePassed: Tally = { ...emptyTally, passed: 1 };
export const oneFailed: Tally = { ...emptyTally, failed: 1 };
export const oneSkipped: Tally = { ...emptyTally, skipped: 1 };

export function sumOfTallies(tallies: readonly Tally[]): Tally {
  return tallies.reduce(
    (sum, tally) => ({
      passed: sum.passed + tally.passed,
      failed: sum.failed + tally.failed,
      skipped: sum.skipped + tally.skipped,
    }),
    emptyTally,
  );
}

/** "12 passed, 0 failed", with ", 3 skipped" where some were. */
export function tallyLine(tally: Tally): string {
  const skipped = tally.skipped > 0 ? `, ${tally.skipped} skipped` : '';
  return `${tally.passed} passed, ${tally.failed} failed${skipped}`;
}

/** The counts at the end of node:test's TAP; null if the text was cut off before them. A cancelled test failed. */
export function tallyOfTap(tap: string): Tally | null {
  const pass = lastCount(tap, 'pass');
  const fail = lastCount(tap, 'fail');
  const cancelled = lastCount(tap, 'cancelled');
  const skipped = lastCount(tap, 'skipped');
  const todo = lastCount(tap, 'todo');
  if (pass === null || fail === null || cancelled === null || skipped === null || todo === null) return null;
  return { passed: pass, failed: fail + cancelled, skipped: skipped + todo };
}

function lastCount(tap: string, key: string): number | null {
  const matches = [...tap.matchAll(new RegExp(`^# ${key} (\\d+)$`, 'gm'))];
  const last = matches.at(-1);
  return last ? Number(last[1]) : null;
}

/** Reasons of the skipped tests in TAP, each with its test's name. */
export function skipsInTap(tap: string): string[] {
  return [...tap.matchAll(/^\s*ok \d+ - (.*?) # SKIP ?(.*)$/gm)].map((match) => `${match[1]}: ${match[2]}`);
}

/** Files that node:test counts as one passed test of their own, which it does when they hold no test at all. */
export function filesWithoutTests(tap: string, files: readonly string[]): string[] {
  const passed = new Set([...tap.matchAll(/^ok \d+ - (.*)$/gm)].map((match) => match[1]));
  return files.filter((file) => passed.has(file));
}

/** The counts of ctest's JUnit file; null if it is not one. */
export function tallyOfJunit(xml: string): Tally | null {
  const suite = /<testsuite\b[^>]*>/.exec(xml)?.[0];
  if (suite === undefined) return null;
  const count = (name: string): number => Number(new RegExp(`\\b${name}="(\\d+)"`).exec(suite)?.[1] ?? 0);
  const failed = count('failures');
  const skipped = count('skipped') + count('disabled');
  return { passed: count('tests') - failed - skipped, failed, skipped };
}
