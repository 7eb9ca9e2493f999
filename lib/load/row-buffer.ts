/** Rows of finished requests in columns, in the form in which the addon hands them over. */
import type { LoadBatch } from '../native/addon.ts';
import { outcomeNames } from '../records/load-outcomes.ts';
import type { RequestRow } from './request-row.ts';

/** The columns of a LoadBatch; all lie in one buffer, so that they can change threads together. */
export type RowColumns = Pick<
  LoadBatch,
  | 'intendedNs'
  | 'sentNs'
  | 'firstByteNs'
  | 'endNs'
  | 'requestBytes'
  | 'responseBytes'
  | 'number'
  | 'connection'
  | 'cause'
  | 'status'
  | 'outcome'
  | 'flags'
  | 'count'
>;

const leastRows = 256;
const doubleColumns = 6;
const wordColumns = 3;
const bytesPerRow = doubleColumns * 8 + wordColumns * 4 + 2 + 1 + 1;
/** Of LoadBatch. */
const noConnection = 2 ** 32 - 1;

type Columns = Omit<RowColumns, 'count'>;

/** The columns over such a buffer, which holds as many rows as its length allows. */
export function columnsOver(buffer: ArrayBuffer): Columns {
  const rows = buffer.byteLength / bytesPerRow;
  const doubles = (column: number): Float64Array => new Float64Array(buffer, column * 8 * rows, rows);
  const words = doubleColumns * 8 * rows;
  const small = words + wordColumns * 4 * rows;
  return {
    intendedNs: doubles(0),
    sentNs: doubles(1),
    firstByteNs: doubles(2),
    endNs: doubles(3),
    requestBytes: doubles(4),
    responseBytes: doubles(5),
    number: new Uint32Array(buffer, words, rows),
    connection: new Uint32Array(buffer, words + 4 * rows, rows),
    cause: new Int32Array(buffer, words + 8 * rows, rows),
    status: new Uint16Array(buffer, small, rows),
    outcome: new Uint8Array(buffer, small + 2 * rows, rows),
    flags: new Uint8Array(buffer, small + 3 * rows, rows),
  };
}

/** Grows as needed: whoever fills it is also the one who empties it, or runs beside it. */
export class RowBuffer {
  #buffer = new ArrayBuffer(leastRows * bytesPerRow);
  #columns = columnsOver(this.#buffer);
  #rows = leastRows;
  #count = 0;

  get count(): number {
    return this.#count;
  }

  /** See LoadBatch for `cause` and `flags`. */
  push(request: Omit<RequestRow, 'phase'>, cause: number, flags: number): void {
    if (this.#count === this.#rows) this.#grow();
    const at = this.#count++;
    const columns = this.#columns;
    columns.intendedNs[at] = request.intendedNs;
    columns.sentNs[at] = request.sentNs ?? Number.NaN;
    columns.firstByteNs[at] = request.firstByteNs ?? Number.NaN;
    columns.endNs[at] = request.endNs;
    columns.requestBytes[at] = request.requestBytes;
    columns.responseBytes[at] = request.responseBytes;
    columns.number[at] = request.number;
    columns.connection[at] = request.connection ?? noConnection;
    columns.cause[at] = cause;
    columns.status[at] = request.status ?? 0;
    columns.outcome[at] = outcomeNames.indexOf(request.outcome);
    columns.flags[at] = flags;
  }

  /** What was pushed since the last call, until the next push fills the same columns anew. */
  lend(): RowColumns {
    const count = this.#count;
    this.#count = 0;
    return { ...this.#columns, count };
  }

  /** What was pushed since the last call, for the caller to keep: the buffer, and how many of its rows are filled. */
  take(): { readonly buffer: ArrayBuffer; readonly count: number } {
    const taken = { buffer: this.#buffer, count: this.#count };
    this.#use(Math.max(leastRows, 2 ** Math.ceil(Math.log2(this.#count + 1))));
    this.#count = 0;
    return taken;
  }

  #use(rows: number): void {
    this.#rows = rows;
    this.#buffer = new ArrayBuffer(rows * bytesPerRow);
    this.#columns = columnsOver(this.#buffer);
  }

  #grow(): void {
    const old = this.#columns;
    this.#use(2 * this.#rows);
    for (const name of Object.keys(old) as (keyof Columns)[]) this.#columns[name].set(old[name]);
  }
}
