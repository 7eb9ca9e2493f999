/** Requests for a model, in JSON or with binary tensors: made up from its metadata, or read from the user's files. */
import { readFileSync } from 'node:fs';
import { MpsbenchError, messageOf } from '../../core/errors.ts';
import { randomStream } from '../../core/random.ts';
import type { KservePlan } from '../../records/server-plans/kserve.ts';
import { jsonLengthOf } from './json-head.ts';
import type { ModelMetadata, TensorMetadata } from './protocol.ts';
import { binaryOnly, drawValues, packValues, type TensorValue } from './tensor-data.ts';

/** The same headers go with every body: they are fixed for a load run. */
export interface InferRequests {
  readonly headers: Readonly<Record<string, string>>;
  readonly bodies: readonly Uint8Array[];
}

const sampleCount = 8;
export const jsonLengthHeader = 'inference-header-content-length';

/** Throws BODY_UNREADABLE for a file that is none, SERVER_CHECK_FAILED for a model that needs to be told more. */
export function inferRequests(plan: KservePlan, model: ModelMetadata): InferRequests {
  const { encoding } = plan;
  if (plan.bodies.length > 0) return readRequests(plan.bodies, encoding);
  const random = randomStream(plan.seed, 'payload');
  const tensors = model.inputs.map((input) => ({ input, shape: shapeOf(input, plan) }));
  const samples = Array.from({ length: sampleCount }, () =>
    tensors.map(({ input, shape }) => ({ input, shape, values: drawValues(input.datatype, sizeOf(shape), random) })),
  );
  if (encoding === 'json') return jsonRequests(samples.map(jsonBody));
  return binaryRequests(samples.map(binaryParts));
}

interface Tensor {
  readonly input: TensorMetadata;
  readonly shape: readonly number[];
  readonly values: readonly TensorValue[];
}

function jsonBody(tensors: readonly Tensor[]): Uint8Array {
  const unfit = tensors.find(({ input }) => binaryOnly.includes(input.datatype));
  if (unfit) {
    const what = `input ${unfit.input.name} is ${unfit.input.datatype}, for which JSON has no form`;
    throw new MpsbenchError('SERVER_CHECK_FAILED', `${what}; set server.encoding to binary`);
  }
  const inputs = tensors.map(({ input: { name, datatype }, shape, values }) => ({
    name,
    datatype,
    shape,
    data: values,
  }));
  return Buffer.from(JSON.stringify({ inputs }));
}

interface BinaryParts {
  readonly json: Uint8Array;
  readonly data: Uint8Array;
}

function binaryParts(tensors: readonly Tensor[]): BinaryParts {
  const packed = tensors.map(({ input, values }) => packValues(input.datatype, values));
  const inputs = tensors.map(({ input: { name, datatype }, shape }, index) => ({
    name,
    datatype,
    shape,
    parameters: { binary_data_size: packed[index]?.length ?? 0 },
  }));
  // Replies in binary too, or the server would spell out every output in text.
  const json = Buffer.from(JSON.stringify({ inputs, parameters: { binary_data_output: true } }));
  return { json, data: Buffer.concat(packed) };
}

function jsonRequests(bodies: readonly Uint8Array[]): InferRequests {
  return { headers: { 'content-type': 'application/json' }, bodies };
}

/** White space after the JSON brings it to one length, since one header tells the length for all bodies. */
function binaryRequests(parts: readonly BinaryParts[]): InferRequests {
  const length = Math.max(...parts.map(({ json }) => json.length));
  const bodies = parts.map(({ json, data }) => Buffer.concat([json, Buffer.alloc(length - json.length, ' '), data]));
  return { headers: { 'content-type': 'application/octet-stream', [jsonLengthHeader]: String(length) }, bodies };
}

function readRequests(files: readonly string[], encoding: KservePlan['encoding']): InferRequests {
  const contents = files.map(readBody);
  if (encoding === 'json') return jsonRequests(contents);
  return binaryRequests(
    contents.map((bytes, index) => {
      const length = jsonLengthOf(bytes);
      if (length !== null) return { json: bytes.subarray(0, length), data: bytes.subarray(length) };
      const what = `the request body ${files[index]} does not begin with a JSON object`;
      throw new MpsbenchError('BODY_UNREADABLE', `${what}; put the tensors behind it, or set server.encoding to json`);
    }),
  );
}

function readBody(file: string): Uint8Array {
  try {
    return readFileSync(file);
  } catch (cause) {
    const what = `cannot read the request body ${file}: ${messageOf(cause)}`;
    throw new MpsbenchError('BODY_UNREADABLE', `${what}; name readable files as server.bodies`, { cause });
  }
}

/** What the plan says, else the model's own with a batch of one. */
function shapeOf({ name, shape }: TensorMetadata, { shapes }: KservePlan): readonly number[] {
  const told = shapes[name];
  if (told !== undefined) return told;
  const filled = shape.map((length, index) => (length === -1 && index === 0 ? 1 : length));
  if (filled.every((length) => length >= 0)) return filled;
  const what = `input ${name} of the model takes any length in its shape [${shape.join(', ')}]`;
  throw new MpsbenchError('SERVER_CHECK_FAILED', `${what}; say which under server.shapes, such as {${name}: [1, 128]}`);
}

function sizeOf(shape: readonly number[]): number {
  return shape.reduce((product, length) => product * length, 1);
}
