/** Event streams however they are cut, and what is seen of tokens in them. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { EventStream } from '../../../lib/load/event-stream.ts';
import { StreamObserver } from '../../../lib/load/stream-observer.ts';

function eventsOf(chunks: readonly Uint8Array[]): string[] {
  const events: string[] = [];
  const stream = new EventStream((data) => events.push(data));
  for (const chunk of chunks) stream.push(chunk);
  return events;
}

/** The bytes in pieces whose ends are at these places. */
function cut(bytes: Uint8Array, places: readonly number[]): Uint8Array[] {
  const ends = [...places, bytes.length].sort((left, right) => left - right);
  return ends.map((end, index) => bytes.subarray(index === 0 ? 0 : ends[index - 1], end));
}

describe('an event stream', () => {
  const cases: readonly (readonly [string, string, readonly string[]])[] = [
    ['ends lines by LF', 'data: a\n\ndata: b\n\n', ['a', 'b']],
    ['ends lines by CR LF', 'data: a\r\n\r\ndata: b\r\n\r\n', ['a', 'b']],
    ['ends lines by CR', 'data: a\r\rdata: b\r\r', ['a', 'b']],
    ['has comments and other fields', ': hi\nevent: x\nid: 7\nretry: 1\ndata: a\n\n: bye\n\n', ['a']],
    ['has data on several lines', 'data: a\ndata:b\ndata:  c\n\n', ['a\nb\n c']],
    ['has data without a value', 'data\n\ndata:\n\n', ['', '']],
    ['begins with a byte order mark', '\uFEFFdata: a\n\n', ['a']],
    ['has an event that nothing ends', 'data: a\n\ndata: b\n', ['a']],
    ['has letters of several bytes', 'data: é漢😀\n\n', ['é漢😀']],
    ['is empty', '', []],
  ];
  for (const [what, text, events] of cases) {
    it(`that ${what} is read, wherever it is cut`, () => {
      const bytes = Buffer.from(text);
      assert.deepEqual(eventsOf([bytes]), events);
      for (let at = 0; at <= bytes.length; at++) assert.deepEqual(eventsOf(cut(bytes, [at])), events, `cut at ${at}`);
      assert.deepEqual(eventsOf(Array.from(bytes, (byte) => Uint8Array.of(byte))), events);
    });
  }

  it('of any data comes out as it went in, however it is written and cut', () => {
    const line = fc.string({ unit: 'binary' }).map((text) => text.replace(/[\r\n\uFEFF]/g, ''));
    const data = fc.array(line, { minLength: 1, maxLength: 3 });
    const ending = fc.constantFrom('\n', '\r\n', '\r');
    fc.assert(
      fc.property(fc.array(data), ending, fc.array(fc.nat()), (events, end, places) => {
        const text = events
          .map((lines) => `${lines.map((part) => `data: ${part}${end}`).join('')}:c${end}${end}`)
          .join('');
        const bytes = Buffer.from(text);
        const wanted = events.map((lines) => Buffer.from(lines.join('\n')).toString());
        assert.deepEqual(
          eventsOf(
            cut(
              bytes,
              places.map((place) => place % (bytes.length + 1)),
            ),
          ),
          wanted,
        );
      }),
    );
  });

  it('of any bytes is read without a throw', () => {
    fc.assert(fc.property(fc.array(fc.uint8Array()), (chunks) => void eventsOf(chunks)));
  });
});

const token = (text: string): string => `data: {"choices":[{"index":0,"delta":{"content":"${text}"}}]}\n\n`;
const done = 'data: [DONE]\n\n';

/** Pieces with the time at which each comes. */
function observe(pieces: readonly (readonly [number, string])[]): StreamObserver {
  const observer = new StreamObserver();
  observer.start();
  for (const [atNs, text] of pieces) observer.push(Buffer.from(text), atNs);
  return observer;
}

describe('a streamed reply', () => {
  it('has a first token, gaps between its tokens, and a count by its events', () => {
    const observer = observe([
      [5, ': ping\n\n'],
      [6, 'data: {"choices":[{"delta":{"role":"assistant","content":""}}]}\n\n'],
      [10, token('a')],
      [25, token('b') + token('c')],
      [30, `${done}`],
    ]);
    assert.equal(observer.problem(), null);
    assert.deepEqual(observer.reply(), {
      firstTokenNs: 10,
      lastTokenNs: 25,
      gapsNs: [15, 0],
      tokens: 3,
      byUsage: false,
    });
  });

  it('has the count of the server where it tells one', () => {
    const usage = 'data: {"choices":[],"usage":{"prompt_tokens":9,"completion_tokens":7}}\n\n';
    const reply = observe([
      [1, token('a')],
      [2, token('b')],
      [3, usage + done],
    ]).reply();
    assert.equal(reply?.tokens, 7);
    assert.equal(reply?.byUsage, true);
    const nothing = 'data: {"choices":[],"usage":null}\n\n';
    assert.equal(
      observe([
        [1, token('a')],
        [3, nothing + done],
      ]).reply()?.byUsage,
      false,
    );
  });

  const texts: readonly (readonly [string, string])[] = [
    ['chat', '{"delta":{"content":"x"}}'],
    ['completions', '{"text":"x"}'],
    ['thoughts', '{"delta":{"reasoning_content":"x"}}'],
    ['thoughts by another name', '{"delta":{"reasoning":"x"}}'],
    ['tools', '{"delta":{"tool_calls":[{"index":0}]}}'],
  ];
  for (const [what, choice] of texts) {
    it(`counts the tokens of ${what}`, () => {
      assert.equal(observe([[1, `data: {"choices":[${choice}]}\n\n${done}`]]).reply()?.tokens, 1);
    });
  }

  it('is complete by a reason to finish where no [DONE] comes', () => {
    const finish = 'data: {"choices":[{"delta":{},"finish_reason":"stop"}]}\n\n';
    assert.equal(observe([[1, token('a') + finish]]).problem(), null);
  });

  const problems: readonly (readonly [string, string, RegExp])[] = [
    ['nothing', '', /holds no event.*"stream": true/],
    ['plain JSON', '{"choices":[]}', /holds no event/],
    ['no end', token('a'), /ended before \[DONE\]/],
    ['no token', done, /without a token/],
    ['no JSON', `${token('a')}data: oops\n\n${done}`, /no JSON object: oops/],
    ['a list', `data: []\n\n${done}`, /no JSON object/],
    [
      'an error',
      `${token('a')}data: {"error":{"message":"out of\\nmemory"}}\n\n`,
      /^error in the stream: out of memory$/,
    ],
    ['an error as text', `data: {"error":"busy"}\n\n${done}`, /error in the stream: busy/],
    ['an error of its own shape', `data: {"error":{"code":7}}\n\n${done}`, /\{"code":7\}/],
  ];
  for (const [what, text, problem] of problems) {
    it(`with ${what} is told as a failure`, () => {
      const observer = observe([[1, text]]);
      assert.match(observer.problem() ?? '', problem);
      assert.equal(observer.reply(), null);
    });
  }

  it('leaves nothing behind for the next', () => {
    const observer = observe([[1, `${token('a')}data: {"error":"x"}\n\ndata: ha`]]);
    observer.start();
    observer.push(Buffer.from(token('b') + done), 40);
    assert.deepEqual(observer.reply(), { firstTokenNs: 40, lastTokenNs: 40, gapsNs: [], tokens: 1, byUsage: false });
  });
});
