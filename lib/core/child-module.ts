/** How one module of the package starts another in a process or thread of its own, from dist/ and from source alike. */
import { fileURLToPath } from 'node:url';

/**
 * Arguments for `spawn(process.execPath, …)` that run the module `name` ("./front-main") next to the caller.
 * Node's own flags are handed on, so that a source run under a loader starts its children under it too.
 */
export function childModuleArguments(callerUrl: string, name: string): string[] {
  return [...flagsForModules(process.execArgv), childModulePath(callerUrl, name)];
}

/** A child that got them would run the caller's program again, and start children in turn without end. */
const programFlags: readonly string[] = ['-e', '--eval', '-p', '--print', '-pe', '--input-type'];

/** The flags without a program given in them (`node -e …`), which a child would run in place of its module. Pure. */
export function flagsForModules(flags: readonly string[]): string[] {
  return flags.filter((flag, index) => {
    const [name = ''] = flag.split('=', 1);
    const isValue = programFlags.includes(flags[index - 1] ?? '');
    return !isValue && !programFlags.includes(name);
  });
}

/** What a worker thread that runs the module `name` ("./sending-thread") next to the caller is made of. */
export interface ThreadEntry {
  readonly code: string;
  /** Whether `code` is a program instead of a path. */
  readonly eval: boolean;
}

/** For `new Worker(entry.code, { eval: entry.eval })`. */
export function threadEntry(callerUrl: string, name: string): ThreadEntry {
  const path = childModulePath(callerUrl, name);
  if (!path.endsWith('.ts')) return { code: path, eval: false };
  // A loader named by --import does not reach worker threads (Node 20.20 with tsx 4.23); from source, tsx is one.
  const start = `import('tsx/esm/api').then((tsx) => { tsx.register(); return import(${JSON.stringify(path)}); })`;
  return { code: start, eval: true };
}

function childModulePath(callerUrl: string, name: string): string {
  const extension = callerUrl.endsWith('.ts') ? '.ts' : '.js';
  return fileURLToPath(new URL(`${name}${extension}`, callerUrl));
}
