/** Options of the test command. */

export interface RunOptions {
  readonly kind: 'run';
  /** Groups to run; empty = all. */
  readonly only: readonly string[];
  /** Take builds as they lie there. */
  readonly reuseBuilds: boolean;
  /** A skipped test fails. */
  readonly mustNotSkip: boolean;
}

export type ParsedOptions = RunOptions | { readonly kind: 'usage'; readonly fault: string };

export function usage(groups: readonly string[]): string {
  return `usage: npm test -- [--only GROUP,…] [--device] [--no-build]\ngroups: ${groups.join(', ')}`;
}

/** --device: the device tests alone, which then fail where they would skip. */
export function parseOptions(argv: readonly string[], groups: readonly string[]): ParsedOptions {
  let options: RunOptions = { kind: 'run', only: [], reuseBuilds: false, mustNotSkip: false };
  for (let index = 0; index < argv.length; index++) {
    const option = argv[index];
    if (option === '--no-build') options = { ...options, reuseBuilds: true };
    else if (option === '--device') options = { ...options, only: ['device'], mustNotSkip: true };
    else if (option === '--only') {
      index++;
      const only = (argv[index] ?? '').split(',').filter((name) => name !== '');
      const unknown = only.find((name) => !groups.includes(name));
      if (only.length === 0) return { kind: 'usage', fault: '--only needs the names of groups' };
      if (unknown !== undefined) return { kind: 'usage', fault: `'${unknown}' is no group` };
      options = { ...options, only };
    } else return { kind: 'usage', fault: `unknown option '${option}'` };
  }
  return options;
}
