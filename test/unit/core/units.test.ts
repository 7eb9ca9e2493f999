/** Parsing and printing of quantities. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import {
  bytes,
  formatBytes,
  formatDuration,
  formatRate,
  formatSpan,
  grouped,
  milliseconds,
  ns,
  parseBytes,
  parseDuration,
  seconds,
  toMilliseconds,
  toSeconds,
} from '../../../lib/core/units.ts';

const seed = 20261122;

describe('parseDuration', () => {
  const accepted: readonly (readonly [string, number])[] = [
    ['0s', 0],
    ['1ns', 1],
    ['20us', 20e3],
    ['250ms', 250e6],
    ['1.5s', 1.5e9],
    ['30 s', 30e9],
    [' 2m ', 120e9],
    ['2h', 7200e9],
  ];
  for (const [text, expectedNs] of accepted) {
    it(`reads '${text}' as ${expectedNs} ns`, () => assert.equal(parseDuration(text), expectedNs));
  }

  for (const text of ['', '30', 's', '-1s', '1e3s', '30S', '1,5s', '5 days', 'NaNs', '1s2s', '١s']) {
    it(`refuses '${text}' and says what a duration looks like`, () => {
      assert.throws(() => parseDuration(text), {
        name: 'RangeError',
        message: /needs a number with a unit .*such as 30s/,
      });
    });
  }
});

describe('parseBytes', () => {
  const accepted: readonly (readonly [string, number])[] = [
    ['0B', 0],
    ['1KiB', 1024],
    ['1.5MiB', 1572864],
    ['2 GiB', 2 ** 31],
    ['1TiB', 2 ** 40],
  ];
  for (const [text, expectedBytes] of accepted) {
    it(`reads '${text}' as ${expectedBytes} bytes`, () => assert.equal(parseBytes(text), expectedBytes));
  }

  for (const text of ['512', '2gib', '2G', '-1B', '1KB', 'GiB']) {
    it(`refuses '${text}'`, () => assert.throws(() => parseBytes(text), { name: 'RangeError' }));
  }

  it('refuses an amount beyond what a number holds exactly', () => {
    assert.throws(() => parseBytes('99999999TiB'), /not an amount of memory/);
  });
});

describe('the brands', () => {
  for (const value of [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]) {
    it(`take ${value} for no quantity`, () => {
      assert.throws(() => ns(value), { name: 'RangeError' });
      assert.throws(() => bytes(value), { name: 'RangeError' });
    });
  }

  it('round a time to whole nanoseconds and take a negative one, as a difference', () => {
    assert.equal(ns(1.6), 2);
    assert.equal(ns(-5), -5);
  });

  for (const value of [-1, 0.5, 2 ** 53]) {
    it(`refuse ${value} bytes`, () => assert.throws(() => bytes(value), { name: 'RangeError' }));
  }

  it('convert seconds and milliseconds there and back', () => {
    const property = fc.property(fc.integer({ min: 0, max: 1e9 }), (value) => {
      assert.equal(toMilliseconds(milliseconds(value)), value);
      assert.equal(toSeconds(seconds(value / 1000)), value / 1000);
    });
    fc.assert(property, { seed });
  });
});

describe('formatDuration', () => {
  const cases: readonly (readonly [number, string])[] = [
    [0, '0.00 ns'],
    [999, '999 ns'],
    [999_999, '1.00 ms'],
    [9996, '10.0 us'],
    [99_960, '100 us'],
    [1250, '1.25 us'],
    [1_250_000, '1.25 ms'],
    [12_500_000, '12.5 ms'],
    [125_000_000, '125 ms'],
    [30e9, '30.0 s'],
    [-1_250_000, '-1.25 ms'],
  ];
  for (const [value, text] of cases) {
    it(`prints ${value} ns as ${text}`, () => assert.equal(formatDuration(ns(value)), text));
  }

  it('never loses more than half of the third digit', () => {
    const property = fc.property(fc.integer({ min: 1, max: 9e11 }), (value) => {
      const again = parseDuration(formatDuration(ns(value)));
      assert.ok(Math.abs(again - value) <= value * 0.0051, `${value} came back as ${again}`);
    });
    fc.assert(property, { seed });
  });
});

describe('the other printed forms', () => {
  const spans: readonly (readonly [number, string])[] = [
    [0, '0 s'],
    [8e9, '8 s'],
    [130e9, '2 m 10 s'],
    [3900e9, '1 h 05 m'],
    [-5e9, '0 s'],
  ];
  for (const [value, text] of spans) {
    it(`tell a wait of ${value} ns as ${text}`, () => assert.equal(formatSpan(ns(value)), text));
  }

  const amounts: readonly (readonly [number, string])[] = [
    [0, '0 B'],
    [1023, '1023 B'],
    [1024, '1.0 KiB'],
    [518 * 1024 ** 2, '518.0 MiB'],
    [-274 * 1024 ** 2, '-274.0 MiB'],
    [3 * 1024 ** 4, '3.0 TiB'],
  ];
  for (const [value, text] of amounts) {
    it(`print ${value} bytes as ${text}`, () => assert.equal(formatBytes(value), text));
  }

  for (const [value, decimalPlaces, text] of [
    [0, undefined, '0'],
    [999, undefined, '999'],
    [1000, undefined, '1,000'],
    [1234567.8912, undefined, '1,234,567.891'],
    [-1234.5, undefined, '-1,234.5'],
    [0.0625, undefined, '0.063'],
    [1234567, 1, '1,234,567.0'],
    [999.96, 1, '1,000.0'],
  ] as const) {
    it(`print ${value} with thousands apart`, () => assert.equal(grouped(value, decimalPlaces), text));
  }

  it('print a rate with a separator and one decimal', () => assert.equal(formatRate(1234.54), '1,234.5 /s'));
});
