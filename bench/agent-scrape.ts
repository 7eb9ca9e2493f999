/**
 * What a scrape of the agent takes with 8 GPUs and 48 MPS clients each, on the fake driver library: at the client, and in
 * CPU of the agent. Run with `node --import tsx bench/agent-scrape.ts [scrapes]`; dist/ and the fakes must be built.
 */
import { readFileSync } from 'node:fs';
import process from 'node:process';
import { systemClock } from '../lib/core/clock.ts';
import { milliseconds } from '../lib/core/units.ts';
import { fakeControl, fakeDriver } from '../test/cli/fake-host.ts';
import { crowdedHost } from '../test/fakes/crowded-host.ts';
import { startAgent, stopAgent } from '../test/fakes/running-agent.ts';

/** Longer than the span in which scrapers share a reading, so that each reads the driver. */
const period = milliseconds(300);
const targetMs = 5;
/** Clock ticks of /proc/PID/stat in a second. */
const ticksPerSecond = 100;

const scrapes = Number(process.argv[2] ?? 100);
const agent = await startAgent([], { ...fakeDriver(crowdedHost(8, 48)), ...fakeControl() });
try {
  // The first ones are slower: code that has not run, facts that have not been read.
  for (let warm = 0; warm < 20; warm++) await scrape();
  const cpuBefore = cpuSeconds();
  const times: number[] = [];
  let bytes = 0;
  for (let done = 0; done < scrapes; done++) {
    const { tookMs, length } = await scrape();
    times.push(tookMs);
    bytes = length;
  }
  const cpuMs = ((cpuSeconds() - cpuBefore) / scrapes) * 1000;
  times.sort((a, b) => a - b);
  const at = (share: number): string =>
    `${(times[Math.floor(share * (times.length - 1))] ?? Number.NaN).toFixed(2)} ms`;
  console.log(`8 GPUs, 48 clients each, ${scrapes} scrapes of ${bytes} bytes, each with a reading of its own`);
  console.log(`least ${at(0)}   median ${at(0.5)}   p90 ${at(0.9)}   most ${at(1)}   (target ${targetMs} ms)`);
  console.log(`CPU of the agent ${cpuMs.toFixed(2)} ms a scrape`);
} finally {
  await stopAgent(agent);
}

async function scrape(): Promise<{ readonly tookMs: number; readonly length: number }> {
  await systemClock.sleep(period);
  const origin = systemClock.origin();
  const text = await (await fetch(`${agent.url}/metrics`)).text();
  return { tookMs: systemClock.offsetNs(origin) / 1e6, length: text.length };
}

function cpuSeconds(): number {
  const stat = readFileSync(`/proc/${agent.child.pid}/stat`, 'utf8');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) / ticksPerSecond;
}
