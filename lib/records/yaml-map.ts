/** A map of keys as YAML: read with errors that name the line, and with the place of every value in it. */
import { type Document, isMap, LineCounter, parseDocument } from 'yaml';
import { type ErrorCode, MpsbenchError, messageOf } from '../core/errors.ts';

export type Path = readonly PropertyKey[];

export interface YamlMap {
  /** What was written, not validated. */
  readonly value: Record<string, unknown>;
  /** "plan.yaml line 4": the place of the value, or of the nearest one around it. */
  readonly locate: (path: Path) => string | null;
}

export interface YamlFault {
  /** Of what is thrown. */
  readonly code: ErrorCode;
  /** What is said of a text that is not a map, with the mend. */
  readonly notMap: string;
}

/** Throws an error of that code for a syntax error, a duplicate key and a text that is not a map. Empty = no keys. */
export function parseYamlMap(text: string, source: string, fault: YamlFault): YamlMap {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false });
  const problem = document.errors[0];
  if (problem) {
    const { line } = lines.linePos(problem.pos[0]);
    throw new MpsbenchError(fault.code, `${source} line ${line}: ${problem.message}; mend the YAML there`);
  }
  const value = plainValue(document, source, fault);
  if (value !== null && !isMap(document.contents)) throw new MpsbenchError(fault.code, `${source}: ${fault.notMap}`);
  return {
    value: (value ?? {}) as Record<string, unknown>,
    locate: (path) => {
      for (let length = path.length; length > 0; length--) {
        const node = document.getIn(path.slice(0, length), true) as
          | { range?: [number, number, number] | null }
          | undefined;
        if (node?.range) return `${source} line ${lines.linePos(node.range[0]).line}`;
      }
      return null;
    },
  };
}

/** Aliases are resolved here, not while parsing: one without an anchor is a fault of the text too. */
function plainValue(document: Document, source: string, fault: YamlFault): unknown {
  try {
    return document.toJS();
  } catch (cause) {
    throw new MpsbenchError(fault.code, `${source}: ${messageOf(cause)}; mend the YAML there`, { cause });
  }
}

/** "endpoints[0].url". */
export function pathText(path: Path): string {
  return path
    .map((part) => (typeof part === 'number' ? `[${part}]` : String(part)))
    .join('.')
    .replaceAll('.[', '[');
}
