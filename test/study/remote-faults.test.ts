/** What becomes of a remote study when the driver, the agent or the link between them goes away. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { systemClock } from '../../lib/core/clock.ts';
import { milliseconds, ns } from '../../lib/core/units.ts';
import { mostToldAfterNs } from '../../lib/remote/order-desk.ts';
import { assertDone, Link, RemoteStage, shortPlan } from './remote-stage.ts';
import { errorLines, skipStage, until } from './study-stage.ts';

/** A measurement that lasts until the test has done what it does to it. */
const longTrials = shortPlan.replace('duration: 300ms', 'duration: 90s');

describe('a remote study', { skip: skipStage }, () => {
  it('ends on the agent when the driver is killed, and the host is put back', async () => {
    using stage = new RemoteStage();
    const agent = await stage.agent(stage.configure(longTrials, [], '2s'));
    const driver = stage.drive(agent.url);
    await until('the server is loaded', driver, () => driver.stderr().includes('measure') || loaded(stage));
    driver.signal('SIGKILL');
    await driver.result;
    await stage.untilNothingRuns();
    // The seat is free: the next driver is only told of what it asks for.
    const next = await stage.run(['study', 'tall', '--agent', agent.url, '--out', join(stage.root, 'next')]);
    assert.match(next.stderr, /has no plan 'tall'/);
  });

  it('ends in one line when the agent is killed, and goes on with a new one by --resume', async () => {
    using stage = new RemoteStage();
    const configuration = stage.configure(shortPlan.replace('blocks: 2', 'blocks: 3'), [], '2s');
    const agent = await stage.agent(configuration);
    const driver = stage.drive(agent.url);
    await until('a trial is in the copy', driver, () => stage.trials().length > 0);
    agent.signal('SIGKILL');
    const { status, stderr } = await driver.result;
    assert.equal(status, 1, stderr);
    assert.equal(errorLines(stderr).length, 1, stderr);
    assert.match(stderr, /AGENT_LOST: the agent at \S+ gave no answer for 2 s/);
    assert.match(stderr, /finished trials are kept: mpsbench study --resume/);
    const kept = stage.trials();
    assert.ok(kept.length > 0);
    const again = await stage.agent(configuration);
    const resumed = await stage.run(['study', '--resume', stage.out, '--agent', again.url]);
    assertDone(resumed.status, resumed.stderr);
    assert.deepEqual(stage.trials().slice(0, kept.length), kept);
    assert.equal(new Set(stage.trials().map(({ trialId }) => trialId)).size, 3);
    assert.equal((await stage.run(['verify', stage.out])).status, 0);
  });

  it('is taken up again by the driver itself when the agent is restarted', async () => {
    using stage = new RemoteStage();
    const configuration = stage.configure(shortPlan.replace('blocks: 2', 'blocks: 3'));
    const agent = await stage.agent(configuration);
    const driver = stage.drive(agent.url);
    await until('a trial is in the copy', driver, () => stage.trials().length > 0);
    agent.signal('SIGKILL');
    await agent.result;
    await stage.agent(configuration, agent.port);
    const { status, stderr } = await driver.result;
    assertDone(status, stderr);
    assert.match(stderr, /taken up again: /);
    assert.equal(new Set(stage.trials().map(({ trialId }) => trialId)).size, 3);
    assert.deepEqual(
      readFileSync(join(stage.out, 'trials.jsonl')),
      readFileSync(join(stage.agentStudy(), 'trials.jsonl')),
    );
  });

  it('loses no more than the trial in hand to a link that breaks for a while', async () => {
    using stage = new RemoteStage();
    const agent = await stage.agent(stage.configure());
    await using link = await Link.to(agent.port);
    const driver = stage.drive(link.url);
    await until('a trial is in the copy', driver, () => stage.trials().length > 0);
    link.cut();
    await until('the server of the next trial waits for its load', driver, () => stage.started().length > 0);
    link.mend();
    const { status, stderr } = await driver.result;
    assertDone(status, stderr);
    const trials = stage.trials();
    assert.equal(new Set(trials.map(({ trialId }) => trialId)).size, 2);
    for (const { status: outcome, reasons } of trials)
      assert.ok(outcome === 'completed' || reasons.some(({ code }) => code === 'link-broken'), JSON.stringify(reasons));
  });

  it('runs a trial again of which the link did not let the end be told', async () => {
    using stage = new RemoteStage();
    const plan = shortPlan.replace('blocks: 2', 'blocks: 1').replace('retries: 0', 'retries: 1');
    const agent = await stage.agent(stage.configure(plan.replace('duration: 300ms', 'duration: 1s')));
    await using link = await Link.to(agent.port);
    // The load goes to the server itself; the link has the messages alone.
    const driver = stage.drive(link.url);
    await until('the server is loaded', driver, async () => (await stage.servedThere()) > 20);
    link.cut();
    let last = 0;
    await until('the load is over', driver, async () => {
      const before = last;
      last = await stage.servedThere();
      await systemClock.sleep(milliseconds(300));
      return last === before;
    });
    await systemClock.sleep(ns(1.2 * mostToldAfterNs));
    link.mend();
    const { status, stderr } = await driver.result;
    assertDone(status, stderr);
    const [first, second] = stage.trials();
    assert.deepEqual([first?.status, first?.reasons[0]?.code, first?.attempt], ['failed', 'link-broken', 1]);
    assert.deepEqual([second?.status, second?.attempt], ['completed', 2]);
  });
});

/** The agent's server has taken more requests than its checks. */
function loaded(stage: RemoteStage): boolean {
  return stage.started().length > 1;
}
