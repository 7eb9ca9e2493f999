/** Lanes without a request, given out to the servers of a run in turn. */

/** Of one server's lanes the last one in is the first one out, so that no more of them are used than needed. */
export class FreeLanes<L extends { readonly server: number }> {
  readonly #byServer: L[][] = [];
  #turn = 0;

  /** All of them, free. */
  constructor(lanes: readonly L[]) {
    for (const lane of lanes) this.put(lane);
  }

  put(lane: L): void {
    this.#byServer[lane.server] ??= [];
    this.#byServer[lane.server]?.push(lane);
  }

  /** Of the server whose turn it is; of the next one that has a free lane where it has none. Undefined = none is free. */
  take(): L | undefined {
    for (let tried = 0; tried < this.#byServer.length; tried++) {
      const lane = this.#byServer[this.#turn]?.pop();
      this.#turn = (this.#turn + 1) % this.#byServer.length;
      if (lane !== undefined) return lane;
    }
    return undefined;
  }
}
