/** What a user gets from npm: the tarball's content, and its use on machines without a compiler. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { copyFileSync, existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import {
  type Consumer,
  checkout,
  consumer,
  loadsAddon,
  type PackedPackage,
  pack,
  packageVersion,
  pathWithoutCompiler,
  withoutPrebuilds,
} from './consumer.ts';

const scratch = mkdtempSync(join(tmpdir(), 'mpsbench-package-'));
let packed: PackedPackage;
let barePath: string;

before(() => {
  const command = ['native/make-prebuild.mjs', '--if-possible'];
  const made = spawnSync(process.execPath, command, { cwd: checkout, encoding: 'utf8' });
  assert.equal(made.status, 0, made.stderr);
  packed = pack(join(scratch, 'pack'));
  barePath = pathWithoutCompiler(join(scratch, 'bin'));
});
after(() => rmSync(scratch, { recursive: true, force: true }));

describe('the tarball', () => {
  const topLevel = ['CHANGELOG.md', 'CMakeLists.txt', 'LICENSE', 'README.md', 'package.json'];
  const allowed: readonly RegExp[] = [
    /^dist\/(?:[a-z0-9-]+\/)*[a-z0-9-]+\.(?:js|mjs|d\.ts|html|css)$/,
    /^native\/(?:[a-z0-9_]+\/)*(?:[a-z0-9_-]+\.(?:cc|h|ptx|cu|cc\.in|sh)|CMakeLists\.txt)$/,
    /^docs\/schemas\/[a-z-]+\.json$/,
    /^native\/(?:install|make-prebuild)\.mjs$/,
    /^native\/cmake\/aarch64-linux-gnu\.cmake$/,
    /^prebuilds\/linux-(?:x64|arm64)\/mpsbench\.(?:glibc|musl)\.node$/,
  ];

  it('holds nothing but the built package, the native sources and the prebuilds', () => {
    const unexpected = packed.files.filter(
      (file) => !topLevel.includes(file) && !allowed.some((pattern) => pattern.test(file)),
    );
    assert.deepEqual(unexpected, []);
  });

  it('holds no test, no fake and no TypeScript source', () => {
    // A test is a folder or ends like one: dist/stats/sign-tests.js is about tests of statistics.
    const testOrFake = /(^|\/)(test|tests|fake|fakes)\/|[._-]test\.[^/]+$|(^|\/)[^/]*_test[^/]*$|(^|\/|_|-)fakes?[_.-]/;
    const forbidden = packed.files.filter((file) => testOrFake.test(file) || /(?<!\.d)\.ts$/.test(file));
    assert.deepEqual(forbidden, []);
  });

  it('holds what an installation needs', () => {
    const needed = [
      'CMakeLists.txt',
      'LICENSE',
      'dist/cli/main.js',
      'dist/index.d.ts',
      'dist/index.js',
      'docs/schemas/plan.json',
      'native/addon/addon.cc',
      'native/install.mjs',
      'package.json',
      `prebuilds/linux-${process.arch}/mpsbench.glibc.node`,
    ];
    assert.deepEqual(
      needed.filter((file) => !packed.files.includes(file)),
      [],
    );
  });
});

describe('installed from a prebuild where there is no compiler', () => {
  let project: Consumer;

  before(() => {
    project = consumer(join(scratch, 'prebuilt'), barePath);
    for (const compiler of ['g++', 'cc', 'cmake', 'make', 'ninja']) {
      assert.notEqual(project.run(compiler, '--version').error, undefined, `${compiler} is still on PATH`);
    }
    const installed = project.run('npm', 'install', '--prefer-offline', packed.tarball);
    assert.equal(installed.status, 0, installed.stderr);
  });

  it('prints its version', () => {
    const run = project.run('node_modules/.bin/mpsbench', '--version');
    assert.deepEqual([run.stdout, run.stderr, run.status], [`${packageVersion}\n`, '', 0]);
  });

  it('prints its help', () => {
    const run = project.run('node_modules/.bin/mpsbench', '--help');
    assert.match(run.stdout, /^Usage: mpsbench /);
    assert.equal(run.status, 0);
  });

  it('imports as a library', () => {
    const code = "import('mpsbench').then((library) => console.log(typeof library.MpsbenchError))";
    const run = project.run('node', '-e', code);
    assert.deepEqual([run.stdout, run.status], ['function\n', 0], run.stderr);
  });

  it('gives out its JSON Schemas', () => {
    const code = "console.log(require('mpsbench/schemas/plan.json').$id, require('mpsbench/schemas/trial.json').$id)";
    const run = project.run('node', '-e', code);
    assert.equal(run.stdout, 'urn:mpsbench:plan:1 urn:mpsbench:trial:1\n', run.stderr);
  });

  it('loads the addon from the prebuild', () => {
    assert.equal(existsSync(join(project.folder, 'node_modules/mpsbench/build')), false);
    const run = loadsAddon(project);
    assert.match(run.stdout, /^[0-9a-f]{16} bigint\n$/, run.stderr);
  });

  it('has types that a strict consumer compiles against', () => {
    const compiled = compileAgainstTypes(project);
    assert.equal(compiled.status, 0, compiled.stdout);
  });
});

describe('installed where there is neither prebuild nor compiler', () => {
  let project: Consumer;

  before(() => {
    const tarball = withoutPrebuilds(packed.tarball, join(scratch, 'unpacked'));
    project = consumer(join(scratch, 'bare'), barePath);
    const installed = project.run('npm', 'install', '--prefer-offline', '--foreground-scripts', tarball);
    assert.equal(installed.status, 0, installed.stderr);
    const output = installed.stdout + installed.stderr;
    assert.match(output, /mpsbench: it needs CMake >= 3\.20, make or ninja, and a C\+\+20 compiler/);
  });

  it('still prints its version', () => {
    assert.equal(project.run('node_modules/.bin/mpsbench', '--version').stdout, `${packageVersion}\n`);
  });

  it('says in one line what is missing and what to type', () => {
    const run = loadsAddon(project);
    assert.match(run.stderr, /^ADDON_MISSING: [^\n]+ C\+\+20 compiler, then run: node [^\n]+native\/install\.mjs\n$/);
  });

  it('ends a command that needs the addon with that line and status 1', (context) => {
    if (!/^ +probe\b/m.test(project.run('node_modules/.bin/mpsbench', '--help').stdout)) {
      context.skip('there is no probe command in this build');
      return;
    }
    const run = project.run('node_modules/.bin/mpsbench', 'probe');
    assert.match(run.stderr, /^mpsbench: ADDON_MISSING: [^\n]+native\/install\.mjs\n$/);
    assert.equal(run.status, 1);
  });

  it('works after the named command was typed on a machine with a compiler', () => {
    const whole = consumer(project.folder, process.env.PATH ?? '');
    const built = whole.run('node', 'node_modules/mpsbench/native/install.mjs');
    assert.equal(built.status, 0, built.stdout + built.stderr);
    assert.match(loadsAddon(project).stdout, /^[0-9a-f]{16} bigint\n$/);
  });
});

/** With this checkout's compiler and Node types, and no check left out. */
function compileAgainstTypes(project: Consumer): ReturnType<Consumer['run']> {
  const compilerOptions = {
    target: 'ES2022',
    module: 'NodeNext',
    strict: true,
    exactOptionalPropertyTypes: true,
    noUncheckedIndexedAccess: true,
    noEmit: true,
    lib: ['ES2022', 'ESNext.Disposable'],
    types: ['node'],
    typeRoots: [join(checkout, 'node_modules/@types')],
  };
  writeFileSync(join(project.folder, 'tsconfig.json'), JSON.stringify({ compilerOptions, files: ['use.ts'] }));
  copyFileSync(join(checkout, 'test/package/typed-use.ts'), join(project.folder, 'use.ts'));
  return project.run('node', join(checkout, 'node_modules/typescript/bin/tsc'), '-p', 'tsconfig.json');
}
