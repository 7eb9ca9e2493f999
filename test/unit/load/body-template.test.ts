/** Templates of bodies: which fields there are, and what a request makes of them. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { codeOf } from '../../../lib/core/errors.ts';
import { bodyFiller, parseTemplate } from '../../../lib/load/body-template.ts';

const bytes = (text: string): Uint8Array => Buffer.from(text, 'utf8');
const fill = (text: string, number: number, seed = 1): string =>
  bodyFiller(parseTemplate(bytes(text), 'body'), seed)(number).toString('utf8');

describe('a template', () => {
  it('counts the requests with a constant width', () => {
    assert.deepEqual([fill('{{counter}}', 0), fill('{{counter:3}}', 41)], ['0000000000', '041']);
    assert.equal(fill('{{counter:3}}', 12_345), '345', 'starts anew beyond its width');
  });

  it('draws hexadecimal digits that follow from the seed and the number alone', () => {
    const text = '{{random}} {{random:40}}';
    assert.match(fill(text, 3), /^[0-9a-f]{16} [0-9a-f]{40}$/);
    assert.equal(fill(text, 3), fill(text, 3));
    assert.notEqual(fill(text, 3), fill(text, 4));
    assert.notEqual(fill(text, 3, 1), fill(text, 3, 2));
    const [first = '', second = ''] = fill(text, 3).split(' ');
    assert.ok(!second.startsWith(first), 'two fields of a request are not alike');
  });

  it('makes UUIDs of version 4', () => {
    for (let number = 0; number < 50; number++) {
      assert.match(fill('{{uuid}}', number), /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
    }
  });

  it('leaves every other byte alone, and blanks inside the braces out', () => {
    assert.equal(fill('{"é": {"a": "{{ counter:2 }}"}}', 7), '{"é": {"a": "07"}}');
    assert.equal(fill('{}{{}', 7), '{}{{}');
  });

  it('sends {{ where {{{{ stands, beside fields and as the start of what would be one', () => {
    assert.equal(fill('{{{{name}} {{counter:2}}', 7), '{{name}} 07');
    assert.equal(fill('{{{{counter}}', 7), '{{counter}}');
    assert.equal(fill('{{{{{{counter:2}}', 7), '{{07', 'an escape, then a field');
    assert.equal(fill('{{{counter:2}}}', 7), '{07}', 'a brace around a field');
    assert.equal(fill('{"a":{"b":{"c":{"d":"{{counter:1}}"}}}}', 7), '{"a":{"b":{"c":{"d":"7"}}}}');
  });

  const pieces = fc.array(fc.constantFrom('{', '{{', '{{{{', '}', '}}', '}}}}', '{{counter}}', '{{name}}', 'é', ' '));

  it('sends any text once its opening braces are doubled in pairs', () => {
    fc.assert(
      fc.property(pieces, fc.nat(), (parts, number) => {
        const text = parts.join('');
        assert.equal(fill(text.replaceAll('{{', '{{{{'), number), text);
      }),
    );
  });

  it('leaves a body alone that has neither a field nor four opening braces in a row', () => {
    const without = pieces.map((parts) => parts.join('')).filter((text) => !/\{{4}|\{\{[^{}]*\}\}/.test(text));
    fc.assert(fc.property(without, fc.nat(), (text, number) => assert.equal(fill(text, number), text)));
  });

  it('has the length of each of its requests', () => {
    const template = parseTemplate(bytes('a{{counter:4}}b{{uuid}}c{{random:7}}'), 'body');
    assert.equal(template.bytes.length, bodyFiller(template, 1)(999_999).length);
    assert.equal(template.bytes.length, 1 + 4 + 1 + 36 + 1 + 7);
  });

  const mistakes: readonly [string, RegExp][] = [
    ['{{conter}}', /^field '\{\{conter\}\}' of template 'x\.json' is unknown; did you mean \{\{counter\}\}\?/],
    ['{{rand:8}}', /did you mean \{\{random\}\}\?/],
    ['{{title}}', /\(to send it as it is, write \{\{\{\{title\}\}\)$/],
    ['{{name}}', /the fields are \{\{counter\}\}, \{\{random\}\}, \{\{uuid\}\}/],
    ['{{}}', /the fields are/],
    ['{{counter:0}}', /a width from 1 to 19/],
    ['{{counter:x}}', /a width from 1 to 19/],
    ['{{random:257}}', /a width from 1 to 256/],
    ['{{random:1:2}}', /a width from 1 to 256/],
    ['{{uuid:36}}', /write \{\{uuid\}\}/],
    ['{{random:256}}'.repeat(5), /over 1024 random digits/],
  ];
  for (const [text, pattern] of mistakes) {
    it(`refuses ${text.slice(0, 20)} as a usage error in one line`, () => {
      assert.throws(
        () => parseTemplate(bytes(text), 'x.json'),
        (thrown: Error) => {
          assert.equal(codeOf(thrown), 'USAGE');
          assert.match(thrown.message, pattern);
          assert.ok(!thrown.message.includes('\n'));
          return true;
        },
      );
    });
  }
});
