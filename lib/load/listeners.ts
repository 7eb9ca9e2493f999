/** Who listens to a socket: as much of Node's EventEmitter as undici uses, in a fraction of its memory. */

type Listener = (...values: readonly unknown[]) => void;

/** An 'error' without a listener is dropped. */
export class Listeners {
  // Event, listener, event, listener: never changed in place, so that a listener may leave while it is called,
  // and joined by concat(), which leaves no room to grow.
  #heard: readonly (string | Listener)[] = [];

  on(event: string, listener: Listener): this {
    this.#heard = this.#heard.concat(event, listener);
    return this;
  }

  off(event: string, listener: Listener): this {
    const heard = this.#heard;
    const at = heard.findIndex((each, index) => index % 2 === 1 && each === listener && heard[index - 1] === event);
    if (at >= 0) this.#heard = heard.slice(0, at - 1).concat(heard.slice(at + 1));
    return this;
  }

  removeListener(event: string, listener: Listener): this {
    return this.off(event, listener);
  }

  emit(event: string, value?: unknown): void {
    const heard = this.#heard;
    for (let at = 0; at < heard.length; at += 2) {
      if (heard[at] === event) (heard[at + 1] as Listener).call(this, value);
    }
  }
}
