/** A study whose load comes from another process: what the driver has at its end, and what it may ask for. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { environmentSchema } from '../../lib/records/environment.ts';
import { makeCertificate, noOpenssl } from '../fakes/certificate.ts';
import { fakeDeviceUuid } from '../fakes/fake-cuda.ts';
import { assertDone, RemoteStage, shortPlan } from './remote-stage.ts';
import { errorLines, skipStage, until } from './study-stage.ts';

/** Attachment is proved at the agent, so the arms are those of a host with a GPU. */
const withArms = shortPlan.replace("['off']", "['off', 'mps']").replace('fixed:2ms', 'auto');
const withTinyModel = withArms.replace("'auto'}", "'auto', model: tiny}");

describe('a study with its load sent from elsewhere', { skip: skipStage }, () => {
  it('leaves the driver the records of the agent, its own report, and a host as it was', async () => {
    using stage = new RemoteStage();
    const agent = await stage.agent(stage.configure(withTinyModel));
    const { status, stderr } = await stage.drive(agent.url, '--blocks', '1').result;
    assertDone(status, stderr);
    await stage.untilNothingRuns();
    const trials = stage.trials();
    assert.deepEqual(trials.map(({ cell }) => cell.arm).sort(), ['mps', 'off']);
    for (const { attachment, status: outcome, gpu, remote, use, load } of trials) {
      assert.equal(outcome, 'completed');
      assert.equal(attachment?.proved, true);
      assert.ok(gpu?.sampling);
      assert.ok(load && load.measurement.outcomes.ok > 0);
      assert.ok(remote && remote.clockErrorNs > 0 && remote.driver !== '');
      // Of the driver, which it told.
      assert.ok(use && (use.generatorCores ?? -1) >= 0);
    }
    const environment = environmentSchema.parse(JSON.parse(readFileSync(join(stage.out, 'environment.json'), 'utf8')));
    assert.equal(environment.gpu?.devices[0]?.uuid, fakeDeviceUuid);
    for (const name of ['trials.jsonl', 'manifest.json', ...namesOf(stage.out, 'series')])
      assert.deepEqual(readFileSync(join(stage.out, name)), readFileSync(join(stage.agentStudy(), name)), name);
    assert.ok(!readdirSync(stage.agentStudy()).includes('report.html'));
    const verified = await stage.run(['verify', stage.out]);
    assert.equal(verified.status, 0, verified.stdout + verified.stderr);
    assert.match(
      readFileSync(join(stage.out, 'report.md'), 'utf8'),
      /Load sent from.* its clock related to this host's within/,
    );
    agent.signal('SIGTERM');
    assert.equal((await agent.result).status, 130);
    await stage.assertNothingLeftSoon();
  });

  it('sends the bodies of the driver, which the agent never has', async () => {
    using stage = new RemoteStage();
    const agent = await stage.agent(stage.configure());
    writeFileSync(join(stage.root, 'body'), `secret-of-the-driver${'.'.repeat(5000)}`);
    const { status, stderr } = await stage.start([
      ...['study', 'short', '--agent', agent.url, '--out', stage.out, '--blocks', '1'],
      ...['--body', join(stage.root, 'body')],
    ]).result;
    assertDone(status, stderr);
    const [trial] = stage.trials();
    const measured = trial?.load?.measurement;
    assert.ok(measured && measured.requestBytes / measured.outcomes.ok > 5000);
    assert.ok((trial?.headroom?.calibration?.subject.requestBytes ?? 0) > 5000);
    const there = readdirSync(stage.agentStudy(), { recursive: true, withFileTypes: true });
    for (const file of there.filter((entry) => entry.isFile()))
      assert.ok(!readFileSync(join(file.parentPath, file.name)).includes('secret-of-the-driver'), file.name);
  });

  it('counts its offsets from the origin of the agent, whatever the wall clock of the driver says', async () => {
    using stage = new RemoteStage();
    const agent = await stage.agent(stage.configure());
    const shift =
      'const now=Date.now;Date.now=()=>now()+6e5;const D=Date;globalThis.Date=class extends D{constructor(...a){a.length?super(...a):super(now()+6e5)}};';
    const late = `--import data:text/javascript,${encodeURIComponent(shift)}`;
    const run = stage.start(['study', 'short', '--agent', agent.url, '--out', stage.out, '--blocks', '1'], {
      NODE_OPTIONS: late,
    });
    const { status, stderr } = await run.result;
    assertDone(status, stderr);
    for (const { startedAt, endedAt, load, remote } of stage.trials()) {
      const spanNs = 1e6 * (Date.parse(endedAt) - Date.parse(startedAt));
      const { startOffsetNs = 0, durationNs = 0 } = load?.measurement ?? {};
      // By the agent's own clock the measurement lies inside its trial, but for what the two clocks may differ.
      const slackNs = 2e6 + (remote?.clockErrorNs ?? 0);
      assert.ok(startOffsetNs > 0 && startOffsetNs + durationNs <= spanNs + slackNs);
    }
  });

  it('is behind TLS and a token: without them the driver is told so in one line', { skip: noOpenssl }, async () => {
    using stage = new RemoteStage();
    using certificate = makeCertificate();
    const file = (name: string, text: string): string => {
      const path = join(stage.root, name);
      writeFileSync(path, text, { mode: 0o600 });
      return path;
    };
    const token = file('token', `${'k'.repeat(48)}\n`);
    const [cert, key] = [file('cert.pem', certificate.cert), file('key.pem', certificate.key)];
    const lines = [`tokenFile: ${token}`, `tls: {certificateFile: ${cert}, keyFile: ${key}}`];
    const agent = await stage.agent(stage.configure(shortPlan, lines));
    const url = `https://localhost:${agent.port}`;
    const wrong = file('wrong', `${'w'.repeat(48)}\n`);
    for (const [args, message] of [
      [['--agent-token-file', token], /AGENT_LOST: .*--agent-ca/],
      [['--agent-ca', cert], /AGENT_REFUSED: .*--agent-token-file/],
      [['--agent-ca', cert, '--agent-token-file', wrong], /AGENT_REFUSED: .*--agent-token-file/],
    ] as const) {
      const refused = await stage.drive(url, ...args).result;
      assert.equal(refused.status, 1, refused.stderr);
      assert.match(errorLines(refused.stderr).join('\n'), message);
      assert.equal(errorLines(refused.stderr).length, 1);
    }
    const { status, stderr } = await stage.drive(url, '--agent-ca', cert, '--agent-token-file', token, '--blocks', '1')
      .result;
    assertDone(status, stderr);
  });

  it('refuses a second driver with the name of the first, and what a driver may not choose', async () => {
    using stage = new RemoteStage();
    const agent = await stage.agent(stage.configure());
    const first = stage.drive(agent.url, '--duration', '60s');
    await until('the first driver has a server to load', first, () => stage.started().length > 0);
    const other = join(stage.root, 'other');
    const ask = (...args: string[]) => stage.run(['study', ...args, '--agent', agent.url, '--out', other]);
    const second = await ask('short');
    assert.equal(second.status, 1);
    assert.match(
      second.stderr,
      new RegExp(`ALREADY_RUNNING: .*driven by \\S+ \\(PID ${first.child.pid}, user .*, since 20`),
    );
    for (const [args, status, message] of [
      [['short', '--server', 'command'], 2, /--server cannot be chosen with --agent/],
      [['short', '--quick'], 2, /--quick cannot be chosen with --agent/],
      [['short', '--client-cpus', '0'], 2, /--client-cpus cannot be chosen/],
      [['short', '--dry-run'], 2, /--dry-run needs the host of the GPU/],
    ] as const) {
      const refused = await ask(...args);
      assert.equal(refused.status, status, refused.stderr);
      assert.match(refused.stderr, message);
    }
    first.signal('SIGINT');
    assert.equal((await first.result).status, 130);
    // Interrupted, it ends once the agent has put its host back.
    assert.deepEqual(stage.started(), []);
    const unknown = await ask('tall');
    assert.match(unknown.stderr, /USAGE: .*has no plan 'tall': it has short/);
    const more = await ask('short', '--workers', '1,64');
    assert.match(more.stderr, /PLAN_INVALID: .*has no 64; choose among 1/);
  });
});

function namesOf(path: string, folder: string): string[] {
  return readdirSync(join(path, folder)).map((name) => join(folder, name));
}
