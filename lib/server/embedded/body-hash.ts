/** From the bytes of a request to the 64-bit seed of its input, chunk by chunk and without keeping them. */

const primeLow = 0x1b3;

/**
 * FNV-1a with 64 bits (Fowler, Noll, Vo) in two 32-bit halves: a BigInt per byte would cost more than the rest of the
 * request. The prime is 2^40 + 0x1b3, so the product is low * 0x1b3 plus low shifted into the upper half.
 */
export class BodyHash {
  low = 0x84222325;
  high = 0xcbf29ce4;
  sizeBytes = 0;

  update(chunk: Uint8Array): void {
    let low = this.low;
    let high = this.high;
    for (let index = 0; index < chunk.length; index++) {
      low = (low ^ (chunk[index] as number)) >>> 0;
      // Below 2^41, hence exact in a double.
      const product = low * primeLow;
      high = (Math.imul(high, primeLow) + Math.floor(product / 2 ** 32) + (low << 8)) >>> 0;
      low = product >>> 0;
    }
    this.low = low;
    this.high = high;
    this.sizeBytes += chunk.length;
  }
}

/** The seeds of a batch, as the encoder takes them. Filled by halves: no BigInt is made. */
export function batchSeeds(hashes: readonly { readonly low: number; readonly high: number }[]): BigUint64Array {
  const seeds = new BigUint64Array(hashes.length);
  const halves = new DataView(seeds.buffer);
  for (const [index, hash] of hashes.entries()) {
    halves.setUint32(8 * index, hash.low, true);
    halves.setUint32(8 * index + 4, hash.high, true);
  }
  return seeds;
}
