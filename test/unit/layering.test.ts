/** The permitted imports of docs/ARCHITECTURE.md, enforced. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';

const lib = fileURLToPath(new URL('../../lib/', import.meta.url));

const permitted: Record<string, readonly string[]> = {
  core: [],
  records: ['core'],
  native: ['core', 'records'],
  stats: ['core', 'records'],
  load: ['core', 'records', 'native', 'stats'],
  'load-hosts': ['core', 'records', 'load'],
  gpu: ['core', 'records', 'native'],
  mps: ['core', 'records'],
  server: ['core', 'records', 'native'],
  study: ['core', 'records', 'load', 'gpu', 'mps', 'server'],
  analysis: ['core', 'records', 'stats'],
  steering: ['core', 'records', 'load', 'stats', 'study', 'analysis'],
  report: ['core', 'records', 'analysis'],
  remote: ['core', 'records', 'load', 'study', 'steering'],
  agent: ['core', 'records', 'gpu', 'mps', 'study', 'server', 'load', 'analysis', 'remote'],
  cli: [
    'core',
    'records',
    'load',
    'load-hosts',
    'gpu',
    'mps',
    'server',
    'study',
    'stats',
    'analysis',
    'steering',
    'report',
    'agent',
    'remote',
  ],
  'index.ts': ['core', 'records', 'load', 'gpu', 'mps', 'server', 'study', 'stats', 'analysis', 'steering', 'report'],
};

/** lib/native is the addon's TypeScript face; "native" is what layer tables call it. */
const importPattern = /(?:from\s+|import\s*\(\s*|import\s+)'(\.[^']+)'/g;

function violations(): string[] {
  const found: string[] = [];
  for (const file of readdirSync(lib, { recursive: true, encoding: 'utf8' })) {
    if (!file.endsWith('.ts')) continue;
    const layer = file.split('/')[0] as string;
    const allowed = permitted[layer];
    if (!allowed) {
      found.push(`${file}: '${layer}' is no layer`);
      continue;
    }
    for (const match of readFileSync(join(lib, file), 'utf8').matchAll(importPattern)) {
      const target = relative(lib, resolve(dirname(join(lib, file)), match[1] as string)).split('/')[0] as string;
      if (target !== layer && !allowed.includes(target)) found.push(`${file} imports ${match[1]} (layer '${target}')`);
    }
  }
  return found;
}

describe('layers', () => {
  it('import only what is below them', () => {
    assert.deepEqual(violations(), []);
  });
});
