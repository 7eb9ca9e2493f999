/** The Arrow file of a run's requests: what is in it, and what becomes of it when the disk does not play along. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { type Table, tableFromIPC } from 'apache-arrow';
import { codeOf } from '../../lib/core/errors.ts';
import { createRawFile } from '../../lib/load/raw-file.ts';
import type { RequestRow } from '../../lib/load/request-row.ts';
import { loadDefaults } from '../../lib/load/run-load.ts';
import type { LoadSpec } from '../../lib/records/load.ts';
import { failedRequests, outcomeNames } from '../../lib/records/load-outcomes.ts';
import { fakeServer } from '../fakes/fake-server.ts';
import { closed, engines, milli, open, requests } from './run.ts';

const folder = mkdtempSync(join(tmpdir(), 'mpsbench-raw-'));
after(() => rmSync(folder, { recursive: true }));

const spec: LoadSpec = { ...loadDefaults, url: 'http://127.0.0.1:9/', loop: closed(1), stop: requests(1) };
let files = 0;
const newPath = (): string => join(folder, `${files++}.arrow`);

function rowsOf(path: string): RequestRow[] {
  const columns = (row: object): object =>
    Object.fromEntries(
      Object.entries(row).map(([name, value]) => [name, typeof value === 'bigint' ? Number(value) : value]),
    );
  return tableOf(path)
    .toArray()
    .map((row) => columns(row.toJSON())) as RequestRow[];
}

function tableOf(path: string): Table {
  return tableFromIPC(readFileSync(path));
}

/** A row whose every column tells its number. */
function rowOf(number: number): RequestRow {
  const odd = number % 2 === 1;
  return {
    number,
    phase: number < 100 ? 'warmup' : 'measurement',
    outcome: outcomeNames[number % outcomeNames.length] as RequestRow['outcome'],
    intendedNs: number * 2 ** 32 + number,
    sentNs: odd ? null : 2 ** 53 - 1 - number,
    firstByteNs: number % 3 === 0 ? null : number,
    endNs: number + 1,
    requestBytes: 2 ** 40,
    responseBytes: 0,
    status: odd ? null : 599,
    connection: odd ? null : 2 ** 32 - 2,
  };
}

describe('a raw file', () => {
  it('gives back every column of every row, over several batches', async () => {
    const path = newPath();
    const rows = Array.from({ length: 40_000 }, (_, number) => rowOf(number));
    await using raw = await createRawFile(path, spec);
    for (const row of rows) raw.onRow(row);
    await raw.finish();
    assert.equal(tableOf(path).batches.length, 3);
    assert.deepEqual(rowsOf(path), rows);
  });

  it('says in its metadata where its offsets count from and what was run', async () => {
    const path = newPath();
    await using raw = await createRawFile(path, { ...spec, headers: { authorization: 'secret' } });
    await raw.finish();
    const { metadata } = tableOf(path).schema;
    assert.deepEqual([metadata.get('kind'), metadata.get('schemaVersion')], ['mpsbench-requests', '1']);
    assert.equal(metadata.get('originNs'), String(raw.origin.originNs));
    const plan = JSON.parse(metadata.get('plan') ?? '');
    assert.deepEqual([plan.url, plan.headerNames], [spec.url, ['authorization']]);
    assert.ok(!readFileSync(path, 'latin1').includes('secret'));
  });

  it('has its columns also when there are no rows', async () => {
    const path = newPath();
    await (await createRawFile(path, spec)).finish();
    assert.deepEqual([tableOf(path).numRows, tableOf(path).schema.names.length], [0, 11]);
  });

  it('has its name only once it is complete, and nothing else stays behind', async () => {
    const where = mkdtempSync(join(folder, 'alone-'));
    await using raw = await createRawFile(join(where, 'rows.arrow'), spec);
    assert.ok(!readdirSync(where).includes('rows.arrow'));
    await raw.finish();
    assert.deepEqual(readdirSync(where), ['rows.arrow']);
  });

  it('is refused where one is, and leaves that one as it was', async () => {
    const path = newPath();
    writeFileSync(path, 'mine');
    await assert.rejects(createRawFile(path, spec), (thrown) => codeOf(thrown) === 'OUTPUT_EXISTS');
    assert.equal(readFileSync(path, 'utf8'), 'mine');
  });

  it('does not replace one that came while the run went on', async () => {
    const path = newPath();
    const raw = await createRawFile(path, spec);
    writeFileSync(path, 'mine');
    await assert.rejects(raw.finish(), (thrown) => codeOf(thrown) === 'OUTPUT_EXISTS');
    assert.equal(readFileSync(path, 'utf8'), 'mine');
  });

  for (const [name, path] of [
    ['in no directory', join(folder, 'nowhere', 'x.arrow')],
    ['below a file', join(import.meta.filename, 'x.arrow')],
  ] as const) {
    it(`${name} is refused in one line before anything is sent`, async () => {
      await assert.rejects(createRawFile(path, spec), (thrown: Error) => {
        assert.equal(codeOf(thrown), 'OUTPUT_NOT_WRITABLE');
        assert.match(thrown.message, /^cannot write raw file .*; name a file with --raw .*$/);
        return true;
      });
    });
  }

  const tiny = join(folder, 'tiny');
  mkdirSync(tiny);
  const mounted = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=256k', 'tmpfs', tiny], { encoding: 'utf8' });
  after(() => void (mounted.status === 0 && spawnSync('umount', [tiny])));
  const skip = mounted.status === 0 ? false : `no small file system to fill: ${mounted.stderr}`;
  it('on a full disk says so, keeps taking rows, and leaves no half file', { skip }, async () => {
    const raw = await createRawFile(join(tiny, 'rows.arrow'), spec);
    for (let number = 0; number < 100_000; number++) raw.onRow(rowOf(number));
    await assert.rejects(raw.finish(), (thrown: Error) => {
      assert.equal(codeOf(thrown), 'OUTPUT_NOT_WRITABLE');
      assert.match(thrown.message, /the disk is full/);
      return true;
    });
    assert.deepEqual(readdirSync(tiny), []);
  });

  const python = fileURLToPath(new URL('../../.cache/pyarrow/venv/bin/python', import.meta.url));
  const absent = existsSync(python) ? false : 'pyarrow is not installed: run test/load/install-pyarrow.sh';
  it('can be read by pyarrow', { skip: absent }, async () => {
    const path = newPath();
    await using raw = await createRawFile(path, spec);
    for (let number = 0; number < 20_000; number++) raw.onRow(rowOf(number));
    await raw.finish();
    const script =
      'import pyarrow, sys; print(pyarrow.ipc.open_file(sys.argv[1]).read_all()["number"].to_pylist()[-1])';
    assert.equal(spawnSync(python, ['-c', script, path], { encoding: 'utf8' }).stdout, '19999\n');
  });
});

for (const { name: engine, run } of engines) {
  describe(`the rows of a run (${engine})`, () => {
    it('tell what its summary counts', async () => {
      const path = newPath();
      await using server = await fakeServer(({ index }) => {
        if (index === 20) return { raw: '', ending: 'close' };
        return index === 30 ? { status: 503 } : { body: 'abcdef', slowly: { pieces: 2, pauseMs: 1 } };
      });
      const given: LoadSpec = { ...spec, url: server.url, loop: closed(4), stop: requests(60), warmupNs: 100 * milli };
      await using raw = await createRawFile(path, given);
      const { summary, originNs } = await run(given, { onRow: raw.onRow, origin: raw.origin });
      await raw.finish();
      assert.equal(originNs, raw.origin.originNs);
      const rows = rowsOf(path);
      for (const phase of [summary.warmup, summary.measurement]) {
        const own = rows.filter((row) => row.phase === phase?.phase);
        for (const outcome of outcomeNames) {
          assert.equal(own.filter((row) => row.outcome === outcome).length, phase?.outcomes[outcome]);
        }
        const bytes = own.reduce((sum, { responseBytes }) => sum + responseBytes, 0);
        assert.equal(bytes, phase?.responseBytes);
      }
      assert.equal(rows.length, server.seen.length);
      assert.equal(
        failedRequests(summary.measurement.outcomes) +
          failedRequests(summary.warmup?.outcomes ?? summary.measurement.outcomes),
        2,
      );
      assert.equal(new Set(rows.map(({ number }) => number)).size, rows.length);
      assert.deepEqual(new Set(rows.map(({ connection }) => connection)), new Set([0, 1, 2, 3]));
      for (const { outcome, intendedNs, sentNs, firstByteNs, endNs, status } of rows) {
        assert.ok(sentNs !== null && intendedNs <= sentNs && sentNs <= endNs);
        assert.equal(status !== null, outcome !== 'reset');
        // On a busy host both pieces may be there at the first look; then the first byte is known with the end.
        if (outcome === 'ok') assert.ok(firstByteNs !== null && sentNs < firstByteNs && firstByteNs <= endNs);
      }
    });

    it('say of a request that was never written that it was not', async () => {
      await using server = await fakeServer(() => ({ silent: true }));
      const rows: RequestRow[] = [];
      const onRow = (row: RequestRow): void => void rows.push({ ...row });
      await run({ url: server.url, loop: open(1e6, 2), stop: requests(20), timeoutNs: 100 * milli }, { onRow });
      const unsent = rows.filter((row) => row.sentNs === null);
      assert.equal(rows.length, 20);
      assert.ok(unsent.length > 0);
      assert.ok(unsent.every((row) => row.firstByteNs === null && row.status === null));
    });
  });
}
