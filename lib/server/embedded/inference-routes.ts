/** The inference port: predictions and ping. Per request it hashes the body as it comes and keeps nothing of it. */
import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import { BodyHash } from './body-hash.ts';
import { HttpProblem, methodNotAllowed, sendJson, sendProblem, sendText, unknownPath } from './http-reply.ts';
import type { ModelRegistry } from './model-registry.ts';
import type { Prediction } from './served-model.ts';

/** TorchServe's max_request_size. */
export const maxRequestBytes = 6_553_500;
// The rest of an oversized body is read and dropped, so that the client gets to see the reply; up to here.
const maxDiscardedBytes = 64 * 1024 * 1024;

/** What both ports look at to know whether the server is on its way out. */
export interface ServingState {
  draining: boolean;
}

export function inferenceListener(registry: ModelRegistry, state: ServingState): RequestListener {
  return (request, response) => {
    const exchange = new Exchange(response, state);
    request.on('data', (chunk: Uint8Array) => exchange.receive(chunk));
    request.on('end', () => {
      try {
        if (!response.headersSent) route(registry, state, request, exchange);
      } catch (thrown) {
        sendProblem(response, thrown);
      }
    });
  };
}

/** One request and the way back to its client. A client that left gets nothing; writing to it does no harm. */
class Exchange extends BodyHash implements Prediction {
  readonly response: ServerResponse;
  readonly #state: ServingState;

  constructor(response: ServerResponse, state: ServingState) {
    super();
    this.response = response;
    this.#state = state;
  }

  receive(chunk: Uint8Array): void {
    if (this.sizeBytes <= maxRequestBytes) this.update(chunk);
    else this.sizeBytes += chunk.length;
    if (this.sizeBytes > maxDiscardedBytes && !this.response.headersSent) sendProblem(this.response, tooLarge());
  }

  answer(text: string): void {
    sendText(this.response, 200, text, this.#state.draining);
  }

  workerDied(): void {
    sendProblem(this.response, new HttpProblem(500, 'InternalServerException', 'Worker died.'));
  }

  unserved(): void {
    sendProblem(this.response, unavailable('The model is being unregistered.'));
  }
}

function route(registry: ModelRegistry, state: ServingState, request: IncomingMessage, exchange: Exchange): void {
  if (exchange.sizeBytes > maxRequestBytes) throw tooLarge();
  const url = request.url ?? '/';
  const query = url.indexOf('?');
  const path = query < 0 ? url : url.slice(0, query);
  if (path === '/ping') {
    ping(registry, state, request, exchange.response);
    return;
  }
  const [, root, name, version] = path.split('/', 4);
  if (root !== 'predictions' || name === undefined || name === '') throw unknownPath();
  if (request.method !== 'POST' && request.method !== 'PUT') throw methodNotAllowed(request);
  if (state.draining) throw unavailable('The server is shutting down.');
  const accepted = registry.find(name, version).accept(exchange);
  if (accepted === 'no-worker') {
    throw unavailable(
      `Model "${name}" has no worker to serve inference request. Please use scale workers API to add workers.`,
    );
  }
  if (accepted === 'full') throw unavailable(`Model "${name}" has a full queue; send less or raise the queue limit.`);
}

function ping(registry: ModelRegistry, state: ServingState, request: IncomingMessage, response: ServerResponse): void {
  if (request.method !== 'GET' && request.method !== 'HEAD') throw methodNotAllowed(request);
  const healthy = !state.draining && registry.models.every((model) => model.healthy);
  sendJson(response, healthy ? 200 : 500, { status: healthy ? 'Healthy' : 'Unhealthy' }, state.draining);
}

function unavailable(message: string): HttpProblem {
  return new HttpProblem(503, 'ServiceUnavailableException', message);
}

function tooLarge(): HttpProblem {
  return new HttpProblem(413, 'RequestEntityTooLargeException', `The request is larger than ${maxRequestBytes} bytes.`);
}
