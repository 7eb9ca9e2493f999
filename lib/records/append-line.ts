/** A file of lines that a kill at any moment leaves readable. */
import { type FileHandle, open } from 'node:fs/promises';

const newline = 0x0a;

/** Appends the line and waits until it is on the disk. Throws what the file system throws. */
export async function appendLine(path: string, line: string): Promise<void> {
  const file = await open(path, 'a+');
  try {
    await endLastLine(file);
    await file.appendFile(`${line}\n`);
    await file.sync();
  } finally {
    await file.close();
  }
}

/**
 * A kill in the middle of a write leaves a last line without an end. Half a record is dropped, since its trial never
 * finished; a whole one is ended, since readers count it.
 */
async function endLastLine(file: FileHandle): Promise<void> {
  const { size } = await file.stat();
  // Nearly always it is ended, and a long study is not read again for each of its trials.
  if (size === 0 || (await bytesOf(file, size - 1, size))[0] === newline) return;
  const content = await bytesOf(file, 0, size);
  const start = content.lastIndexOf(newline) + 1;
  if (isJson(content.toString('utf8', start))) await file.appendFile('\n');
  else await file.truncate(start);
}

async function bytesOf(file: FileHandle, from: number, to: number): Promise<Buffer> {
  const content = Buffer.alloc(to - from);
  await file.read(content, 0, content.length, from);
  return content;
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}
