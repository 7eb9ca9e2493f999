/** Ctrl-C and its kin at every moment of `mpsbench context`: status 130, no process, daemon or journal left. */
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { errorLines, type StageRun, StudyStage, skipStage, until } from './study-stage.ts';

const runs = (stage: StudyStage, program: string): boolean =>
  stage.processes().some(({ text }) => text.includes(program));
const hasJournal = (stage: StudyStage): boolean => existsSync(join(stage.stateDirectory, 'journal'));

interface Moment {
  readonly name: string;
  readonly arm: string;
  readonly prepare?: (stage: StudyStage) => void;
  readonly reached: (stage: StudyStage) => boolean;
}

const moments: readonly Moment[] = [
  {
    name: 'the checks of the host',
    arm: 'off',
    prepare: (stage) => stage.playCuda(['hang cuInit 60000']),
    reached: (stage) => runs(stage, 'context-probe-child'),
  },
  {
    name: 'the start of the daemon',
    arm: 'mps',
    prepare: (stage) => stage.playMps({ hang: ['-d'] }),
    reached: (stage) => hasJournal(stage) && runs(stage, 'nvidia-cuda-mps-control'),
  },
  { name: 'the holding of contexts', arm: 'mps', reached: (stage) => stage.contextHolders().length > 0 },
];

async function startedUntil(stage: StudyStage, { arm, name, prepare, reached }: Moment): Promise<StageRun> {
  prepare?.(stage);
  const run = stage.start(['context', '--clients', '3', '--repeats', '50', '--sharing', arm]);
  await until(name, run, () => reached(stage));
  return run;
}

describe('mpsbench context that is interrupted', { skip: skipStage, concurrency: 2 }, () => {
  for (const moment of moments) {
    for (const target of ['process', 'group'] as const) {
      it(`in ${moment.name} by SIGINT to the ${target} ends with 130 and leaves nothing`, async () => {
        using stage = new StudyStage();
        const run = await startedUntil(stage, moment);
        run.signal('SIGINT', target);
        const { status, stdout, stderr } = await run.result;
        stage.assertNothingLeft();
        assert.deepEqual([status, stdout], [130, ''], stderr);
        assert.deepEqual(errorLines(stderr), []);
      });
    }
  }

  it('twice in a row ends at once and leaves nothing', async () => {
    using stage = new StudyStage();
    const run = await startedUntil(stage, moments[2] as Moment);
    run.signal('SIGINT');
    await until('it says that it stops', run, () => run.stderr().includes('press again'));
    run.signal('SIGINT');
    assert.equal((await run.result).status, 130);
    await stage.assertNothingLeftSoon();
  });

  it('by SIGKILL leaves clients that end by themselves, and a daemon that the next start stops', async () => {
    using stage = new StudyStage();
    const run = await startedUntil(stage, moments[2] as Moment);
    run.signal('SIGKILL');
    await run.result;
    const next = await stage.run(['context', '--clients', '1', '--repeats', '1', '--sharing', 'off']);
    assert.equal(next.status, 0, next.stderr);
    assert.match(next.stderr, /^a killed mpsbench: cleaned /m);
    await stage.assertNothingLeftSoon();
  });
});
