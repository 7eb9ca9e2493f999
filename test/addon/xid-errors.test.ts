/** Xid errors by the shipped addon over the fake driver: numbers, or the reason why there are none. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { openGpu } from '../../lib/gpu/session.ts';
import { xidErrorsSchema } from '../../lib/records/xid-errors.ts';
import { fakeLibrary, fakeScenario } from './fake-nvml.ts';

describe('the Xid errors of a device', () => {
  it('are those since the begin of the watch, in their order', () => {
    using scenario = fakeScenario('gpu', 'xid 13');
    {
      using session = openGpu({ nvmlPath: fakeLibrary() });
      session.beginXidWatch(0);
      scenario.play('gpu', 'xid 13 31', 'xid 43');
      assert.deepEqual(xidErrorsSchema.parse(session.endXidWatch()), { xids: [31, 43], unavailable: {} });
      session.beginXidWatch(0);
      assert.deepEqual(session.endXidWatch(), { xids: [], unavailable: {} });
      session.beginXidWatch(0);
    }
    assert.equal(scenario.callsOf('nvmlEventSetFree'), 3);
  });

  for (const [code, reason] of [
    [3, 'not-supported'],
    [4, 'no-permission'],
  ] as const) {
    it(`are unknown with the reason where the driver answers ${code}`, () => {
      using _scenario = fakeScenario(`return nvmlDeviceRegisterEvents ${code}`, 'gpu');
      using session = openGpu({ nvmlPath: fakeLibrary() });
      session.beginXidWatch(0);
      assert.deepEqual(xidErrorsSchema.parse(session.endXidWatch()), {
        xids: null,
        unavailable: { xids: { reason, source: 'nvmlDeviceRegisterEvents', nativeCode: code } },
      });
    });
  }

  it('were not asked for without a begin, of devices that there are', () => {
    using _scenario = fakeScenario('gpu');
    using session = openGpu({ nvmlPath: fakeLibrary() });
    assert.equal(session.endXidWatch().unavailable.xids?.reason, 'not-asked');
    assert.throws(() => session.beginXidWatch(1), TypeError);
    session.close();
    assert.throws(() => session.beginXidWatch(0), { code: 'GPU_CLOSED' });
    assert.throws(() => session.endXidWatch(), { code: 'GPU_CLOSED' });
  });
});
