/** The journal: on disk before the thing it tells of, and judged with care by whoever finds it. */
import assert from 'node:assert/strict';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { type JournalFile, openJournal, readJournals, stateDirectory } from '../../../lib/core/journal.ts';
import { recoverJournal } from '../../../lib/core/journal-recovery.ts';
import { bootId, pidNamespace, processIdentity } from '../../../lib/core/process-identity.ts';

let root = '';
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'journal-test-'));
});
afterEach(() => rmSync(root, { recursive: true }));

/** A start that no process has: this one's own PID, but of an earlier holder. */
const deadOwner = { pid: process.pid, startTicks: 1 };

function fileOf(change: Partial<JournalFile>): JournalFile {
  const here = { hostName: hostname(), bootId: bootId(), pidNamespace: pidNamespace() };
  const directory = join(root, 'mpsb-abc123');
  const pipeDirectory = join(directory, 'pipe');
  const entry = { kind: 'mps-daemon' as const, directory, pipeDirectory, daemon: null, servers: [] };
  return { schemaVersion: 1, ...here, owner: deadOwner, entries: [entry], ...change };
}

/** Writes the journal of another process, and the private directory it tells of. */
function leave(file: unknown): string {
  const path = join(root, 'journal', 'left.json');
  mkdirSync(join(root, 'journal'), { recursive: true });
  mkdirSync(join(root, 'mpsb-abc123', 'pipe'), { recursive: true });
  writeFileSync(path, typeof file === 'string' ? file : JSON.stringify(file));
  return path;
}

const recover = () => recoverJournal(join(root, 'journal'));
const entryOf = (directory: string) =>
  ({ kind: 'mps-daemon', directory, pipeDirectory: `${directory}/pipe`, daemon: null, servers: [] }) as const;

describe('a journal', () => {
  it('has no file until it has an entry, follows its entries, and goes with the last', () => {
    const journal = openJournal(join(root, 'deep', 'journal'));
    assert.ok(!existsSync(join(root, 'deep')));
    const first = journal.add(entryOf('/tmp/mpsb-1'));
    const second = journal.add(entryOf('/tmp/mpsb-2'));
    second.update({ ...entryOf('/tmp/mpsb-2'), daemon: { pid: 7, startTicks: 8 } });
    const [finding, ...others] = readJournals(join(root, 'deep', 'journal'));
    assert.ok(finding?.state === 'owner-alive' && others.length === 0);
    assert.deepEqual(finding.file.owner, processIdentity(process.pid));
    assert.deepEqual(
      finding.file.entries.map((entry) => [entry.directory, entry.kind === 'mps-daemon' && entry.daemon?.pid]),
      [
        ['/tmp/mpsb-1', undefined],
        ['/tmp/mpsb-2', 7],
      ],
    );
    first.remove();
    second.remove();
    second.remove();
    assert.deepEqual(readdirSync(join(root, 'deep', 'journal')), []);
  });

  it('that cannot be written is OUTPUT_NOT_WRITABLE and says how to put it elsewhere', () => {
    writeFileSync(join(root, 'file'), '');
    assert.throws(() => openJournal(join(root, 'file', 'journal')).add(entryOf('/tmp/mpsb-1')), {
      code: 'OUTPUT_NOT_WRITABLE',
      message: /MPSBENCH_STATE_DIR/,
    });
  });

  const places: readonly (readonly [NodeJS.ProcessEnv, RegExp])[] = [
    [{ MPSBENCH_STATE_DIR: '/a', XDG_STATE_HOME: '/b' }, /^\/a$/],
    [{ XDG_STATE_HOME: '/b' }, /^\/b\/mpsbench$/],
    [{}, /\/\.local\/state\/mpsbench$/],
  ];
  for (const [environment, expected] of places) {
    it(`is kept in ${expected.source} with ${JSON.stringify(environment)}`, () => {
      assert.match(stateDirectory(environment), expected);
    });
  }
});

describe('recovery', () => {
  it('of nothing is nothing', async () => assert.deepEqual(await recover(), []));

  it('removes the directories and the journal of a dead owner', async () => {
    const journalPath = leave(fileOf({}));
    const [done] = await recover();
    assert.deepEqual(done, {
      outcome: 'cleaned',
      journalPath,
      of: ['MPS daemon'],
      stoppedPids: [],
      removedDirectories: [join(root, 'mpsb-abc123')],
      problems: [],
    });
    assert.ok(!existsSync(journalPath) && !existsSync(join(root, 'mpsb-abc123')));
  });

  it('after a boot takes no PID for the one that is written', async () => {
    const self = processIdentity(process.pid);
    assert.ok(self);
    const entries = fileOf({}).entries.map((entry) => ({ ...entry, daemon: self }));
    leave(fileOf({ bootId: 'an earlier boot', entries }));
    assert.equal((await recover())[0]?.outcome, 'cleaned');
  });

  it('of a server takes no process for it that has another start, and removes its directory', async () => {
    const directory = join(root, 'mpsb-ts-1');
    mkdirSync(directory);
    const entry = {
      kind: 'server' as const,
      name: 'TorchServe',
      serverId: '0123456789abcdef',
      leaders: [deadOwner],
      others: [deadOwner],
      killFirst: [deadOwner],
      stopSignal: 'SIGTERM' as const,
      directory,
    };
    leave(fileOf({ entries: [...fileOf({}).entries, entry] }));
    const [done] = await recover();
    assert.ok(done?.outcome === 'cleaned');
    assert.deepEqual([done.of, done.stoppedPids], [['TorchServe', 'MPS daemon'], []]);
    assert.ok(!existsSync(directory));
  });

  const untouched: readonly (readonly [string, () => unknown, string])[] = [
    ['of a living owner', () => fileOf({ owner: processIdentity(process.pid) ?? deadOwner }), 'owner-alive'],
    ['of another host', () => fileOf({ hostName: 'another-host' }), 'elsewhere'],
    ['of another PID namespace', () => fileOf({ pidNamespace: 'pid:[1]' }), 'elsewhere'],
    ['that is cut short', () => '{"schemaVersion":1,', 'unreadable'],
    ['of a later version', () => ({ ...fileOf({}), schemaVersion: 2 }), 'unreadable'],
    ['with a key nobody knows', () => ({ ...fileOf({}), more: 1 }), 'unreadable'],
    ['that is a list', () => [], 'unreadable'],
  ];
  for (const [what, file, outcome] of untouched) {
    it(`leaves a journal ${what} and all it names, and tells it as ${outcome}`, async () => {
      const journalPath = leave(file());
      const before = readFileSync(journalPath, 'utf8');
      const [told] = await recover();
      assert.equal(told?.outcome, outcome);
      assert.equal(readFileSync(journalPath, 'utf8'), before);
      assert.ok(existsSync(join(root, 'mpsb-abc123')));
    });
  }

  it('does not remove a directory that mpsbench does not make, and keeps the journal', async () => {
    const precious = join(root, 'precious');
    mkdirSync(precious);
    const entries = fileOf({}).entries.map((entry) => ({ ...entry, directory: precious }));
    const journalPath = leave(fileOf({ entries }));
    const [told] = await recover();
    assert.ok(told?.outcome === 'not-cleaned' && told.problems[0]?.includes(precious));
    assert.ok(existsSync(precious) && existsSync(journalPath));
  });
});
