/**
 * What one encoder does by batch size: milliseconds, requests per second and arithmetic rate.
 * Usage: node --import tsx bench/encoder.ts cpu|cuda [path of libcuda]
 */
import { systemClock } from '../lib/core/clock.ts';
import { loadAddon } from '../lib/native/addon.ts';
import type { EncoderDimensions } from '../lib/records/server-plans/embedded.ts';

const models: Readonly<Record<string, EncoderDimensions>> = {
  tiny: { layers: 2, hidden: 128, feedForward: 512, sequence: 32 },
  'bert-base': { layers: 12, hidden: 768, feedForward: 3072, sequence: 128 },
};
const roundsOf = { cpu: 3, cuda: 20 } as const;
const batchSizesOf = { cpu: [1, 4], cuda: [1, 2, 4, 8, 16, 32, 64] } as const;

/** Floating-point operations of one request: two for each multiply-add of the products. */
function operations(model: EncoderDimensions): number {
  const weights = model.layers * (4 * model.hidden ** 2 + 2 * model.hidden * model.feedForward);
  return 2 * weights * model.sequence;
}

function measure(backend: 'cpu' | 'cuda', cudaPath: string | null): void {
  for (const [name, model] of Object.entries(models)) {
    const encoder = loadAddon().createEncoder({
      ...model,
      backend,
      seed: 1,
      maxBatchSize: 64,
      cudaPath,
      deviceUuid: null,
    });
    console.log(`${name} ${JSON.stringify(encoder.facts)}`);
    for (const batchSize of batchSizesOf[backend]) {
      const inputs = BigUint64Array.from({ length: batchSize }, (_, index) => BigInt(index));
      encoder.run(inputs);
      const spans = Array.from({ length: roundsOf[backend] }, () => {
        const origin = systemClock.origin();
        encoder.run(inputs);
        return systemClock.offsetNs(origin);
      }).sort((left, right) => left - right);
      const medianNs = spans[Math.floor(spans.length / 2)] ?? Number.NaN;
      const perSecond = (batchSize * 1e9) / medianNs;
      console.log(
        `  batch ${batchSize}: median ${(medianNs / 1e6).toFixed(3)} ms, ${perSecond.toFixed(1)} requests/s, ` +
          `${((operations(model) * perSecond) / 1e12).toFixed(3)} TFLOP/s`,
      );
    }
    encoder.close();
  }
}

measure(process.argv[2] === 'cuda' ? 'cuda' : 'cpu', process.argv[3] ?? null);
