// An OpenAI-compatible server with known token times, for tests: chat and completions as event streams.
// usage: node openai-server.mjs --port N [--first ms] [--gap ms] [--tokens N] [--fault name] [--record file]
import { appendFileSync } from 'node:fs';
import { createServer } from 'node:http';
import process from 'node:process';
import { setTimeout as delay } from 'node:timers/promises';
import { parseArgs } from 'node:util';

const { values: options } = parseArgs({
  options: {
    port: { type: 'string', default: '0' },
    first: { type: 'string', default: '0' },
    gap: { type: 'string', default: '0' },
    tokens: { type: 'string', default: '5' },
    fault: { type: 'string', default: '' },
    // A line of JSON for each request: its body, and when its tokens were written.
    record: { type: 'string', default: '' },
  },
});
const { fault } = options;
const tokens = Number(options.tokens);

function chunk(chat, text, more = {}) {
  const choice = chat ? { index: 0, delta: { content: text } } : { index: 0, text };
  return { id: 'fake', object: 'chunk', choices: [{ ...choice, finish_reason: null, ...more }] };
}

function event(response, document) {
  response.write(`data: ${typeof document === 'string' ? document : JSON.stringify(document)}\n\n`);
}

async function stream(response, chat, body) {
  response.setHeader('content-type', 'text/event-stream');
  const writtenNs = [];
  response.write(': hello\n\n');
  if (chat) event(response, chunk(true, ''));
  for (let token = 0; token < tokens; token++) {
    await delay(Number(token === 0 ? options.first : options.gap));
    if (fault === 'error-inside' && token === 2)
      return void response.end('data: {"error": {"message": "out of\\nmemory"}}\n\n');
    if (fault === 'ends-early' && token === 2) return void response.end();
    if (fault === 'breaks' && token === 2) return void response.destroy();
    if (fault === 'no-json' && token === 2) event(response, 'no JSON');
    writtenNs.push(Number(process.hrtime.bigint()));
    event(response, chunk(chat, ` t${token}`));
  }
  event(response, chunk(chat, '', { finish_reason: 'length' }));
  if (body.stream_options?.include_usage) {
    event(response, {
      id: 'fake',
      choices: [],
      usage: { prompt_tokens: 3, completion_tokens: tokens + (fault === 'two-a-piece' ? tokens : 0) },
    });
  }
  if (options.record !== '') appendFileSync(options.record, `${JSON.stringify({ body, writtenNs })}\n`);
  response.end('data: [DONE]\n\n');
}

function answer(request, response, text) {
  const { pathname } = new URL(request.url, 'http://host');
  if (pathname === '/v1/models') return void response.end('{"object":"list","data":[{"id":"fake-model"}]}');
  const chat = pathname === '/v1/chat/completions';
  if (!chat && pathname !== '/v1/completions') {
    response.statusCode = 404;
    return void response.end('{"error":{"message":"no such path"}}');
  }
  if (fault === 'busy') {
    response.statusCode = 503;
    return void response.end('{"error":{"message":"no room"}}');
  }
  const body = JSON.parse(text);
  if (fault === 'no-stream' || !body.stream) return void response.end('{"choices":[{"text":"all at once"}]}');
  stream(response, chat, body).catch(() => response.destroy());
}

const server = createServer((request, response) => {
  const chunks = [];
  request.on('data', (part) => chunks.push(part));
  request.on('end', () => answer(request, response, Buffer.concat(chunks).toString()));
});
server.listen(Number(options.port), '127.0.0.1', () => console.log(server.address().port));
