/** The null server's process: answers, ends with its parent, tells what keeps it from starting. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { poll } from '../../lib/core/clock.ts';
import { allowedCpus } from '../../lib/core/cpu-affinity.ts';
import { codeOf, isInterrupted } from '../../lib/core/errors.ts';
import { processIdentity } from '../../lib/core/process-identity.ts';
import { milliseconds, seconds } from '../../lib/core/units.ts';
import { calibrate, calibrationSubject } from '../../lib/load/calibration.ts';
import { anyEngine, type EngineChoice } from '../../lib/load/choose-engine.ts';
import { startNullServer } from '../../lib/load/null-server.ts';
import { loadDefaults, runLoad } from '../../lib/load/run-load.ts';
import { calibrationSchema } from '../../lib/records/headroom.ts';
import type { LoadSpec } from '../../lib/records/load.ts';
import { fakeServer } from '../fakes/fake-server.ts';

const signal = new AbortController().signal;

async function gone(pid: number): Promise<boolean> {
  const asked = () => (processIdentity(pid) === null ? true : undefined);
  return (await poll(asked, { everyNs: milliseconds(10), forNs: seconds(20) })) ?? false;
}

function specFor(url: string): LoadSpec {
  return {
    ...loadDefaults,
    url,
    method: 'POST',
    bodies: [new Uint8Array(64)],
    loop: { kind: 'closed', concurrency: 3 },
    stop: { kind: 'requests', requests: 30 },
  };
}

describe('the null server', () => {
  it('answers with the body that was asked for, and is gone after disposal', async () => {
    const server = await startNullServer({ responseBytes: 1000, threads: 2, signal });
    const reply = await fetch(`http://127.0.0.1:${server.port}/any`, { method: 'POST', body: 'question' });
    assert.equal((await reply.arrayBuffer()).byteLength, 1000);
    await server[Symbol.asyncDispose]();
    assert.equal(processIdentity(server.pid), null);
  });

  it('ends when its parent is gone', async () => {
    const module = fileURLToPath(new URL('../../lib/load/null-server-child.ts', import.meta.url));
    // The parent is a shell that is killed; the child holds the other end of a pipe to it.
    const code = `const { spawn } = require('node:child_process');
      const child = spawn(process.execPath, ['--import', 'tsx', ${JSON.stringify(module)}, '{"responseBytes":1,"threads":1}'],
        { stdio: ['pipe', 'pipe', 'inherit'], detached: true });
      child.stdout.once('data', () => console.log(child.pid));`;
    const parent = spawn(process.execPath, ['-e', code], { stdio: ['ignore', 'pipe', 'inherit'] });
    const [line] = await once(createInterface({ input: parent.stdout }), 'line');
    assert.notEqual(processIdentity(Number(line)), null);
    parent.kill('SIGKILL');
    assert.ok(await gone(Number(line)));
  });

  it('tells what keeps it from starting', async () => {
    await assert.rejects(startNullServer({ responseBytes: 2 ** 40, threads: 1, signal }), (thrown: Error) => {
      return codeOf(thrown) === 'LOAD_FAILED' && /responseBytes/.test(thrown.message);
    });
    await assert.rejects(startNullServer({ responseBytes: 1, threads: 1, signal: AbortSignal.abort() }), isInterrupted);
  });
});

describe('a calibration', () => {
  for (const engine of ['native', 'undici'] as const satisfies EngineChoice[]) {
    it(`of the ${engine} engine sends the same requests and has a ceiling`, async () => {
      await using server = await fakeServer();
      const spec = specFor(server.url);
      const wish = { ...anyEngine, engine };
      const { summary } = await runLoad(spec, { signal }, wish);
      const subject = calibrationSubject(spec, summary, null);
      const made = calibrationSchema.parse(await calibrate(spec, subject, 1, { signal, wish }));
      assert.equal(made.subject.engine, engine);
      assert.equal(made.durationNs, 250e6);
      // The measured server was not asked again.
      assert.equal(server.seen.length, 30);
    });
  }

  it('of a URL that is not plain HTTP is refused', async () => {
    await using server = await fakeServer();
    const spec = specFor(server.url);
    const { summary } = await runLoad(spec, { signal });
    const secure = { ...spec, url: 'https://127.0.0.1:1/' };
    const calibrating = calibrate(secure, calibrationSubject(spec, summary, null), 1, { signal, wish: anyEngine });
    await assert.rejects(calibrating, (thrown) => codeOf(thrown) === 'NOT_SUPPORTED_HERE');
  });
});

describe('a generator that is kept to CPUs', { skip: allowedCpus() === null }, () => {
  const allowed = allowedCpus() ?? [];
  const last = allowed.at(-1) ?? 0;
  for (const engine of ['native', 'undici'] as const) {
    it(`runs every thread of the ${engine} engine there, and is free again afterwards`, async () => {
      await using server = await fakeServer();
      let seen: readonly string[] | null = null;
      const onClientCpus = (threads: readonly string[] | null): void => {
        seen = threads;
      };
      await runLoad(specFor(server.url), { signal, onClientCpus }, { ...anyEngine, engine, cpus: [last] });
      assert.deepEqual(seen, [String(last)]);
      assert.deepEqual(allowedCpus(), allowed);
    });
  }

  it('is free again after a run that failed', async () => {
    const server = await fakeServer();
    await server.close();
    const failing = runLoad(specFor(server.url), { signal }, { ...anyEngine, cpus: [last] });
    await assert.rejects(failing, (thrown) => codeOf(thrown) === 'LOAD_FAILED');
    assert.deepEqual(allowedCpus(), allowed);
  });

  it('has a CPU for each sending thread where there are as many', { skip: allowed.length < 2 }, async () => {
    await using server = await fakeServer();
    let seen: readonly string[] = [];
    const onClientCpus = (threads: readonly string[] | null): void => {
      seen = threads ?? [];
    };
    const two = allowed.slice(0, 2);
    const spec: LoadSpec = { ...specFor(server.url), stop: { kind: 'duration', durationNs: 200e6 } };
    await runLoad(spec, { signal, onClientCpus }, { ...anyEngine, engine: 'native', threads: 2, cpus: two });
    assert.ok(
      two.every((cpu) => seen.includes(String(cpu))),
      seen.join(' '),
    );
  });
});
