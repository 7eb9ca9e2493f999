/** Clients measured in turns, each round in the other direction, and what is said of the rounds. */

/** Client -> one result per round. */
export type Rounds<T> = ReadonlyMap<string, readonly T[]>;

export interface Client<T> {
  readonly name: string;
  readonly measure: () => Promise<T>;
}

export async function inTurns<T>(clients: readonly Client<T>[], rounds: number): Promise<Rounds<T>> {
  const all = new Map<string, T[]>(clients.map(({ name }) => [name, []]));
  for (let round = 0; round < rounds; round++) {
    for (const { name, measure } of round % 2 === 0 ? clients : [...clients].reverse()) {
      all.get(name)?.push(await measure());
    }
    if (process.stderr.isTTY) process.stderr.write(`round ${round + 1} of ${rounds}\r`);
  }
  return all;
}

export function median(given: readonly number[]): number {
  const sorted = [...given].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? (sorted[middle] ?? 0) : ((sorted[middle - 1] ?? 0) + (sorted[middle] ?? 0)) / 2;
}

/** Median, and the least and the most of the rounds: "0.12 (0.08 to 0.31)". */
export function spreadText(values: readonly number[], shown: (value: number) => string): string {
  return `${shown(median(values))} (${shown(Math.min(...values))} to ${shown(Math.max(...values))})`;
}
