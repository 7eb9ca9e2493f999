/** How one module of the package starts another in a child process, from dist/ and from source alike. */
import { fileURLToPath } from 'node:url';

/**
 * Arguments for `spawn(process.execPath, …)` that run the module `name` ("./front-main") next to the caller.
 * Node's own flags are handed on, so that a source run under a loader starts its children under it too.
 */
export function childModuleArguments(callerUrl: string, name: string): string[] {
  const extension = callerUrl.endsWith('.ts') ? '.ts' : '.js';
  return [...process.execArgv, fileURLToPath(new URL(`${name}${extension}`, callerUrl))];
}
