/** CPU time as /proc has it: what its lines mean, and that a process that works is seen to. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { parseCpuTimes, systemCpuTimes } from '../../../lib/core/cpu-time.ts';

const skip = process.platform === 'linux' ? false : 'there is no /proc';

describe('the CPU time of /proc/stat', () => {
  it('counts all but idling and waiting for disks as busy, and guests once', () => {
    const text = 'cpu  1 1 1 1 1 1 1 1 1 1\ncpu0 10 1 20 100 5 2 3 4 7 0\ncpu12 0 0 0 50 0 0 0 0 0 0\nintr 5\n';
    assert.deepEqual(
      parseCpuTimes(text),
      new Map([
        [0, { busyNs: 400_000_000, totalNs: 1_450_000_000 }],
        [12, { busyNs: 0, totalNs: 500_000_000 }],
      ]),
    );
  });

  it('is unknown where there is none', () => assert.equal(parseCpuTimes(''), null));
});

describe('the CPU time of a process', { skip }, () => {
  it('grows with its work, in all and in the thread that does it', () => {
    const mainUsed = (): number => systemCpuTimes.ofThreads(process.pid)?.get(process.pid) ?? Number.NaN;
    const allUsed = (): number => systemCpuTimes.ofProcess(process.pid)?.usedNs ?? Number.NaN;
    const [mainBefore, allBefore] = [mainUsed(), allUsed()];
    const giveUpNs = systemCpuTimes.ofSelf() + 5e9;
    // The kernel rounds user and system time of a thread and of its process each by itself, so one may be ticks behind.
    const grown = (): boolean => mainUsed() - mainBefore >= 50_000_000 && allUsed() - allBefore >= 50_000_000;
    while (!grown() && systemCpuTimes.ofSelf() < giveUpNs);
    assert.ok(mainUsed() - mainBefore >= 50_000_000, 'the busy thread is seen');
    assert.ok(allUsed() - allBefore >= 50_000_000, 'the process is seen');
  });

  it('is unknown of a process that is not there', () => {
    assert.equal(systemCpuTimes.ofProcess(2 ** 22 + 1), null);
    assert.equal(systemCpuTimes.ofThreads(2 ** 22 + 1), null);
  });
});
