/** Seeded generator with independent named streams, so that a change of one use leaves the others as they were. */

export interface RandomStream {
  /** Uniform in [0, 1), 53 random bits. */
  next(): number;
  /** Uniform integer in [0, bound). */
  below(bound: number): number;
}

/** What a stream may be used for; each name is a stream of its own. */
export type StreamName =
  | 'order'
  | 'arrivals'
  | 'payload'
  | 'template'
  | 'bootstrap'
  | 'permutation'
  | 'parity'
  | 'confirmation';

const mask64 = (1n << 64n) - 1n;

/** Where the stream starts, as an unsigned 64-bit number: enough to go on with it in C++. */
export function streamState(seed: number, name: StreamName): bigint {
  return mix(BigInt(Math.trunc(seed)) & mask64) ^ hashName(name);
}

/** The index-th 64 bits of the stream that starts there, counted from 0, without those before it. */
export function bitsAt(state: bigint, index: bigint): bigint {
  return mix((state + (index + 1n) * 0x9e3779b97f4a7c15n) & mask64);
}

/** SplitMix64 (Steele, Lea, Flood 2014): one 64-bit state, passes BigCrush, any seed will do. */
export function randomStream(seed: number, name: StreamName): RandomStream {
  let state = streamState(seed, name);
  const next64 = (): bigint => {
    state = (state + 0x9e3779b97f4a7c15n) & mask64;
    return mix(state);
  };
  const next = (): number => Number(next64() >> 11n) / 2 ** 53;
  return { next, below: (bound) => Math.floor(next() * bound) };
}

/** Fisher-Yates; the input is left as it was. */
export function shuffled<T>(items: readonly T[], random: RandomStream): T[] {
  const result = [...items];
  for (let last = result.length - 1; last > 0; last--) {
    const pick = random.below(last + 1);
    const held = result[last] as T;
    result[last] = result[pick] as T;
    result[pick] = held;
  }
  return result;
}

function mix(value: bigint): bigint {
  let z = value;
  z = ((z ^ (z >> 30n)) * 0xbf58476d1ce4e5b9n) & mask64;
  z = ((z ^ (z >> 27n)) * 0x94d049bb133111ebn) & mask64;
  return z ^ (z >> 31n);
}

function hashName(name: string): bigint {
  let hash = 0xcbf29ce484222325n;
  for (const character of name) hash = ((hash ^ BigInt(character.charCodeAt(0))) * 0x100000001b3n) & mask64;
  return hash;
}
