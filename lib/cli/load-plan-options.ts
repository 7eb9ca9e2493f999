/** Options of `study` on the load of its trials. */
import { numberIn, type PlanOption } from './course-options.ts';

const verbatim = (text: string): string => text;

export const loadPlanOptions: readonly PlanOption[] = [
  {
    flags: '--requests <n>',
    description: 'measure this many requests per trial',
    path: ['load', 'requests'],
    read: numberIn,
  },
  {
    flags: '--duration <time>',
    description: 'measure for this long per trial, such as 30s',
    path: ['load', 'duration'],
    read: verbatim,
  },
  {
    flags: '--concurrency <n>',
    description: 'requests kept in flight, or auto',
    path: ['load', 'concurrency'],
    read: numberIn,
  },
  {
    flags: '--rate <per-second>',
    description: 'open loop: the same rate in every cell, for latency at an equal rate',
    path: ['load', 'ratePerSecond'],
    read: numberIn,
  },
  {
    flags: '--warmup <time>',
    description: 'load before each measurement: 5s, auto (until it is steady) or auto:min..max',
    path: ['load', 'warmup'],
    read: verbatim,
  },
  { flags: '--timeout <time>', description: 'limit of one request', path: ['load', 'timeout'], read: verbatim },
  {
    flags: '--client-cpus <list>',
    description: 'CPUs that the generator is kept to, such as 0-3',
    path: ['load', 'cpus'],
    read: verbatim,
  },
  {
    flags: '--body <path>',
    description: "file with a request body, or a directory of them, instead of the server's sample; may be repeated",
    path: ['load', 'bodies'],
    repeatable: true,
    read: verbatim,
  },
];
