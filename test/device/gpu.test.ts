/** The real driver, by relations and never by figures. Skips where no driver can be opened. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { describe, it } from 'node:test';
import { systemClock } from '../../lib/core/clock.ts';
import { milliseconds, seconds } from '../../lib/core/units.ts';
import { openGpu, tryOpenGpu } from '../../lib/gpu/session.ts';
import { type GpuSnapshot, gpuSnapshotSchema } from '../../lib/records/gpu.ts';

const access = tryOpenGpu();
const skip = 'unavailable' in access ? `${access.unavailable.code}: ${access.unavailable.message}` : false;
if ('session' in access) access.session.close();
if (skip) console.log(`# skipped: ${skip}`);

const mib = 1024 ** 2;
const smi = nvidiaSmi();

function snapshotNow(): GpuSnapshot {
  using session = openGpu();
  return gpuSnapshotSchema.parse(session.snapshot({ withEnergy: true }));
}

describe('the GPU of this host', { skip }, () => {
  it('identifies itself', () => {
    const snapshot = snapshotNow();
    assert.ok(snapshot.devices.length > 0);
    assert.match(snapshot.driverVersion ?? '', /^\d+\.\d+/);
    assert.match(snapshot.cudaDriverVersion ?? '', /^\d+\.\d+$/);
    assert.match(snapshot.nvmlPath, /libnvidia-ml/);
    for (const device of snapshot.devices) {
      assert.match(device.uuid ?? '', /^GPU-/);
      assert.match(device.pciBusId ?? '', /^[0-9A-F]{8}:[0-9A-F]{2}:[0-9A-F]{2}\.0$/i);
      assert.match(device.computeCapability ?? '', /^\d+\.\d+$/);
    }
  });

  it('has memory whose parts do not exceed the whole', () => {
    for (const { memory } of snapshotNow().devices) {
      const { totalBytes, usedBytes, freeBytes, reservedBytes } = memory;
      assert.ok(totalBytes !== null && usedBytes !== null && freeBytes !== null);
      assert.ok(usedBytes + freeBytes + (reservedBytes ?? 0) <= totalBytes);
      assert.ok(totalBytes > 1024 * mib);
    }
  });

  it('has processes that do not use more than the device does', () => {
    for (const device of snapshotNow().devices) {
      assert.ok(device.processes !== null);
      const sumBytes = device.processes.reduce((sum, row) => sum + (row.usedBytes ?? 0), 0);
      assert.ok(sumBytes <= (device.memory.usedBytes ?? 0) + (device.memory.reservedBytes ?? 0));
      const pids = device.processes.map((row) => row.pid);
      assert.equal(new Set(pids).size, pids.length);
    }
  });

  it('tells its Xid errors, none while nobody fails, or why it does not', () => {
    using session = openGpu();
    for (const { index } of session.snapshot().devices) {
      session.beginXidWatch(index);
      const { xids, unavailable } = session.endXidWatch();
      if (xids === null) assert.ok(unavailable.xids);
      else assert.deepEqual(xids, []);
    }
  });

  it('tells how busy its SMs were, from 0 to 100, or why it does not', async () => {
    using session = openGpu();
    for (const { index, computeCapability } of session.snapshot().devices) {
      session.beginActivity(index);
      await systemClock.sleep(milliseconds(300));
      const { smActivityPercent: percent, unavailable } = session.endActivity();
      assert.ok(percent === null || (percent >= 0 && percent <= 100), `${percent} %`);
      assert.equal(percent === null, unavailable.smActivityPercent !== undefined);
      console.log(`# compute capability ${computeCapability}: ${JSON.stringify({ percent, unavailable })}`);
    }
  });

  it('gives a reason for each of its nulls', () => {
    for (const device of snapshotNow().devices) {
      for (const [name, value] of Object.entries(device)) {
        if (value === null) assert.ok(device.unavailable[name], `${name} is null without a reason`);
      }
    }
  });

  it('agrees with nvidia-smi', { skip: smi ? false : 'nvidia-smi is not installed' }, () => {
    const snapshot = snapshotNow();
    const own = snapshot.devices.map((device) => [
      device.uuid,
      String(Math.floor((device.memory.totalBytes ?? 0) / mib)),
      snapshot.driverVersion,
    ]);
    assert.deepEqual(own, smi);
  });

  it('lets energy only grow', async () => {
    using session = openGpu();
    const before = session.snapshot({ withEnergy: true }).devices.map((device) => device.energyMillijoules);
    await systemClock.sleep(milliseconds(200));
    const after = session.snapshot({ withEnergy: true }).devices.map((device) => device.energyMillijoules);
    for (const [index, first] of before.entries()) {
      if (first !== null) assert.ok((after[index] ?? 0) >= first);
    }
  });

  it('keeps the period of sampling, on the clock of its origin', async () => {
    using session = openGpu();
    const origin = systemClock.origin();
    const sampling = session.sample({ periodNs: milliseconds(20), origin, maxDurationNs: seconds(10) });
    await systemClock.sleep(seconds(1));
    const { series, summary } = sampling.stop();
    console.log(`# ${JSON.stringify(summary)}`);
    assert.ok(summary.ticks + summary.missedTicks >= 49);
    assert.equal(summary.droppedRows, 0);
    assert.ok((series.offsetNs.at(-1) ?? Number.POSITIVE_INFINITY) <= systemClock.offsetNs(origin));
    for (const device of series.devices) {
      assert.ok(device.memoryUsedBytes.every((used) => used >= 0));
      assert.ok(device.gpuUtilizationPercent.every((percent) => percent >= 0 && percent <= 100));
    }
  });
});

/** Rows of nvidia-smi's CSV output, or undefined where the program is not installed. */
function nvidiaSmi(): string[][] | undefined {
  const query = ['--query-gpu=uuid,memory.total,driver_version', '--format=csv,noheader,nounits'];
  try {
    const text = execFileSync('nvidia-smi', query, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] });
    return text
      .trim()
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => line.split(',').map((cell) => cell.trim()));
  } catch {
    return undefined;
  }
}
