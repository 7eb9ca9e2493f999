/** The loop of a load run in words. */
import { counted, formatDuration, formatRate, grouped, ns } from '../core/units.ts';
import type { Loop, ScheduledLoop } from '../records/load.ts';

/** Such as "open loop, 200.0 /s poisson, at most 100 connections". */
export function loopText(loop: Loop): string {
  return loop.kind === 'closed'
    ? `closed loop, ${counted(loop.concurrency, 'connection')}`
    : `open loop, ${arrivalsText(loop)}, at most ${counted(loop.connections, 'connection')}`;
}

/** Such as "200.0 /s poisson". */
function arrivalsText(loop: ScheduledLoop): string {
  switch (loop.kind) {
    case 'open':
      return `${formatRate(loop.ratePerSecond)} ${loop.arrival}`;
    case 'steps':
      return `${counted(loop.ratesPerSecond.length, 'step')} of ${loop.ratesPerSecond.map((rate) => grouped(rate)).join(', ')} /s ${loop.arrival}`;
    case 'ramp':
      return `${grouped(loop.fromPerSecond)} to ${formatRate(loop.toPerSecond)} ${loop.arrival}`;
    case 'trace':
      return `${counted(loop.requests, 'request')} of a trace over ${formatDuration(ns(loop.spanNs))}`;
  }
}
