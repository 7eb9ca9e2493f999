/** Activity of the SMs by the shipped addon over the fake driver: a figure, or the reason why there is none. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { openGpu } from '../../lib/gpu/session.ts';
import { type FakeDriver, fakeLibrary, fakeScenario } from './fake-nvml.ts';

const sampleGet = 'nvmlGpmSampleGet';

describe('the activity of the SMs', () => {
  it('is that between begin and end, for which each reads the device once', () => {
    using scenario = fakeScenario('gpu', 'uuid GPU-a', 'gpu', 'uuid GPU-b', 'sm-activity 40');
    {
      using session = openGpu({ nvmlPath: fakeLibrary() });
      session.beginActivity(1);
      assert.equal(scenario.callsOf(sampleGet), 1);
      scenario.play('gpu', 'uuid GPU-a', 'gpu', 'uuid GPU-b', 'sm-activity 90.5');
      assert.deepEqual(session.endActivity(), { smActivityPercent: 65.25, unavailable: {} });
      assert.equal(scenario.callsOf(sampleGet), 2);
    }
    assert.equal(scenario.callsOf('nvmlGpmSampleFree'), scenario.callsOf('nvmlGpmSampleAlloc'));
  });

  const reasons: readonly (readonly [string, FakeDriver, readonly string[], string, string])[] = [
    ['a device without the counters', 'current', ['gpu'], 'not-supported', 'nvmlGpmQueryDeviceSupport'],
    ['a driver without them', 'r535', ['gpu', 'sm-activity 1'], 'symbol-missing', 'nvmlGpmQueryDeviceSupport'],
    [
      'a user who may not read them',
      'current',
      ['gpu', 'sm-activity 1', `return ${sampleGet} 4`],
      'no-permission',
      sampleGet,
    ],
    [
      'figures that cannot be made of the samples',
      'current',
      ['return nvmlGpmMetricsGet 21', 'gpu', 'sm-activity 1'],
      'no-data',
      'nvmlGpmMetricsGet',
    ],
  ];
  for (const [what, driver, lines, reason, source] of reasons) {
    it(`is unknown with ${what}, and the reason is told`, () => {
      using _scenario = fakeScenario(...lines);
      using session = openGpu({ nvmlPath: fakeLibrary(driver) });
      session.beginActivity(0);
      const { smActivityPercent, unavailable } = session.endActivity();
      assert.equal(smActivityPercent, null);
      assert.deepEqual(
        [unavailable.smActivityPercent?.reason, unavailable.smActivityPercent?.source],
        [reason, source],
      );
    });
  }

  it('was not asked for before its begin, and can be asked for again', () => {
    using _scenario = fakeScenario('gpu', 'sm-activity 30');
    using session = openGpu({ nvmlPath: fakeLibrary() });
    assert.equal(session.endActivity().unavailable.smActivityPercent?.reason, 'not-asked');
    for (let time = 0; time < 2; time++) {
      session.beginActivity(0);
      assert.equal(session.endActivity().smActivityPercent, 30);
    }
    assert.throws(() => session.beginActivity(1), TypeError);
    session.close();
    assert.throws(() => session.beginActivity(0), { code: 'GPU_CLOSED' });
    assert.throws(() => session.endActivity(), { code: 'GPU_CLOSED' });
  });
});
