/**
 * The reply to one request: small, and fully determined by its body.
 *
 * `label` is the index of the largest magnitude in the pooled output and `score` the value there with three
 * significant digits. Both backends agree on them within the encoder's tolerance only: any rounding has boundaries,
 * and two outputs may be equally large, so a comparison across backends compares scores with a tolerance and never
 * text. `digest` is a hash of the exact 32-bit floats: equal for equal bodies on one backend and build, whatever the
 * worker and the rest of the batch, and different as soon as one bit of the output is.
 */

const fnvPrime = 0x01000193;
const fnvBasis = 0x811c9dc5;

/** JSON of about 50 bytes for each request of a batch. `pooled` holds `hidden` floats per request. */
export function encoderAnswers(pooled: Float32Array, requests: number): string[] {
  const hidden = pooled.length / requests;
  const words = new Uint32Array(pooled.buffer, pooled.byteOffset, pooled.length);
  return Array.from({ length: requests }, (_, request) => encoderAnswer(pooled, words, request * hidden, hidden));
}

function encoderAnswer(pooled: Float32Array, words: Uint32Array, start: number, hidden: number): string {
  let label = 0;
  let digest = fnvBasis;
  for (let index = 0; index < hidden; index++) {
    if (Math.abs(pooled[start + index] as number) > Math.abs(pooled[start + label] as number)) label = index;
    digest = Math.imul(digest ^ (words[start + index] as number), fnvPrime);
  }
  return answer(label, pooled[start + label] as number, digest >>> 0);
}

/** The fixed workload has no model: label, score and digest are cut from the seed. */
export function fixedAnswers(seeds: BigUint64Array): string[] {
  const words = new DataView(seeds.buffer, seeds.byteOffset, seeds.byteLength);
  return Array.from(seeds, (_, index) => {
    const low = words.getUint32(8 * index, true);
    const high = words.getUint32(8 * index + 4, true);
    return answer(high % 1000, high / 2 ** 32, low);
  });
}

function answer(label: number, score: number, digest: number): string {
  return `{"label":${label},"score":${Number(score.toPrecision(3))},"digest":"${digest.toString(16).padStart(8, '0')}"}`;
}
