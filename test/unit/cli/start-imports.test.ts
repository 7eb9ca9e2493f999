/** What has to be read from disk before `mpsbench load` can send: its static imports, followed to the packages. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';

const lib = fileURLToPath(new URL('../../../lib/', import.meta.url));
/** Types are gone when the file runs; `import(…)` waits until it is reached. */
const staticImport = /^(?:import|export) (?!type\b)[^;]*?from '([^']+)';|^import '([^']+)';/gm;

function packagesBehind(entry: string, seen = new Set<string>(), packages = new Set<string>()): Set<string> {
  if (seen.has(entry)) return packages;
  seen.add(entry);
  for (const [, from, bare] of readFileSync(entry, 'utf8').matchAll(staticImport)) {
    const target = from ?? bare ?? '';
    if (target.startsWith('.')) packagesBehind(resolve(dirname(entry), target), seen, packages);
    else if (!target.startsWith('node:')) packages.add(target);
  }
  return packages;
}

const programs: readonly (readonly [string, string, readonly string[]])[] = [
  ['the program itself', 'cli/main.ts', ['commander']],
  ['load', 'cli/commands/load.ts', ['commander', 'fastest-levenshtein', 'picocolors']],
];

describe('the packages that are loaded before anything happens', () => {
  for (const [name, entry, expected] of programs) {
    // zod and undici alone take longer than everything else together; see METHOD.md, start-up.
    it(`are few for ${name}, without schemas and without undici`, () => {
      assert.deepEqual([...packagesBehind(join(lib, entry))].sort(), expected);
    });
  }
});
