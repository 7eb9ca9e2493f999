/** Parsers of what nvidia-cuda-mps-control prints, on captured transcripts and on any text at all. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import fc from 'fast-check';
import { MpsbenchError } from '../../../lib/core/errors.ts';
import * as transcript from '../../../lib/mps/transcript.ts';

interface Exchange {
  readonly command: string;
  readonly text: string;
}

const folder = fileURLToPath(new URL('../../fixtures/mps/', import.meta.url));

/** "$ command", its output, "[rc n]"; lines that begin with # are about the file. */
function exchangesIn(name: string): Exchange[] {
  const body = readFileSync(`${folder}${name}`, 'utf8').replaceAll(/^#.*\n/gm, '');
  return [...body.matchAll(/^\$ (.*)\n([\s\S]*?)^\[rc \d+\]$/gm)].map((match) => ({
    command: match[1] as string,
    text: match[2] as string,
  }));
}

const parsers: readonly (readonly [RegExp, transcript.Parser<unknown>])[] = [
  [/^get_server_list$|^get_client_list \d+$/, transcript.parsePidList],
  [/^get_server_status \d+$/, transcript.parseServerStatus],
  [/_active_thread_percentage\b/, transcript.parsePercentage],
  [/^ps$/, transcript.parsePs],
  [/^start_server |^quit/, transcript.parseSilence],
  [/^-v$/, transcript.parseVersion],
];

function parsed(exchange: Exchange): unknown {
  const parse = parsers.find(([pattern]) => pattern.test(exchange.command))?.[1];
  const answer = parse?.(exchange.command, exchange.text);
  return answer?.kind === 'facts' ? answer.facts : answer?.reason;
}

/** Facts of the commands that mpsbench uses, in order. */
function factsOf(fixture: string): (readonly [string, unknown])[] {
  return exchangesIn(fixture)
    .filter(({ command }) => parsers.some(([pattern]) => pattern.test(command)))
    .map((exchange) => [exchange.command, parsed(exchange)]);
}

const row = (pid: number) => ({
  pid,
  serverPid: 455,
  device: 'GPU-5afed850-f18f-04df',
  command: 'python3',
  status: null,
});

describe('transcripts of driver 580.159.04', () => {
  it('give the facts of a daemon without clients, a refused value told by the value that is printed', () => {
    assert.deepEqual(factsOf('idle-daemon.txt'), [
      ['get_server_list', []],
      ['ps', 'server-not-found'],
      ['start_server -uid 0', true],
      ['get_server_list', [455]],
      ['get_server_status 455', 'ACTIVE'],
      ['get_client_list 455', []],
      ['get_client_list 1', 'server-not-found'],
      ['ps', []],
      ['get_default_active_thread_percentage', 100],
      ['set_default_active_thread_percentage 40', 40],
      ['set_default_active_thread_percentage 140', 40],
      ['set_active_thread_percentage 455 50', 50],
      ['get_active_thread_percentage 455', 50],
      ['set_active_thread_percentage 455 100', 100],
      ['set_default_active_thread_percentage 100', 100],
    ]);
  });

  const cases: readonly (readonly [string, readonly (readonly [string, unknown])[]])[] = [
    ['no-daemon.txt', [['get_server_list', 'no-daemon']]],
    ['version.txt', [['-v', 13000]]],
    [
      'two-clients.txt',
      [
        ['ps', [row(569), row(568)]],
        ['get_client_list 455', [569, 568]],
      ],
    ],
    [
      'client-killed.txt',
      [
        ['get_server_status 455', 'ACTIVE'],
        ['ps', [row(569)]],
      ],
    ],
  ];
  for (const [fixture, expected] of cases) {
    it(`give the facts of ${fixture}`, () => assert.deepEqual(factsOf(fixture), expected));
  }

  it('say which driver and device they come from', () => {
    for (const name of readdirSync(folder)) {
      assert.match(readFileSync(folder + name, 'utf8'), /^# .*driver 580\.159\.04.*H100/, name);
    }
  });
});

describe('the ps table', () => {
  const read = (text: string): unknown => transcript.parsePs('ps', text);
  it('is read by its head, with more columns than are known and a command that holds blanks', () => {
    const text = [
      'PID  ID  SERVER  DEVICE        NAMESPACE   COMMAND        STATUS  ATTRIBUTES',
      '12   1   7       GPU-0123-456  4026531836  my worker (2)  ACTIVE  N/A',
    ].join('\n');
    const facts = [{ pid: 12, serverPid: 7, device: 'GPU-0123-456', command: 'my worker (2)', status: 'ACTIVE' }];
    assert.deepEqual(read(text), { kind: 'facts', facts });
  });

  const broken: readonly (readonly [string, string])[] = [
    ['a row with too few cells', 'PID ID SERVER DEVICE NAMESPACE COMMAND\n12 1 7'],
    ['a row with surplus cells and no command', 'PID SERVER\n12 7 9'],
    ['a PID that is no number', 'PID SERVER COMMAND\nx 7 a'],
    ['no SERVER column', 'PID COMMAND\n12 a'],
    ['a column twice', 'PID PID SERVER COMMAND\n12 12 7 a'],
    ['a head in other words', 'Pid SERVER PID COMMAND\n12 7 12 a'],
  ];
  for (const [what, text] of broken) {
    it(`is unknown output with ${what}`, () => assert.throws(() => read(text), { code: 'MPS_UNKNOWN_OUTPUT' }));
  }
});

describe('refusals', () => {
  const texts: Record<string, transcript.RefusalReason> = {
    'Cannot find MPS control daemon process\n': 'no-daemon',
    'Cannot authenticate or connect to MPS control daemon process': 'not-connected',
    'Cannot send command to MPS control daemon process': 'not-connected',
    'An instance of this daemon is already running': 'already-running',
    'Cannot access CUDA_MPS_PIPE_DIRECTORY=/x': 'pipe-directory',
    'Server not found': 'server-not-found',
    'Server 1 not found': 'server-not-found',
    'Unknown command "lspart"': 'unknown-command',
    'Insufficient privileges for UID 1000. Only the root user may start it': 'insufficient-privileges',
    'Not enough privilege to execute quit command': 'insufficient-privileges',
    'Invalid percentage, expected between (0.0, 100.0]': 'invalid-percentage',
    'The MPS control daemon is shutting down': 'shutting-down',
  };
  for (const [text, reason] of Object.entries(texts)) {
    it(`'${text.trim()}' is ${reason} for every command`, () => {
      for (const [, parse] of parsers) {
        assert.deepEqual(parse('x', text), { kind: 'refused', reason, text: text.trim() });
      }
    });
  }
});

describe('text that is not known', () => {
  const cases: readonly (readonly [transcript.Parser<unknown>, string])[] = [
    [transcript.parsePidList, '455 456'],
    [transcript.parsePidList, '-1333654781'],
    [transcript.parsePidList, '0455'],
    [transcript.parseServerStatus, 'Active'],
    [transcript.parseServerStatus, ''],
    [transcript.parsePercentage, ''],
    [transcript.parsePercentage, '0.0'],
    [transcript.parsePercentage, '100.1'],
    [transcript.parsePercentage, '1e2'],
    [transcript.parseSilence, 'ok'],
    [transcript.parseVersion, 'CUDA MPS Control'],
  ];
  for (const [parse, text] of cases) {
    it(`${JSON.stringify(text)} is MPS_UNKNOWN_OUTPUT with the command in it`, () => {
      assert.throws(() => parse('some command', text), { code: 'MPS_UNKNOWN_OUTPUT', message: /'some command'/ });
    });
  }

  it('is shown shortened and on one line', () => {
    const { message } = transcript.unknownOutput('ps', `first\nsecond\u001b[31m${'x'.repeat(5000)}`);
    assert.match(message, /"first\\nsecond\\u001b\[31mx+…"/);
    assert.ok(message.length < 400 && !message.includes('\n'));
  });

  it('gives facts or MPS_UNKNOWN_OUTPUT for any text, never anything else', () => {
    const known = readdirSync(folder).flatMap(exchangesIn);
    const words = fc.constantFrom(
      'PID',
      'SERVER',
      'COMMAND',
      '455',
      '0',
      ' ',
      '\n',
      '\t',
      '50.0',
      'ACTIVE',
      'not found',
    );
    const cut = fc
      .tuple(fc.constantFrom(...known), fc.nat(600), fc.nat(600), fc.string())
      .map(([{ text }, from, to, put]) => text.slice(0, from) + put + text.slice(to));
    const anyText = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.array(words).map((list) => list.join(' ')),
      cut,
    );
    fc.assert(
      fc.property(anyText, fc.constantFrom(...parsers), (text, [, parse]) => {
        try {
          assert.ok(['facts', 'refused'].includes(parse('x', text).kind));
        } catch (thrown) {
          assert.ok(thrown instanceof MpsbenchError && thrown.code === 'MPS_UNKNOWN_OUTPUT', String(thrown));
        }
      }),
      { numRuns: 2000 },
    );
  });
});
