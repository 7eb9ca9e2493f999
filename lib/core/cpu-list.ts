/** Lists of CPUs as Linux writes them, such as "0-3,8". */

/** Numbers in ascending order, each once. Throws RangeError that names the part that is wrong. */
export function parseCpuList(text: string): number[] {
  const cpus = new Set<number>();
  for (const part of text.split(',')) {
    const [, first, last] = /^\s*(\d{1,4})(?:-(\d{1,4}))?\s*$/.exec(part) ?? [];
    if (first === undefined) {
      throw new RangeError(`'${part}' in '${text}' is no CPU: give numbers and ranges, such as 0-3,8`);
    }
    const from = Number(first);
    const to = Number(last ?? first);
    if (to < from) throw new RangeError(`'${part}' in '${text}' ends before it begins: give it as ${to}-${from}`);
    for (let cpu = from; cpu <= to; cpu++) cpus.add(cpu);
  }
  return [...cpus].sort((one, other) => one - other);
}

/** The shortest form: "0-3,8". */
export function formatCpuList(cpus: readonly number[]): string {
  const ranges: [number, number][] = [];
  for (const cpu of [...new Set(cpus)].sort((one, other) => one - other)) {
    const last = ranges.at(-1);
    if (last !== undefined && cpu === last[1] + 1) last[1] = cpu;
    else ranges.push([cpu, cpu]);
  }
  return ranges.map(([from, to]) => (from === to ? `${from}` : `${from}-${to}`)).join(',');
}

/** Whether every thread is kept to CPUs that were asked for. What could not be read is not known to be. */
export function keptTo(asked: string, threads: readonly string[] | null): boolean {
  const wanted = new Set(parseCpuList(asked));
  return threads?.every((list) => parseCpuList(list).every((cpu) => wanted.has(cpu))) ?? false;
}
