/** What a command needs before it can be launched: its program, its directory, its request bodies. */
import { accessSync, constants, statSync } from 'node:fs';
import { delimiter, isAbsolute, join, resolve } from 'node:path';
import process from 'node:process';
import { messageOf } from '../../core/errors.ts';
import { placeholdersIn } from '../../records/server-plans/argument-text.ts';
import { type CommandPlan, launchArguments } from '../../records/server-plans/command.ts';

export interface CommandNeed {
  /** Stable, kebab-case. */
  readonly code: 'command-program' | 'command-directory' | 'request-body';
  readonly subject: string;
  /** null = met. */
  readonly problem: string | null;
  readonly mend: string;
}

/** Each need with what stands in its way. Nothing is run. */
export function commandNeeds(plan: CommandPlan): CommandNeed[] {
  const directory = resolve(plan.cwd ?? '.');
  const [program = ''] = launchArguments(plan);
  return [
    {
      code: 'command-directory',
      subject: directory,
      problem: isDirectory(directory) ? null : 'is no directory',
      mend: 'name an existing directory as server.cwd',
    },
    {
      code: 'command-program',
      subject: program,
      problem: programProblem(program, directory, plan.environment.PATH ?? process.env.PATH ?? ''),
      mend: 'install it, or name its path as the first word of server.launch',
    },
    ...bodyNeeds(plan.request.bodies, 'server.request.bodies'),
  ];
}

/** `key`: where the plan names them. */
export function bodyNeeds(paths: readonly string[], key: string): CommandNeed[] {
  return paths.map((path) => ({
    code: 'request-body',
    subject: path,
    problem: whyNot(path, constants.R_OK),
    mend: `name readable files as ${key}`,
  }));
}

/** A name is looked for on PATH, a path below the directory. */
function programProblem(program: string, directory: string, path: string): string | null {
  if (placeholdersIn(program).length > 0) return null;
  if (program.includes('/')) return whyNot(isAbsolute(program) ? program : join(directory, program), constants.X_OK);
  const folders = path.split(delimiter).filter((folder) => folder !== '');
  return folders.some((folder) => whyNot(join(folder, program), constants.X_OK) === null) ? null : 'is not on PATH';
}

function whyNot(path: string, mode: number): string | null {
  try {
    accessSync(path, mode);
    return isDirectory(path) ? 'is a directory' : null;
  } catch (cause) {
    return `cannot be used: ${messageOf(cause)}`;
  }
}

function isDirectory(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;
}
