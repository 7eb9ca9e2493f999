/** Words what commander found wrong on the command line as one line with the nearest valid name. */
import type { CommanderError } from 'commander';

/** What can be named when nothing similar to the mistake exists. */
export interface KnownNames {
  readonly commands: readonly string[];
  /** The command that was being read; null when none was recognised. */
  readonly command: string | null;
}

/** Help and version texts reach here as errors too; they have been printed and are none. */
export function isUsageError(error: CommanderError): boolean {
  return error.code !== 'commander.help' && error.exitCode !== 0;
}

/** "unknown option '--jsn'; did you mean --json? See mpsbench probe --help" */
export function usageMessage(error: CommanderError, known: KnownNames): string {
  const [first = '', ...rest] = error.message.replace(/^error: /, '').split('\n');
  const suggestion = /\(Did you mean (.+)\?\)/.exec(rest.join(' '))?.[1];
  const help = `see mpsbench ${known.command === null ? '' : `${known.command} `}--help`;
  const what = first.replace(/\.$/, '');
  if (suggestion !== undefined) return `${what}; did you mean ${suggestion}? (${help})`;
  if (error.code === 'commander.unknownCommand') {
    return `${what}; the commands are ${known.commands.join(', ')} (${help})`;
  }
  return `${what}; ${help}`;
}
