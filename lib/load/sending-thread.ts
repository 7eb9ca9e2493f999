/** Runs as a worker thread: sends its share of a load with undici and reports the rows. */
import { parentPort, workerData } from 'node:worker_threads';
import { systemClock } from '../core/clock.ts';
import { codeOf, messageOf } from '../core/errors.ts';
import { milliseconds } from '../core/units.ts';
import type { SendingPlan } from './sender.ts';
import type { ThreadOrder, ThreadReport, ThreadTask } from './thread-messages.ts';
import { UndiciRun } from './undici-run.ts';

/** More often than the main thread takes them, so that it always has what ended before its last look. */
const reportEveryNs = milliseconds(50);

const port = parentPort;
if (port === null) throw new Error('sending-thread runs as a worker thread only');
const { spec, share }: ThreadTask = workerData;
const texts: string[] = [];
let textsTold = 0;
let run: UndiciRun | null = null;

function tell(report: ThreadReport): void {
  port?.postMessage(report, report.kind === 'rows' ? [report.rows.buffer] : []);
}

function tellRows(sending: UndiciRun, done: boolean): void {
  const rows = sending.takeRows();
  const fresh = texts.slice(textsTold);
  textsTold = texts.length;
  const noConnectionText = sending.noConnectionText();
  tell({ kind: 'rows', rows, texts: fresh, noConnectionText, health: sending.health(), done });
}

function tellFailure(error: unknown): void {
  tell({ kind: 'failed', code: codeOf(error) ?? null, message: messageOf(error) });
}

/** Until the main thread ends this one, or the run is done. */
async function send(plan: Omit<SendingPlan, 'onDone' | 'onManyRows'>): Promise<void> {
  const over = new AbortController();
  const sending = new UndiciRun(
    spec,
    { ...plan, onDone: () => over.abort(), onManyRows: () => {} },
    share,
    systemClock,
    texts,
  );
  run = sending;
  while (!over.signal.aborted) {
    await systemClock.sleep(reportEveryNs, over.signal).catch(() => {});
    tellRows(sending, over.signal.aborted);
  }
}

port.on('message', (order: ThreadOrder) => {
  if (order.kind === 'stop') run?.stop();
  else if (order.kind === 'measure') run?.beginMeasurement(order.window);
  else send(order.plan).catch(tellFailure);
});
tell({ kind: 'ready' });
