/** What the real TorchServe answers to what the adapter asks: kept as a fixture, from which the fake program answers. */
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { basename } from 'node:path';
import process from 'node:process';
import { describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { emergencyStops } from '../../lib/core/emergency.ts';
import { seconds } from '../../lib/core/units.ts';
import { torchserveServerSchema } from '../../lib/records/server-plans/torchserve.ts';
import { TorchserveFrontEnd } from '../../lib/server/torchserve/front-end.ts';
import { freePorts } from '../../lib/server/torchserve/ports.ts';
import { makeArchive, newLogs, scratchDirectory, skipReason, torchserveProgram } from './real-torchserve.ts';

const fixture = fileURLToPath(new URL('../fixtures/torchserve/exchanges.json', import.meta.url));
const scratch = scratchDirectory();

/** What differs from run to run is taken out. */
function steady(text: string): string {
  return text
    .replace(/"pid": \d+/g, '"pid": 0')
    .replace(/"startTime": "[^"]*"/g, '"startTime": ""')
    .replace(/hostname="[^"]*"/gi, (found) => `${found.split('=')[0]}="host"`);
}

function start(model: string): Promise<TorchserveFrontEnd> {
  const plan = torchserveServerSchema.parse({ kind: 'torchserve', model, torchserve: torchserveProgram });
  const environment = {};
  const signal = new AbortController().signal;
  const common = { workers: 1, batchSize: 1, environment, unsetEnvironment: [], deviceUuid: null, signal };
  const limits = { readyTimeoutNs: seconds(120), emergency: emergencyStops(), logDirectory: newLogs(scratch) };
  return TorchserveFrontEnd.start(plan, { ...common, ...limits }, freePorts);
}

describe('the recorded exchanges', { skip: skipReason }, () => {
  it('are what the real TorchServe answers', async () => {
    const full = basename(makeArchive(scratch, 'roomForOne'));
    await using frontEnd = await start(makeArchive(scratch, 'echo'));
    const { managementUrl, inferenceUrl, metricsUrl } = frontEnd;
    const models = `${managementUrl}/models`;
    const asked: Record<string, readonly ['GET' | 'POST' | 'PUT', string]> = {
      listed: ['GET', models],
      registered: ['POST', `${models}?url=echo.mar&model_name=m&initial_workers=1&synchronous=true`],
      described: ['GET', `${models}/m`],
      predicted: ['POST', `${inferenceUrl}/predictions/m`],
      counted: ['GET', `${metricsUrl}/metrics?name[]=ts_inference_requests_total&name[]=PredictionTime_count`],
      scaled: ['PUT', `${models}/m?min_worker=2&max_worker=2&synchronous=true`],
      unknownArchive: ['POST', `${models}?url=absent.mar&model_name=n&initial_workers=1&synchronous=true`],
      registeredWithRoom: ['POST', `${models}?url=${full}&model_name=f&initial_workers=1&synchronous=true`],
      scaledWithoutRoom: ['PUT', `${models}/f?min_worker=2&max_worker=2&synchronous=true`],
      registeredWithoutRoom: ['POST', `${models}?url=${full}&model_name=g&initial_workers=1&synchronous=true`],
    };
    const answers: Record<string, { status: number; text: string }> = {};
    for (const [name, [method, url]] of Object.entries(asked)) {
      const body = name === 'predicted' ? { body: new TextEncoder().encode('four') } : {};
      const { status, text } = await frontEnd.ask(url, { method, timeoutNs: seconds(120), ...body });
      // Metrics come in any order.
      const lines = steady(text).split('\n');
      answers[name] = { status, text: (name === 'counted' ? lines.sort() : lines).join('\n') };
    }
    if (process.env.MPSBENCH_UPDATE_GOLDEN) writeFileSync(fixture, `${JSON.stringify(answers, null, 2)}\n`);
    assert.deepEqual(answers, JSON.parse(readFileSync(fixture, 'utf8')));
  });
});
