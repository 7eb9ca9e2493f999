/** Bodies from templates, as a server receives them from each engine. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { bodyFiller, parseTemplate } from '../../lib/load/body-template.ts';
import { nativeEngine } from '../../lib/load/native-sender.ts';
import { loadAddon } from '../../lib/native/addon.ts';
import type { LoadSpec } from '../../lib/records/load.ts';
import { fakeServer } from '../fakes/fake-server.ts';
import { closed, engines, open, type Run, requests, runOn } from './run.ts';

const bodies = ['{"n":"{{counter}}","r":"{{random:20}}"}', '{{uuid}} {{counter:4}} {{{{name}}', 'always the same'].map(
  (text) => Buffer.from(text),
);

/** The bodies that a server received, in the order of their requests' numbers as far as it shows. */
async function received(run: Run, given: Partial<LoadSpec> & Pick<LoadSpec, 'loop' | 'stop'>): Promise<string[]> {
  await using server = await fakeServer();
  await run({ url: server.url, method: 'POST', bodies, template: true, seed: 5, ...given });
  for (const { body, headers } of server.seen) assert.equal(body.length, Number(headers['content-length']));
  return server.seen.map(({ body }) => body.toString());
}

const twoThreads: Run = (given, hooks) => runOn(nativeEngine({ addon: loadAddon(), threads: 2 }), given, hooks);

describe('a template', () => {
  it('gives the server the same bytes from each engine, for the same seed', async () => {
    const all = [];
    for (const { run } of engines) all.push(await received(run, { loop: closed(1), stop: requests(100) }));
    assert.deepEqual(all[0], all[1]);
    assert.equal(
      new Set(all[0]?.filter((text) => text !== 'always the same')).size,
      all[0]?.filter((text) => text !== 'always the same').length,
    );
    assert.ok(all[0]?.includes('always the same'));
  });

  it('gives the n-th request its fields whichever connection or thread sends it', async () => {
    for (const loop of [closed(6), open(2000, 6)]) {
      const one = await received(engines[1]?.run as Run, { loop, stop: requests(200) });
      const two = await received(twoThreads, { loop, stop: requests(200) });
      assert.deepEqual(two.sort(), one.sort());
    }
  });

  for (const { name: engine, run } of engines) {
    it(`keeps a request that is sent in pieces whole (${engine})`, async () => {
      const large = Buffer.from(`{{counter}}${'x'.repeat(4 << 20)}{{random}}`);
      const got = await received(run, { bodies: [large], loop: closed(4), stop: requests(12) });
      const fill = bodyFiller(parseTemplate(large, 'large'), 5);
      const wanted = Array.from({ length: 12 }, (_, number) => fill(number).toString());
      assert.ok(got.sort().every((text, index) => text === wanted[index]));
    });

    it(`sends its braces as they are where nobody asked for a template (${engine})`, async () => {
      const got = await received(run, { template: false, loop: closed(1), stop: requests(3) });
      assert.ok(got.every((text) => bodies.some((body) => body.toString() === text)));
    });
  }
});
