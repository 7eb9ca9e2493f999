/** A file with a row for each request, written in pieces while the run goes on. */
import { type FileHandle, open, rename, rm, stat } from 'node:fs/promises';
import type { RecordBatchFileWriter } from 'apache-arrow';
import { type Origin, systemClock } from '../core/clock.ts';
import { codeOf, MpsbenchError, messageOf } from '../core/errors.ts';
import { packageVersion } from '../core/package-version.ts';
import type { LoadSpec } from '../records/load.ts';
import { transportFacts } from '../records/transport.ts';
import { RawBatches, RawColumns } from './raw-columns.ts';
import type { RequestRow, RowSink } from './request-row.ts';

/** Raised when a column changes its meaning. */
const rawSchemaVersion = 1;
/** About 1 MiB. */
const rowsPerBatch = 16_384;
/** More than that waiting for the disk, and the file is given up rather than the memory of the host. */
const mostWaitingBytes = 64 << 20;

/**
 * Arrow IPC file. Until it is finished it has another name beside its own, so that a file of its name is complete.
 * Disposal finishes what was not finished, or takes it away where there are no rows, so that a run that never began
 * leaves no file in the way of the next.
 */
export interface RawFile extends AsyncDisposable {
  /** For LoadHooks; what comes after finish() is left out. */
  readonly onRow: RowSink;
  /** What onRow's offsets have to count from. */
  readonly origin: Origin;
  /**
   * The rest is on disk and the file under its name when it resolves. Rejects with OUTPUT_NOT_WRITABLE when the disk
   * was full at any time, or too slow; then there is no file.
   */
  finish(): Promise<void>;
}

export interface RawFileOptions {
  /** Left out = now. */
  readonly origin?: Origin;
  /** The file is there, with so many rows. */
  readonly onFinished?: (rows: number) => void;
}

/** Throws OUTPUT_EXISTS and OUTPUT_NOT_WRITABLE, before a run is started for nothing. */
export async function createRawFile(path: string, spec: LoadSpec, options: RawFileOptions = {}): Promise<RawFile> {
  await refuseExisting(path);
  const arrow = await import('apache-arrow');
  const temporary = `${path}.${process.pid}.partial`;
  let file: FileHandle;
  try {
    file = await open(temporary, 'w');
  } catch (cause) {
    throw notWritable(path, cause);
  }
  const origin = options.origin ?? systemClock.origin();
  const batches = new RawBatches(arrow, metadata(spec, origin));
  const onFinished = options.onFinished ?? (() => {});
  return new ArrowFile({
    path,
    temporary,
    file,
    origin,
    batches,
    writer: new arrow.RecordBatchFileWriter(),
    onFinished,
  });
}

/** What a reader needs to know of the run; no bodies, no values of headers. */
function metadata(spec: LoadSpec, { originNs, originAt }: Origin): Map<string, string> {
  const { url, method, headers, bodies, traceNs: _, transport, ...rest } = spec;
  const facts = { headerNames: Object.keys(headers), bodies: bodies.length, transport: transportFacts(transport) };
  const plan = { url, method, ...facts, ...rest };
  return new Map([
    ['kind', 'mpsbench-requests'],
    ['schemaVersion', String(rawSchemaVersion)],
    ['mpsbenchVersion', packageVersion()],
    ['originNs', String(originNs)],
    ['originAt', originAt],
    ['plan', JSON.stringify(plan)],
  ]);
}

interface ArrowFileParts {
  readonly path: string;
  readonly temporary: string;
  readonly file: FileHandle;
  readonly origin: Origin;
  readonly batches: RawBatches;
  readonly writer: RecordBatchFileWriter;
  readonly onFinished: (rows: number) => void;
}

class ArrowFile implements RawFile {
  readonly #parts: ArrowFileParts;
  readonly #draining: Promise<void>;
  #columns = new RawColumns(rowsPerBatch);
  #rows = 0;
  #givenBytes = 0;
  #writtenBytes = 0;
  #failure: unknown = null;
  #finishing: Promise<void> | null = null;

  constructor(parts: ArrowFileParts) {
    this.#parts = parts;
    this.#draining = this.#drain().catch((cause) => this.#fail(cause));
  }

  get origin(): Origin {
    return this.#parts.origin;
  }

  readonly onRow = (row: RequestRow): void => {
    if (this.#failure !== null || this.#finishing !== null) return;
    this.#columns.add(row);
    this.#rows++;
    if (this.#columns.full) this.#handOver();
  };

  finish(): Promise<void> {
    this.#finishing ??= this.#finish();
    return this.#finishing;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const finished = this.#finishing !== null;
    if (!finished && this.#rows === 0) this.#fail(new Error('no request ended'));
    else if (!finished) return await this.finish();
    // Who called finish() has seen its error.
    await this.finish().catch(() => {});
  }

  #handOver(): void {
    const batch = this.#parts.batches.batch(this.#columns);
    this.#parts.writer.write(batch);
    this.#givenBytes += batch.data.byteLength;
    this.#columns = new RawColumns(rowsPerBatch);
    if (this.#givenBytes - this.#writtenBytes > mostWaitingBytes) {
      this.#fail(new Error('the disk takes the rows more slowly than the run makes them'));
    }
  }

  async #drain(): Promise<void> {
    for await (const chunk of this.#parts.writer) {
      if (this.#failure !== null) return;
      await this.#parts.file.writeFile(chunk);
      this.#writtenBytes += chunk.byteLength;
    }
  }

  #fail(cause: unknown): void {
    this.#failure ??= cause;
  }

  async #finish(): Promise<void> {
    const { path, temporary, file, writer } = this.#parts;
    // Also where there are no rows, since the schema comes with the first batch.
    if (this.#failure === null && (this.#columns.count > 0 || this.#rows === 0)) this.#handOver();
    writer.close();
    await this.#draining;
    try {
      if (this.#failure === null) await file.sync();
    } catch (cause) {
      this.#fail(cause);
    }
    await file.close().catch((cause) => this.#fail(cause));
    try {
      if (this.#failure !== null) throw this.#failure;
      await refuseExisting(path);
      await rename(temporary, path);
    } catch (cause) {
      // Half a file has no footer, and nobody could read it.
      await rm(temporary, { force: true });
      throw notWritable(path, cause);
    }
    this.#parts.onFinished(this.#rows);
  }
}

async function refuseExisting(path: string): Promise<void> {
  const there = await stat(path).then(
    () => true,
    () => false,
  );
  if (there) {
    const advice = 'name one that does not exist, or remove it';
    throw new MpsbenchError('OUTPUT_EXISTS', `raw file ${path} is there already: ${advice}`);
  }
}

const causes: Readonly<Record<string, string>> = {
  ENOSPC: 'the disk is full',
  EDQUOT: 'the disk quota is used up',
  EFBIG: 'it is larger than this process may make a file (ulimit -f)',
  ENOENT: 'its directory does not exist',
  ENOTDIR: 'a file is in the way of its directory',
};

function notWritable(path: string, cause: unknown): MpsbenchError {
  if (cause instanceof MpsbenchError) return cause;
  const why = causes[codeOf(cause) ?? ''] ?? messageOf(cause);
  const advice = 'name a file with --raw in a directory with room that you may write to';
  return new MpsbenchError('OUTPUT_NOT_WRITABLE', `cannot write raw file ${path}: ${why}; ${advice}`, { cause });
}
