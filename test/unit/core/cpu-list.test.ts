/** Lists of CPUs: what is read, what is written, and what is refused. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { allowedCpus, cpusOfThreads, usableCpus } from '../../../lib/core/cpu-affinity.ts';
import { formatCpuList, parseCpuList } from '../../../lib/core/cpu-list.ts';

describe('a list of CPUs', () => {
  const lists: readonly [string, readonly number[], string][] = [
    ['0', [0], '0'],
    ['0-3,8', [0, 1, 2, 3, 8], '0-3,8'],
    ['8,1,0', [0, 1, 8], '0-1,8'],
    [' 2 , 4-5 ', [2, 4, 5], '2,4-5'],
    ['1,1-2,2', [1, 2], '1-2'],
  ];
  for (const [text, cpus, shortest] of lists) {
    it(`'${text}' is read and written`, () => {
      assert.deepEqual(parseCpuList(text), cpus);
      assert.equal(formatCpuList(cpus), shortest);
    });
  }

  const mistakes: readonly [string, RegExp][] = [
    ['', /^RangeError: '' in '' is no CPU/],
    ['0,', /'' in '0,' is no CPU: give numbers and ranges, such as 0-3,8/],
    ['0,x', /'x' in '0,x'/],
    ['0--2', /'0--2' in/],
    ['-1', /'-1' in/],
    ['1.5', /'1.5' in/],
    ['0-7:2', /'0-7:2' in/],
    ['99999', /'99999' in/],
    ['2,5-3', /'5-3' in '2,5-3' ends before it begins: give it as 3-5/],
  ];
  for (const [text, message] of mistakes) {
    it(`'${text}' is refused with the part that is wrong`, () => {
      assert.throws(() => parseCpuList(text), message);
    });
  }

  it('that a process may use is refused with what it may, if it names another', {
    skip: allowedCpus() === null,
  }, () => {
    const allowed = formatCpuList(allowedCpus() ?? []);
    assert.deepEqual(usableCpus(allowed), allowedCpus());
    const refused = /CPU 9999 of '\S+,9999' is not online or not allowed here: name some of ([\d,-]+)$/;
    assert.throws(
      () => usableCpus(`${allowed},9999`),
      (thrown: Error) => refused.exec(thrown.message)?.[1] === allowed,
    );
  });
});

describe('the CPUs of a process', () => {
  it('are read for each thread, and are unknown for a process that is gone', { skip: allowedCpus() === null }, () => {
    assert.ok(cpusOfThreads('self')?.every((list) => parseCpuList(list).length > 0));
    assert.equal(cpusOfThreads(2 ** 30), null);
  });
});
