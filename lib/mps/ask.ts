/** One question to an MPS daemon: the control program is run, what it printed is parsed. */
import { MpsbenchError } from '../core/errors.ts';
import { type ControlRun, runControlCommand } from './control.ts';
import type { Answer, Parser } from './transcript.ts';

/** Judged by its text alone, since the exit status is 0 for refusals too. Throws MPS_COMMAND_TIMEOUT, MPS_UNKNOWN_OUTPUT. */
export async function askMps<T>(run: ControlRun, command: string, parse: Parser<T>): Promise<Answer<T>> {
  const { text } = await runControlCommand(run, command);
  return parse(command, text);
}

/** The facts of an answer. Throws MPS_DAEMON_DIED if nobody answered, MPS_REFUSED for any other refusal. */
export function requireFacts<T>(command: string, answer: Answer<T>, pipeDirectory: string): T {
  if (answer.kind === 'facts') return answer.facts;
  if (answer.reason === 'no-daemon' || answer.reason === 'shutting-down') {
    throw new MpsbenchError(
      'MPS_DAEMON_DIED',
      `MPS command '${command}' found no daemon in ${pipeDirectory} ('${answer.text}'); start anew`,
    );
  }
  throw new MpsbenchError(
    'MPS_REFUSED',
    `the MPS daemon in ${pipeDirectory} refused '${command}' with '${answer.text}'; see its control.log`,
  );
}
