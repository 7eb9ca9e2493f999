/** An agent with its driver on one host of fakes, for tests of remote studies: both as users start them. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { existsSync, readdirSync, writeFileSync } from 'node:fs';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { join } from 'node:path';
import { poll } from '../../lib/core/clock.ts';
import { milliseconds, seconds } from '../../lib/core/units.ts';
import { type StageRun, StudyStage, until } from './study-stage.ts';

/** Of the agent's plan; short, and with room for what a test does to it meanwhile. */
export const shortPlan = `
name: remote
workers: [1]
batchSizes: [1]
arms: ['off']
blocks: 2
# Whether a trial is void is a matter of this machine's speed, unless a test makes it void.
retries: 0
server: {kind: embedded, workload: 'fixed:2ms'}
load: {duration: 300ms, warmup: 100ms}
`;

/** Whether the trials are valid is a matter of this machine's speed. */
export function assertDone(status: number | null, stderr: string): void {
  assert.ok(status === 0 || status === 3, `status ${status}; stderr:\n${stderr}`);
}

export class RemoteStage extends StudyStage {
  readonly studies = join(this.root, 'studies');
  #agents = 0;

  /** Lines of YAML after those that every agent here has. */
  configure(plan: string = shortPlan, lines: readonly string[] = [], leaseTimeout = '30s'): string {
    writeFileSync(join(this.root, 'plan.yaml'), plan);
    const path = join(this.root, `agent-${++this.#agents}.yaml`);
    const studies = `studies: {directory: ${this.studies}, leaseTimeout: ${leaseTimeout}}`;
    writeFileSync(path, ['plans: {short: plan.yaml}', studies, ...lines].join('\n'));
    return path;
  }

  /** Starts an agent and waits until it listens; `url` is where. */
  async agent(configuration: string, port = 0): Promise<RunningAgent> {
    const run = this.start(['agent', '--config', configuration, '--port', String(port)]);
    let printed = '';
    run.child.stdout?.on('data', (chunk: Buffer) => {
      printed += chunk.toString('utf8');
    });
    await until('the agent listens', run, () => printed.includes('\n'));
    const url = /https?:\/\/\S+/.exec(printed)?.[0] ?? '';
    return { ...run, url, port: Number(new URL(url).port) };
  }

  /** Starts a driver of the agent's plan, whose copy of the study goes to `out`. */
  drive(url: string, ...args: readonly string[]): StageRun {
    return this.start(['study', 'short', '--agent', url, '--out', this.out, ...args]);
  }

  /** What a study has started: servers with their workers, daemons. */
  started(): string[] {
    return this.processes()
      .map(({ text }) => text)
      .filter((text) => text.includes('front-main') || text.includes('worker-main') || text.includes('mps-control'));
  }

  async untilNothingRuns(): Promise<void> {
    const isGone = (): true | undefined => (this.started().length === 0 ? true : undefined);
    await poll(isGone, { everyNs: milliseconds(20), forNs: seconds(40) });
    assert.deepEqual(this.started(), []);
  }

  /** Requests that the agent's server has taken; 0 while there is none. */
  async servedThere(): Promise<number> {
    const names = existsSync(this.studies) ? readdirSync(this.studies) : [];
    return names[0] === undefined ? 0 : await this.servedRequests(join(this.studies, names[0]));
  }

  /** The one study of the agent. */
  agentStudy(): string {
    const names = existsSync(this.studies) ? readdirSync(this.studies) : [];
    assert.equal(names.length, 1, `studies of the agent: ${names.join(', ')}`);
    return join(this.studies, names[0] ?? '');
  }
}

export interface RunningAgent extends StageRun {
  readonly url: string;
  readonly port: number;
}

/** A link that can be cut: what is connected is ended, and new connections are refused in silence until it is mended. */
export class Link implements AsyncDisposable {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  #isCut = false;

  private constructor(server: Server) {
    this.#server = server;
  }

  static async to(port: number): Promise<Link> {
    const server = createServer();
    const link = new Link(server);
    server.on('connection', (near) => link.#join(near, port));
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return link;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  cut(): void {
    this.#isCut = true;
    for (const socket of this.#sockets) socket.destroy();
  }

  mend(): void {
    this.#isCut = false;
  }

  #join(near: Socket, port: number): void {
    if (this.#isCut) return void near.destroy();
    const far = connect(port, '127.0.0.1');
    for (const socket of [near, far]) {
      this.#sockets.add(socket);
      socket.on('error', () => socket.destroy());
      socket.on('close', () => {
        this.#sockets.delete(socket);
        near.destroy();
        far.destroy();
      });
    }
    near.pipe(far).pipe(near);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.cut();
    this.#server.close();
    await once(this.#server, 'close');
  }
}
