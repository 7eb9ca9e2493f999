/** What the sockets of a thread to one server share: the buffer that they read into, and requests laid out in memory. */
import { maxHeaderSize } from 'node:http';

const readBytes = 64 * 1024;
/** Replies up to this length are handed over in views that are made once. */
const mostViews = 4096;
const headEnd = Buffer.from('\r\n\r\n');
/** Of "HTTP/1.1 100": informational heads are followed by another head. */
const statusAt = 9;

/** Each read is consumed before the next one comes. */
export class SocketMemory {
  readonly readBuffer = Buffer.allocUnsafeSlow(readBytes);
  readonly #joined = new WeakMap<Uint8Array, Buffer>();
  readonly #views: Buffer[] = [];
  /** Where the head of the last reply ended; the next one's probably ends there too. */
  #headEndsAt = 0;

  /**
   * Head and body in one piece; made once for all requests that are alike. The heads of a body differ in nothing but
   * 'connection: keep-alive' or 'close', so that their length tells them apart; to compare them would cost undici's
   * laying them out in memory.
   */
  join(head: string, body: Uint8Array): Buffer {
    const known = this.#joined.get(body);
    if (known !== undefined && known.length === head.length + body.length) return known;
    const whole = Buffer.concat([Buffer.from(head, 'latin1'), body]);
    this.#joined.set(body, whole);
    return whole;
  }

  /**
   * The first bytes of the read buffer, for a parser. Undici keeps parts of a head until the head is complete, so what
   * may end inside a head is copied out of the buffer that the next read fills; a longer chunk cannot be, since no head
   * may be that long.
   */
  received(byteCount: number): Buffer {
    const chunk = this.#view(byteCount);
    return byteCount > maxHeaderSize || this.#endsAHead(chunk) ? chunk : Buffer.from(chunk);
  }

  #view(byteCount: number): Buffer {
    if (byteCount >= mostViews) return this.readBuffer.subarray(0, byteCount);
    this.#views[byteCount] ??= this.readBuffer.subarray(0, byteCount);
    return this.#views[byteCount];
  }

  #endsAHead(chunk: Buffer): boolean {
    if (chunk[statusAt] === 0x31) return false;
    const at = this.#headEndsAt;
    if (chunk[at] === 13 && chunk[at + 1] === 10 && chunk[at + 2] === 13 && chunk[at + 3] === 10) return true;
    const found = chunk.indexOf(headEnd);
    if (found >= 0) this.#headEndsAt = found;
    return found >= 0;
  }
}
