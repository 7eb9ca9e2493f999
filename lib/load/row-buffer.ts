/** Rows of finished requests in columns, in the form in which the addon hands them over. */
import type { LoadBatch } from '../native/addon.ts';
import { outcomeNames } from '../records/load.ts';
import type { RecordedRequest } from './phase-recorder.ts';

/** The columns of a LoadBatch; all lie in one buffer, so that they can change threads together. */
export type RowColumns = Pick<
  LoadBatch,
  | 'intendedNs'
  | 'sentNs'
  | 'endNs'
  | 'requestBytes'
  | 'responseBytes'
  | 'cause'
  | 'status'
  | 'outcome'
  | 'flags'
  | 'count'
>;

const leastRows = 256;
const doubleColumns = 5;
const bytesPerRow = doubleColumns * 8 + 4 + 2 + 1 + 1;

type Columns = Omit<RowColumns, 'count'>;

/** The columns over such a buffer, which holds as many rows as its length allows. */
export function columnsOver(buffer: ArrayBuffer): Columns {
  const rows = buffer.byteLength / bytesPerRow;
  const doubles = (column: number): Float64Array => new Float64Array(buffer, column * 8 * rows, rows);
  const small = doubleColumns * 8 * rows;
  return {
    intendedNs: doubles(0),
    sentNs: doubles(1),
    endNs: doubles(2),
    requestBytes: doubles(3),
    responseBytes: doubles(4),
    cause: new Int32Array(buffer, small, rows),
    status: new Uint16Array(buffer, small + 4 * rows, rows),
    outcome: new Uint8Array(buffer, small + 6 * rows, rows),
    flags: new Uint8Array(buffer, small + 7 * rows, rows),
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
  push(request: RecordedRequest, cause: number, flags: number): void {
    if (this.#count === this.#rows) this.#grow();
    const at = this.#count++;
    const columns = this.#columns;
    columns.intendedNs[at] = request.intendedNs;
    columns.sentNs[at] = request.sentNs ?? Number.NaN;
    columns.endNs[at] = request.endNs;
    columns.requestBytes[at] = request.requestBytes;
    columns.responseBytes[at] = request.responseBytes;
    columns.cause[at] = cause;
    columns.status[at] = request.status ?? 0;
    columns.outcome[at] = outcomeNames.indexOf(request.outcome);
    columns.flags[at] = flags;
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
