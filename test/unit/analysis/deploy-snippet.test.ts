/** What is to be copied for each kind of server: complete, quoted, and a shell can read it. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { describe, it } from 'node:test';
import { deploySnippets } from '../../../lib/analysis/deploy-snippet.ts';
import { type ServerPlan, serverPlanSchema } from '../../../lib/records/plan.ts';

const uuid = 'GPU-01234567-89ab-cdef-0123-456789abcdef';
const cell = { workers: 4, batchSize: 8, arm: 'mps:50' };

function snippets(server: unknown, arm = 'mps:50', deviceUuid: string | null = uuid) {
  const plan: ServerPlan = serverPlanSchema.parse(server);
  return deploySnippets({ ...cell, arm }, plan, deviceUuid);
}
const textOf = (found: readonly { readonly text: string }[]): string => found.map((one) => one.text).join('\n');

const servers: Readonly<Record<string, unknown>> = {
  embedded: { kind: 'embedded', workload: 'cuda', model: 'bert-base' },
  torchserve: { kind: 'torchserve', model: '/models/it is.mar', config: { number_of_netty_threads: '8' } },
  kserve: {
    kind: 'kserve',
    model: 'bert',
    launch: 'tritonserver --http-port {port} --model-repository /m',
    processes: 'one',
  },
  openai: { kind: 'openai', launch: 'vllm serve model --port {port} --max-num-seqs {batchSize}' },
  command: {
    kind: 'command',
    launch: ['python', 'serve.py', '--port', '{port}', "--title=it's; $(rm -rf x)", '--brace={{port}}'],
    environment: { BATCH: '{batchSize}', DEVICE: '{deviceUuid}' },
  },
  attached: {
    kind: 'attached',
    endpoints: [{ url: 'http://127.0.0.1:8000/p', workers: 4, batchSize: 8, arm: 'mps:50' }],
  },
};

describe('deploySnippets', () => {
  for (const [kind, server] of Object.entries(servers)) {
    it(`gives daemon, environment and server of kind ${kind}, which a shell can read`, () => {
      const found = snippets(server);
      const text = textOf(found);
      assert.match(text, /nvidia-cuda-mps-control -d/);
      assert.match(text, /CUDA_MPS_ACTIVE_THREAD_PERCENTAGE=50/);
      assert.match(text, /echo quit \| nvidia-cuda-mps-control/);
      assert.ok(text.includes(uuid));
      for (const one of found.filter((snippet) => snippet.language === 'sh')) {
        const { status, stderr } = spawnSync('sh', ['-n'], { input: one.text, encoding: 'utf8' });
        assert.equal(status, 0, `${one.title}: ${stderr}`);
      }
    });
  }

  it('has no daemon for arm off, and a directory where there is none', () => {
    const text = textOf(snippets(servers.embedded, 'off'));
    assert.doesNotMatch(text, /nvidia-cuda-mps-control/);
    assert.match(text, /CUDA_MPS_PIPE_DIRECTORY=\/nonexistent/);
  });

  it('leaves the share out for plain mps, and everything of a GPU where there is none', () => {
    assert.doesNotMatch(textOf(snippets(servers.embedded, 'mps')), /PERCENTAGE/);
    assert.doesNotMatch(textOf(snippets(servers.embedded, 'off', null)), /CUDA|--device/);
  });

  it('registers and scales the model of TorchServe, with the plan’s lines of config.properties', () => {
    const text = textOf(snippets(servers.torchserve));
    assert.match(text, /number_of_netty_threads=8/);
    assert.match(text, /curl -X POST '.*models\?url=it\+is\.mar&.*batch_size=8.*initial_workers=4/);
    assert.match(text, /curl -X PUT '.*min_worker=4&max_worker=4/);
    assert.match(text, /--model-store \/models/);
  });

  it('sets instances and batch size of Triton', () => {
    const text = textOf(snippets(servers.kserve));
    assert.match(
      text,
      /max_batch_size: 8\n.*preferred_batch_size: \[ 8 \].*\n.*instance_group \[ \{ count: 4 kind: KIND_GPU \} \]/,
    );
  });

  it('fills in the cell, leaves what each start chooses to variables, and quotes what the plan says', () => {
    const text = textOf(snippets(servers.command));
    assert.match(text, /BATCH=8 /);
    assert.match(text, new RegExp(`DEVICE=${uuid}`));
    assert.ok(text.includes(`--port "$PORT"`));
    assert.ok(text.includes(`'--title=it'\\''s; $(rm -rf x)'`));
    assert.match(text, /for each of the 4 workers/);
    const words = `PORT=81; set -- ${text
      .split('\n')
      .at(-3)
      ?.replace(/^\S+ \S+ /, '')}; printf '%s|' "$@"`;
    const echoed = spawnSync('sh', ['-c', words], { encoding: 'utf8' }).stdout;
    assert.equal(echoed, "python|serve.py|--port|81|--title=it's; $(rm -rf x)|--brace={port}|");
  });
});
