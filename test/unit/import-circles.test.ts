/** No file of lib imports itself by way of others, for types alone neither: each can be read after what it stands on. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';

const lib = fileURLToPath(new URL('../../lib/', import.meta.url));

/**
 * The schema of the summary is put together from the parts' schemas, each of which lies beside the function that fills
 * it, and such a function takes trials and cells by the types of the whole. No other file may be leant on like that.
 */
const wholeOfParts = 'analysis/summary-model.ts';

type Graph = ReadonlyMap<string, readonly string[]>;

const importPattern =
  /import\s+(type\s)?[^;']*?from\s+'(\.[^']+)'|export\s[^;'=]*?from\s+'(\.[^']+)'|import\s*\(\s*'(\.[^']+)'/g;

function importsOf(file: string, text: string): string[] {
  return [...text.matchAll(importPattern)].flatMap(([, type, from, exported, dynamic]) => {
    const target = relative(lib, resolve(dirname(join(lib, file)), (from ?? exported ?? dynamic) as string));
    return type !== undefined && target === wholeOfParts ? [] : [target];
  });
}

function graphOfLib(): Graph {
  const files = readdirSync(lib, { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.ts'));
  return new Map(files.map((file) => [file, importsOf(file, readFileSync(join(lib, file), 'utf8'))]));
}

/** One circle, from a file back to itself; null if there is none. */
function circleIn(graph: Graph): string[] | null {
  const done = new Set<string>();
  const path: string[] = [];
  const visit = (file: string): string[] | null => {
    if (path.includes(file)) return [...path.slice(path.indexOf(file)), file];
    if (done.has(file)) return null;
    path.push(file);
    for (const target of graph.get(file) ?? []) {
      const circle = visit(target);
      if (circle) return circle;
    }
    path.pop();
    done.add(file);
    return null;
  };
  for (const file of graph.keys()) {
    const circle = visit(file);
    if (circle) return circle;
  }
  return null;
}

describe('imports', () => {
  it('form no circle in lib, types included', () => {
    const graph = graphOfLib();
    assert.ok([...graph.values()].flat().length > graph.size, 'imports were found');
    assert.equal(circleIn(graph)?.join(' -> ') ?? null, null);
  });

  const sources: readonly (readonly [string, string])[] = [
    ['a type alone', "import type { B } from './b.ts';"],
    ['a value over several lines', "import {\n  b,\n  type C,\n} from './b.ts';"],
    ['a re-export', "export { b } from './b.ts';"],
    ['an import at run time', "const b = await import('./b.ts');"],
  ];
  for (const [what, text] of sources) {
    it(`are found where they are ${what}, and a circle through them too`, () => {
      const graph = new Map([
        ['core/a.ts', importsOf('core/a.ts', text)],
        ['core/b.ts', ['core/c.ts']],
        ['core/c.ts', ['core/a.ts']],
      ]);
      assert.deepEqual(circleIn(graph), ['core/a.ts', 'core/b.ts', 'core/c.ts', 'core/a.ts']);
    });
  }
});
