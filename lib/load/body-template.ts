/** Bodies with fields that differ from request to request, of constant length, the same bytes for the same seed. */
import { closest, distance } from 'fastest-levenshtein';
import { MpsbenchError } from '../core/errors.ts';
import { bitsAt, streamState } from '../core/random.ts';

/** In the order of TemplateField::Kind in native/load/load_spec.h. */
export const templateFieldKinds = ['counter', 'random', 'uuid'] as const;
export type TemplateFieldKind = (typeof templateFieldKinds)[number];

export interface TemplateField {
  readonly kind: TemplateFieldKind;
  /** Into the body. */
  readonly offset: number;
  readonly width: number;
  /** Of the random numbers of a request, the first that is the field's own. */
  readonly firstDraw: number;
}

/** A body as it goes over the wire, with room for its fields; none = always the same. */
export interface BodyTemplate {
  readonly bytes: Uint8Array;
  readonly fields: readonly TemplateField[];
}

/** Random numbers of 64 bits that each request has for itself; kDrawsPerRequest in C++. */
const drawsPerRequest = 64;
const digitsPerDraw = 16;
const uuidShape = 'xxxxxxxx-xxxx-4xxx-yxxx-xxxxxxxxxxxx';
const widths = {
  counter: { usual: 10, most: 19 },
  random: { usual: 16, most: 256 },
  uuid: { usual: uuidShape.length, most: uuidShape.length },
} as const;

/** Braces to be sent, or a field. Closing ones need no such form, and "}}}}" is how much JSON ends. */
const marks = /(\{\{\{\{)|\{\{([^{}]*)\}\}/g;

/**
 * "{{counter}}" is a field; "{{{{" stands for "{{", and every other brace for itself. `name` tells
 * people which body. Throws USAGE for a field that is none, with the nearest.
 */
export function parseTemplate(body: Uint8Array, name: string): BodyTemplate {
  const text = Buffer.from(body.buffer, body.byteOffset, body.byteLength).toString('latin1');
  const fields: TemplateField[] = [];
  let made = '';
  let readUntil = 0;
  let firstDraw = 0;
  for (const match of text.matchAll(marks)) {
    made += text.slice(readUntil, match.index);
    readUntil = match.index + match[0].length;
    const [, escaped, inside = ''] = match;
    if (escaped !== undefined) {
      made += '{{';
      continue;
    }
    const { kind, width } = parseField(inside, name);
    fields.push({ kind, offset: made.length, width, firstDraw });
    made += '0'.repeat(width);
    firstDraw += kind === 'counter' ? 0 : Math.ceil(width / digitsPerDraw);
  }
  if (firstDraw > drawsPerRequest) {
    const most = drawsPerRequest * digitsPerDraw;
    throw new MpsbenchError('USAGE', `template '${name}' has over ${most} random digits: use fewer or shorter fields`);
  }
  return { bytes: Buffer.from(made + text.slice(readUntil), 'latin1'), fields };
}

/** "counter", "random:8" */
function parseField(text: string, name: string): { kind: TemplateFieldKind; width: number } {
  const [word = '', given, ...rest] = text.trim().split(':');
  const kind = templateFieldKinds.find((known) => known === word);
  if (kind === undefined) throw unknownField(word, name);
  const { usual, most } = widths[kind];
  if (given === undefined) return { kind, width: usual };
  const width = /^\d+$/.test(given) ? Number(given) : Number.NaN;
  if (kind !== 'uuid' && rest.length === 0 && width >= 1 && width <= most) return { kind, width };
  const advice = kind === 'uuid' ? 'write {{uuid}}' : `give a width from 1 to ${most}, such as {{${kind}:${usual}}}`;
  throw new MpsbenchError('USAGE', `field '{{${text}}}' of template '${name}' has no such width: ${advice}`);
}

function unknownField(word: string, name: string): MpsbenchError {
  const nearest = closest(word, templateFieldKinds);
  const advice =
    distance(word, nearest) <= Math.max(2, word.length / 2)
      ? `did you mean {{${nearest}}}?`
      : `the fields are ${templateFieldKinds.map((kind) => `{{${kind}}}`).join(', ')}`;
  return new MpsbenchError(
    'USAGE',
    `field '{{${word}}}' of template '${name}' is unknown; ${advice} (to send it as it is, write {{{{${word}}})`,
  );
}

/** Makes the body of the request with that number, counted from 0 in the order in which requests fall due. */
export type BodyFiller = (number: number) => Buffer;

export function bodyFiller({ bytes, fields }: BodyTemplate, seed: number): BodyFiller {
  const state = templateStream(seed);
  return (number) => {
    const body = Buffer.from(bytes);
    for (const field of fields) body.write(fieldText(field, state, BigInt(number)), field.offset, 'latin1');
    return body;
  };
}

/** Where the random numbers of templates start. */
export function templateStream(seed: number): bigint {
  return streamState(seed, 'template');
}

function fieldText({ kind, width, firstDraw }: TemplateField, state: bigint, number: bigint): string {
  if (kind === 'counter') return String(number).padStart(width, '0').slice(-width);
  const first = number * BigInt(drawsPerRequest) + BigInt(firstDraw);
  let digits = '';
  for (let draw = 0n; digits.length < width; draw++) {
    digits += bitsAt(state, first + draw)
      .toString(16)
      .padStart(digitsPerDraw, '0');
  }
  return kind === 'random' ? digits.slice(0, width) : uuidText(digits);
}

/** Version 4, of the digits in their order. */
function uuidText(digits: string): string {
  let next = 0;
  return uuidShape.replace(/[x4y]/g, (shape) => {
    const digit = digits[next++] as string;
    if (shape === '4') return '4';
    return shape === 'y' ? (8 | (Number.parseInt(digit, 16) & 3)).toString(16) : digit;
  });
}
