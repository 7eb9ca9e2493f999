/** Made-up tensors in the two encodings of the Open Inference Protocol: JSON values, and bytes in little-endian order. */
import type { RandomStream } from '../../core/random.ts';

export const datatypes = [
  'BOOL',
  'UINT8',
  'UINT16',
  'UINT32',
  'UINT64',
  'INT8',
  'INT16',
  'INT32',
  'INT64',
  'FP16',
  'BF16',
  'FP32',
  'FP64',
  'BYTES',
] as const;
export type Datatype = (typeof datatypes)[number];

/** JSON has no form for these that servers agree on. */
export const binaryOnly: readonly Datatype[] = ['FP16', 'BF16'];

export type TensorValue = number | boolean | string;

const words = 'measured figures of one host tell more than those of another with the same name'.split(' ');
/** Small enough for every integer type, and for the vocabulary of every model of tokens. */
const integerBound = 100;

/** Integers below 100, floating point in [0, 1) on a grid that every type can hold, words for BYTES. */
export function drawValues(datatype: Datatype, count: number, random: RandomStream): TensorValue[] {
  return Array.from({ length: count }, () => drawValue(datatype, random));
}

function drawValue(datatype: Datatype, random: RandomStream): TensorValue {
  if (datatype === 'BOOL') return random.below(2) === 1;
  if (datatype === 'BYTES') return words[random.below(words.length)] as string;
  // Eight significant bits: exact in BF16 too.
  return isFloat(datatype) ? random.below(256) / 256 : random.below(integerBound);
}

function isFloat(datatype: Datatype): boolean {
  return datatype.startsWith('FP') || datatype === 'BF16';
}

/** The raw tensor of the binary extension; each BYTES element is its length in four bytes and then itself. */
export function packValues(datatype: Datatype, values: readonly TensorValue[]): Uint8Array {
  if (datatype === 'BYTES') return packTexts(values.map(String));
  const { size, write } = writers[datatype];
  const bytes = new Uint8Array(values.length * size);
  const view = new DataView(bytes.buffer);
  values.forEach((value, index) => {
    write(view, index * size, Number(value));
  });
  return bytes;
}

function packTexts(texts: readonly string[]): Uint8Array {
  const parts = texts.flatMap((text) => {
    const content = Buffer.from(text);
    const length = Buffer.alloc(4);
    length.writeUInt32LE(content.length);
    return [length, content];
  });
  return Buffer.concat(parts);
}

interface Writer {
  readonly size: number;
  readonly write: (view: DataView, at: number, value: number) => void;
}

const one: Writer = { size: 1, write: (view, at, value) => view.setUint8(at, value) };
const two: Writer = { size: 2, write: (view, at, value) => view.setUint16(at, value, true) };
const four: Writer = { size: 4, write: (view, at, value) => view.setUint32(at, value, true) };
const eight: Writer = { size: 8, write: (view, at, value) => view.setBigUint64(at, BigInt(value), true) };

/** The integers are never negative: signed and unsigned look the same. */
const writers: Readonly<Record<Exclude<Datatype, 'BYTES'>, Writer>> = {
  BOOL: one,
  UINT8: one,
  INT8: one,
  UINT16: two,
  INT16: two,
  UINT32: four,
  INT32: four,
  UINT64: eight,
  INT64: eight,
  FP16: { size: 2, write: (view, at, value) => view.setUint16(at, halfBits(value), true) },
  BF16: { size: 2, write: (view, at, value) => view.setUint16(at, singleBits(value) >>> 16, true) },
  FP32: { size: 4, write: (view, at, value) => view.setFloat32(at, value, true) },
  FP64: { size: 8, write: (view, at, value) => view.setFloat64(at, value, true) },
};

function singleBits(value: number): number {
  const view = new DataView(new ArrayBuffer(4));
  view.setFloat32(0, value);
  return view.getUint32(0);
}

/** Of a value in [0, 1) with at most eight significant bits, which is exact and never subnormal in FP16. */
function halfBits(value: number): number {
  if (value === 0) return 0;
  const bits = singleBits(value);
  const exponent = ((bits >>> 23) & 0xff) - 127 + 15;
  return (exponent << 10) | ((bits >>> 13) & 0x3ff);
}
