/** House rules that a search can check: names, units, timers, clocks, file heads and lengths, and what may be committed. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../../', import.meta.url));
const folders = ['lib', 'native', 'test', 'bench', 'docs', '.ci'];

/** Words that must not be found in this file either are put together here. */
const unfinished = ['TO', 'FIX', 'XX', 'HA'].map((start, index) => start + ['DO', 'ME', 'X', 'CK'][index]).join('|');
const machineFolders = ['work', 'farm', 'home', 'root', 'Users'].join('|');

interface Rule {
  readonly name: string;
  /** Which files, by path in the checkout. */
  readonly where: RegExp;
  readonly forbidden: RegExp;
  readonly except?: readonly string[];
}

const rules: readonly Rule[] = [
  {
    name: 'only main.ts ends the process',
    where: /^lib\/.*\.ts$/,
    forbidden: /\bprocess\.exit\s*\(/,
    except: ['lib/cli/main.ts'],
  },
  { name: 'nothing in lib writes to the console', where: /^lib\/.*\.ts$/, forbidden: /\bconsole\./ },
  {
    name: 'timers live in core/clock.ts',
    where: /^lib\/.*\.ts$/,
    forbidden: /(?<!\.)\bset(?:Timeout|Interval)\s*\(|'node:timers/,
    except: ['lib/core/clock.ts'],
  },
  {
    name: 'spans are not measured with the wall clock or in milliseconds',
    where: /^lib\/.*\.ts$/,
    forbidden: /\bDate\.now\s*\(|\bperformance\.now\s*\(/,
  },
  {
    name: 'now_ns() is the only clock of the native code',
    where: /^native\/.*\.(cc|h)$/,
    forbidden: /\b(?:high_resolution_clock|system_clock|gettimeofday|clock_gettime)\b|_clock::now\s*\(/,
    except: ['native/base/clock.h'],
  },
  {
    name: 'no shell is started: what a plan says is data',
    where: /^(?:lib|native)\/.*\.(?:ts|mjs|cc|h)$/,
    forbidden:
      /\bshell:\s*(?!false)|(?<![.\w])exec(?:Sync)?\s*\(|import \{[^}]*\bexec(?:Sync)?\b[^}]*\} from 'node:child_process'|\b(?:system|popen)\s*\(/,
  },
  {
    name: 'nothing is named for having no subject of its own',
    where: /^(lib|native|test|bench)\/.*\.(ts|mjs|cc|h)$/,
    forbidden:
      /\b(?:function|const|let|class|interface|type|struct|namespace)\s+\w*(?:[Uu]til(?:s|ity)?|[Hh]elpers?|[Mm]anager)\b/,
  },
  {
    name: 'memory is told in powers of 1024',
    where: /^(?:(?:lib|native)\/.*\.(?:ts|cc|h)|docs\/.*\.md|README\.md|CHANGELOG\.md)$/,
    forbidden: /\b[KMG]B\b/,
  },
  {
    name: 'nothing is left unfinished',
    where: /^(?:lib|native|bench|test)\/.*\.(?:ts|mjs|cc|h)$/,
    forbidden: new RegExp(`\\b(?:${unfinished})\\b`),
  },
  {
    name: 'no test is focused, left out for good or left for later',
    where: /^test\/.*\.test\.ts$/,
    forbidden: /\b(?:it|test|describe)\.(?:only|skip|todo)\s*\(/,
  },
  {
    name: 'no path of one machine is committed',
    // Records of a study are kept as they were written, with the paths of the host that made them.
    where: /^(?!bench\/results\/)(?!.*\.(?:png|node|tgz)$)/,
    forbidden: new RegExp(`(?<![\\w.:*-])/(?:${machineFolders})/[\\w.]`),
  },
  {
    name: 'no package registry is named',
    where: /^(?!.*\.(?:png|node|tgz)$)/,
    forbidden: /"resolved": *"https?:|\bregistry\.(?:npmjs|yarnpkg)\b|_authToken/,
    except: ['test/unit/vocabulary.test.ts'],
  },
];

const files = filesOfProject();

describe('vocabulary', () => {
  for (const rule of rules) {
    it(rule.name, () => {
      const subject = files.filter((path) => rule.where.test(path) && !rule.except?.includes(path));
      assert.deepEqual(
        subject.flatMap((path) => hits(path, rule.forbidden)),
        [],
      );
    });
  }

  it('finds what it forbids', () => {
    const blind = samples.filter(([name, line]) => !rules.find((rule) => rule.name === name)?.forbidden.test(line));
    assert.deepEqual(blind, []);
    assert.deepEqual(
      rules.filter((rule) => !samples.some(([name]) => name === rule.name)).map((rule) => rule.name),
      [],
    );
  });

  it('names files for what is in them', () => {
    const named = files.filter((path) => /\.(?:ts|mjs|cc|h)$/.test(path));
    const subjectless = named.filter((path) =>
      /(?:^|[-_.])(?:utils?|helpers?|common|manager|misc)\./.test(basename(path)),
    );
    const kebab = named.filter(
      (path) => /\.(?:ts|mjs)$/.test(path) && !/^[a-z0-9]+(?:[-.][a-z0-9]+)*$/.test(basename(path)),
    );
    const snake = named.filter(
      (path) => /\.(?:cc|h)$/.test(path) && !/^[a-z0-9]+(?:_[a-z0-9]+)*\.(?:cc|h)$/.test(basename(path)),
    );
    assert.deepEqual([...subjectless, ...kebab, ...snake], []);
  });

  it('says in the first line of a file what it is for', () => {
    const code = files.filter((path) => /^(?:lib|native|test|bench)\/.*\.(?:ts|mjs|cc|h)$/.test(path));
    assert.deepEqual(
      code.filter((path) => !startsWithItsPurpose(path)),
      [],
    );
  });

  it('keeps a file to one subject by its length', () => {
    const limits: readonly (readonly [RegExp, number])[] = [
      [/^(?:lib|native|bench)\/.*\.(?:ts|mjs|cc|h)$/, 300],
      [/^test\/.*\.(?:ts|mjs|cc|h)$/, 400],
    ];
    const long = limits.flatMap(([where, limit]) =>
      files
        .filter((path) => where.test(path))
        .map((path) => ({ path, lines: lines(path).length - 1, limit }))
        .filter((file) => file.lines > limit),
    );
    assert.deepEqual(long, []);
  });
});

/** One line per rule that it must find. */
const samples: readonly (readonly [string, string])[] = [
  ['no shell is started: what a plan says is data', 'spawn(program, { shell: true })'],
  ['only main.ts ends the process', 'process.exit(1);'],
  ['nothing in lib writes to the console', "console.log('x');"],
  ['timers live in core/clock.ts', 'setTimeout(() => {}, 5);'],
  ['spans are not measured with the wall clock or in milliseconds', 'const start = Date.now();'],
  ['now_ns() is the only clock of the native code', 'auto now = std::chrono::steady_clock::now();'],
  ['nothing is named for having no subject of its own', `export ${'function'} parseHelper() {}`],
  ['memory is told in powers of 1024', "text = '512 MB';"],
  ['nothing is left unfinished', `// ${unfinished.split('|')[0]}: later`],
  ['no test is focused, left out for good or left for later', `${'it'}.only('x', () => {});`],
  ['no path of one machine is committed', `cd ${['', 'home', 'somebody', 'x'].join('/')}`],
  ['no package registry is named', '"resolved": "https://example.org/x.tgz"'],
];

/** Files that git would commit; where this is no checkout of git, all files of the project's folders. */
function filesOfProject(): string[] {
  if (existsSync(join(root, '.git'))) {
    const command = ['ls-files', '--cached', '--others', '--exclude-standard', '--deduplicate'];
    const listed = execFileSync('git', command, { cwd: root, encoding: 'utf8' });
    return listed.split('\n').filter((path) => path !== '' && existsSync(join(root, path)));
  }
  return folders.flatMap((folder) => filesBelow(folder));
}

function filesBelow(folder: string): string[] {
  if (!existsSync(join(root, folder))) return [];
  return readdirSync(join(root, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(root.length));
}

function lines(path: string): string[] {
  return readFileSync(join(root, path), 'utf8').split('\n');
}

function hits(path: string, forbidden: RegExp): string[] {
  return lines(path).flatMap((line, index) => (forbidden.test(line) ? [`${path}:${index + 1}: ${line.trim()}`] : []));
}

/** A comment; a source that begins with its own header has it there. */
function startsWithItsPurpose(path: string): boolean {
  const [first = '', second = ''] = lines(path);
  const head = first.startsWith('#!') ? second : first;
  const ownHeader = new RegExp(`^#include "(?:[a-z0-9_]+/)*${basename(path, '.cc')}\\.h"$`);
  return head.startsWith('//') || head.startsWith('/**') || ownHeader.test(head);
}
