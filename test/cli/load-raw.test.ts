/** mpsbench load --raw as a user sees it: the file, the line about it, and what a disk without room does. */
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { tableFromIPC } from 'apache-arrow';
import { exitStatus } from '../../lib/core/errors.ts';
import { fakeServer } from '../fakes/fake-server.ts';
import { cliEnvironment, finished, mainPath, runCli, scratchFolder, startCli } from './run-cli.ts';

const engines = ['native', 'undici'] as const;
const prlimit = spawnSync('prlimit', ['--version']).status === 0;

for (const engine of engines) {
  describe(`mpsbench load --raw (${engine})`, () => {
    it('writes a row for each request and says where', async () => {
      await using server = await fakeServer();
      const path = join(scratchFolder(), 'rows.arrow');
      const ran = await runCli(['load', server.url, '-n', '25', '-c', '2', '--engine', engine, '--raw', path]);
      assert.equal(ran.status, exitStatus.done);
      assert.match(ran.stderr, /^25 rows written to .*rows\.arrow$/m);
      assert.equal(tableFromIPC(readFileSync(path)).numRows, 25);
    });

    it('refuses a file that exists as a usage error, and sends nothing', async () => {
      await using server = await fakeServer();
      const path = join(scratchFolder(), 'rows.arrow');
      writeFileSync(path, 'mine');
      const ran = await runCli(['load', server.url, '-n', '5', '--engine', engine, '--raw', path]);
      assert.deepEqual([ran.status, ran.stdout, server.seen.length], [exitStatus.usage, '', 0]);
      assert.match(ran.stderr, /^mpsbench: OUTPUT_EXISTS: .*\n$/);
      assert.equal(readFileSync(path, 'utf8'), 'mine');
    });

    const skip = prlimit ? false : 'no prlimit to make files small';
    it('without room for the rows prints the summary, then one line, and exits 1', { skip }, async () => {
      await using server = await fakeServer();
      const folder = scratchFolder();
      const argv = ['load', server.url, '-n', '500', '--engine', engine, '--raw', join(folder, 'rows.arrow')];
      const ran = await finished(
        spawn('prlimit', ['--fsize=4096', process.execPath, mainPath, ...argv], {
          env: cliEnvironment(),
          stdio: 'pipe',
        }),
      );
      assert.equal(ran.status, exitStatus.failed);
      assert.match(ran.stdout, /requests {7}500 ok/);
      assert.match(ran.stderr, /^mpsbench: OUTPUT_NOT_WRITABLE: cannot write raw file [^\n]*ulimit -f[^\n]*\n$/m);
      assert.deepEqual(readdirSync(folder), []);
    });

    it('interrupted leaves a file with the rows so far', async () => {
      const last = 41;
      const interrupt = { child: null as ReturnType<typeof startCli> | null };
      await using server = await fakeServer(({ index }) => {
        // Each of the two connections sends its next request when it has its answer: 40 requests have ended by now.
        if (index === last) interrupt.child?.kill('SIGINT');
        return index < last - 1 ? { delayMs: 1 } : { silent: true };
      });
      const path = join(scratchFolder(), 'rows.arrow');
      const child = startCli(['load', server.url, '-c', '2', '-d', '60s', '--engine', engine, '--raw', path]);
      interrupt.child = child;
      const ran = await finished(child);
      assert.equal(ran.status, exitStatus.interrupted);
      assert.match(ran.stderr, /rows written to /);
      const rows = tableFromIPC(readFileSync(path));
      assert.ok(rows.numRows >= 40, `${rows.numRows} rows`);
    });

    it('of a run that never connects has the attempts, beside the one line about the server', async () => {
      const server = await fakeServer();
      await server.close();
      const path = join(scratchFolder(), 'rows.arrow');
      const ran = await runCli(['load', server.url, '-n', '500', '--engine', engine, '--raw', path]);
      assert.equal(ran.status, exitStatus.failed);
      assert.match(ran.stderr, /^mpsbench: LOAD_FAILED: connection refused/m);
      assert.ok(existsSync(path));
      const outcomes = tableFromIPC(readFileSync(path)).getChild('outcome')?.toArray() ?? [];
      assert.ok(outcomes.length > 0);
    });
  });
}
