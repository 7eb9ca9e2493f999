/** SIGKILL of each process of a study at each step of a trial, and a daemon that is wedged: how it ends, what it leaves. */
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { after, before, describe, it } from 'node:test';
import { KillTemplate } from './kill-stage.ts';
import { type Fault, faults, type Step, type StepName, steps, strike } from './kill-steps.ts';
import { outcomeOf, tableText } from './kill-text.ts';
import { errorLines, type StageRun, StudyStage, skipStage, until } from './study-stage.ts';

const page = new URL('../../docs/KILL-TABLE.md', import.meta.url);
const rewrites = process.env.MPSBENCH_UPDATE_GOLDEN === '1';

/** Who is there to be hit; `wedged` where the daemon is asked something. */
const table: readonly [StepName, readonly Fault[]][] = [
  ['checks', ['tool']],
  ['daemonStart', ['tool', 'daemon']],
  ['mpsServerStart', ['wedged', 'tool', 'daemon']],
  ['serverStart', ['tool', 'worker', 'front', 'mpsServer', 'daemon']],
  ['check', ['tool', 'worker', 'front', 'mpsServer', 'daemon']],
  ['proof', ['wedged', 'tool', 'daemon']],
  ['warmUp', ['tool', 'worker', 'front', 'mpsServer', 'daemon']],
  ['measurement', ['wedged', 'tool', 'worker', 'front', 'mpsServer', 'daemon']],
  ['serverStop', ['tool', 'worker', 'front', 'mpsServer', 'daemon']],
  ['daemonStop', ['wedged', 'tool', 'daemon']],
  ['record', ['tool']],
  ['report', ['tool']],
];

const outcomes = new Map<string, string>();
let template: KillTemplate;

describe('a study', { skip: skipStage, concurrency: 2 }, () => {
  before(async () => {
    template = await KillTemplate.make();
  });
  after(() => template[Symbol.dispose]());

  for (const [name, hit] of table) {
    for (const fault of hit) {
      const act = fault === 'wedged' ? faults[fault] : `${faults[fault]} is killed`;
      it(`keeps its finished trial and leaves nothing when ${act} in this step: ${steps[name].name}`, async () => {
        using stage = new StudyStage();
        const run = await heldAt(steps[name], stage);
        strike(fault, name, stage, run);
        const text = fault === 'tool' ? await afterKill(stage, run) : await afterFault(stage, run, name, fault);
        outcomes.set(`${name} ${fault}`, text);
      });
    }
  }
});

describe('docs/KILL-TABLE.md', { skip: skipStage }, () => {
  it('says what the tests above have seen', () => {
    const text = tableText(table, outcomes);
    if (rewrites) writeFileSync(page, text);
    assert.equal(readFileSync(page, 'utf8'), text, 'MPSBENCH_UPDATE_GOLDEN=1 accepts the change');
  });
});

async function heldAt(step: Step, stage: StudyStage): Promise<StageRun> {
  template.copyTo(stage);
  step.hold(stage, template.trialId);
  const run = stage.start(['study', '--resume', stage.out]);
  await until(step.name, run, () => step.reached(stage, template.trialId));
  return run;
}

/** The next start cleans, and the study is as if nothing had been. */
async function afterKill(stage: StudyStage, run: StageRun): Promise<string> {
  assert.equal((await run.result).status, null);
  template.assertFirstTrialIntact(stage);
  const cleaned = await resume(stage);
  const [, trial, ...more] = stage.trials();
  assert.deepEqual(more, []);
  assert.equal(trial?.attempt, 1);
  return cleaned === null ? 'nothing to clean' : `cleaned: ${cleaned}`;
}

/** The trial is what it is, the study goes on to its report; a trial that failed is run again. */
async function afterFault(stage: StudyStage, run: StageRun, step: StepName, fault: Fault): Promise<string> {
  if (fault !== 'wedged') template.restore(stage);
  const { status, stderr } = await run.result;
  stage.assertNothingLeft();
  template.assertFirstTrialIntact(stage);
  assert.deepEqual(errorLines(stderr), []);
  const [, trial, ...more] = stage.trials();
  assert.ok(trial && more.length === 0, stderr);
  const outcome = outcomeOf(trial);
  // Whether the study is valid without this trial is another question.
  assert.ok(status === 0 || status === 3, `status ${status}: ${stderr}`);
  if (outcome !== 'completed') assert.match(stderr, /2\/2 .* VOID /);
  template.restore(stage);
  if (trial.status === 'completed') await template.assertComplete(stage);
  // What a resume makes of a failed trial does not depend on where it failed; each fault once is enough.
  else if (step === 'measurement' || fault === 'wedged' || rewrites) assert.equal(await resume(stage), null);
  return outcome;
}

/** What it says it has cleaned; null = nothing. */
async function resume(stage: StudyStage): Promise<string | null> {
  template.restore(stage);
  const { status, stderr } = await stage.run(['study', '--resume', stage.out]);
  assert.ok(status === 0 || status === 3, stderr);
  await template.assertComplete(stage);
  stage.assertNothingLeft();
  const reasons =
    stage
      .trials()
      .at(-1)
      ?.reasons.map(({ code }) => code) ?? [];
  assert.ok(!reasons.includes('foreign-process') && !reasons.includes('memory-not-released'), reasons.join());
  const cleaned = [...stderr.matchAll(/^a killed mpsbench: cleaned .*\.json \((.*)\): /gm)];
  return cleaned.length === 0 ? null : cleaned.map(([, what]) => what).join(', ');
}
