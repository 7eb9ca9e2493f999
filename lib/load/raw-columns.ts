/** Rows of ended requests as the columns of an Arrow record batch. */
import type { Data, DataType, Field, RecordBatch, Schema, Utf8, Vector } from 'apache-arrow';
import type { PhaseSummary } from '../records/load.ts';
import { outcomeNames } from '../records/load-outcomes.ts';
import type { RequestRow } from './request-row.ts';

/** The library, which only a run with a raw file loads. */
export type Arrow = typeof import('apache-arrow');

const phaseNames: readonly PhaseSummary['phase'][] = ['warmup', 'measurement'];
const longNames = ['intendedNs', 'sentNs', 'firstByteNs', 'endNs', 'requestBytes', 'responseBytes'] as const;
const phaseDictionary = 0;
const outcomeDictionary = 1;

/** Room for so many rows; full columns are handed over and new ones made. */
export class RawColumns {
  readonly number: Uint32Array;
  readonly phase: Int8Array;
  readonly outcome: Int8Array;
  readonly longs: Readonly<Record<(typeof longNames)[number], LongColumn>>;
  readonly status: Uint16Array;
  readonly hasStatus: Bits;
  readonly connection: Uint32Array;
  readonly hasConnection: Bits;
  readonly capacity: number;
  count = 0;

  constructor(capacity: number) {
    this.capacity = capacity;
    this.number = new Uint32Array(capacity);
    this.phase = new Int8Array(capacity);
    this.outcome = new Int8Array(capacity);
    this.longs = {
      intendedNs: new LongColumn(capacity),
      sentNs: new LongColumn(capacity),
      firstByteNs: new LongColumn(capacity),
      endNs: new LongColumn(capacity),
      requestBytes: new LongColumn(capacity),
      responseBytes: new LongColumn(capacity),
    };
    this.status = new Uint16Array(capacity);
    this.hasStatus = new Bits(capacity);
    this.connection = new Uint32Array(capacity);
    this.hasConnection = new Bits(capacity);
  }

  get full(): boolean {
    return this.count === this.capacity;
  }

  /** There must be room. */
  add(row: RequestRow): void {
    const at = this.count++;
    this.number[at] = row.number;
    this.phase[at] = phaseNames.indexOf(row.phase);
    this.outcome[at] = outcomeNames.indexOf(row.outcome);
    for (const name of longNames) this.longs[name].set(at, row[name]);
    this.status[at] = row.status ?? 0;
    if (row.status !== null) this.hasStatus.set(at);
    this.connection[at] = row.connection ?? 0;
    if (row.connection !== null) this.hasConnection.set(at);
  }
}

/** Whole numbers up to 2^53 as int64, without a bigint for each. */
class LongColumn {
  readonly values: BigInt64Array;
  readonly known: Bits;
  readonly #words: Uint32Array;

  constructor(capacity: number) {
    this.values = new BigInt64Array(capacity);
    this.known = new Bits(capacity);
    // Arrow files are little-endian, as every machine that Node runs the engines on.
    this.#words = new Uint32Array(this.values.buffer);
  }

  set(at: number, value: number | null): void {
    if (value === null) return;
    const whole = Math.round(value);
    this.#words[2 * at] = whole;
    this.#words[2 * at + 1] = Math.floor(whole / 2 ** 32);
    this.known.set(at);
  }
}

/** Arrow's validity bitmap. */
class Bits {
  readonly bytes: Uint8Array;
  count = 0;

  constructor(capacity: number) {
    this.bytes = new Uint8Array(Math.ceil(capacity / 8));
  }

  set(at: number): void {
    const byte = at >> 3;
    this.bytes[byte] = (this.bytes[byte] as number) | (1 << (at & 7));
    this.count++;
  }
}

/** Makes the batches of one file; all of them share the two dictionaries, which a file holds once. */
export class RawBatches {
  readonly #arrow: Arrow;
  readonly #schema: Schema;
  readonly #phases: Vector<Utf8>;
  readonly #outcomes: Vector<Utf8>;

  constructor(arrow: Arrow, metadata: ReadonlyMap<string, string>) {
    const { Dictionary, Field, Int64, Int8, Schema, Uint16, Uint32, Utf8, vectorFromArray } = arrow;
    this.#arrow = arrow;
    this.#phases = vectorFromArray([...phaseNames], new Utf8());
    this.#outcomes = vectorFromArray([...outcomeNames], new Utf8());
    const field = (name: string, type: DataType, nullable = false): Field => new Field(name, type, nullable);
    const fields = [
      field('number', new Uint32()),
      field('phase', new Dictionary(new Utf8(), new Int8(), phaseDictionary)),
      field('outcome', new Dictionary(new Utf8(), new Int8(), outcomeDictionary)),
      ...longNames.map((name) => field(name, new Int64(), name === 'sentNs' || name === 'firstByteNs')),
      field('status', new Uint16(), true),
      field('connection', new Uint32(), true),
    ];
    this.#schema = new Schema(fields, new Map(metadata));
  }

  batch(columns: RawColumns): RecordBatch {
    const { Dictionary, Int64, Int8, makeData, RecordBatch, Struct, Uint16, Uint32, Utf8 } = this.#arrow;
    const length = columns.count;
    const named = (id: number, data: Int8Array, dictionary: Vector<Utf8>): Data =>
      makeData({ type: new Dictionary(new Utf8(), new Int8(), id), length, nullCount: 0, data, dictionary });
    const nulls = ({ bytes, count }: Bits) => ({ length, nullCount: length - count, nullBitmap: bytes });
    const children = [
      makeData({ type: new Uint32(), length, nullCount: 0, data: columns.number }),
      named(phaseDictionary, columns.phase, this.#phases),
      named(outcomeDictionary, columns.outcome, this.#outcomes),
      ...longNames.map((name) => {
        const { values, known } = columns.longs[name];
        return makeData({ type: new Int64(), data: values, ...nulls(known) });
      }),
      makeData({ type: new Uint16(), data: columns.status, ...nulls(columns.hasStatus) }),
      makeData({ type: new Uint32(), data: columns.connection, ...nulls(columns.hasConnection) }),
    ];
    const rows = makeData({ type: new Struct(this.#schema.fields), length, nullCount: 0, children });
    return new RecordBatch(this.#schema, rows);
  }
}
