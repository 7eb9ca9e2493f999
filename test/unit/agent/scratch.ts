/** Files of one test: a token, and a certificate of this moment. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';

export const token = '0123456789abcdef0123456789abcdef';

const folder = mkdtempSync(join(tmpdir(), 'mpsbench-agent-'));
process.on('exit', () => rmSync(folder, { recursive: true, force: true }));

/** Path of a new file that only its owner may read, unless told otherwise. */
export function file(name: string, text: string, mode = 0o600): string {
  const path = join(mkdtempSync(join(folder, 'f-')), name);
  writeFileSync(path, text, { mode });
  return path;
}

/** Of openssl: for localhost, valid for so many days from now on. */
export function certificate(days = 1): { readonly certificateFile: string; readonly keyFile: string } {
  const own = mkdtempSync(join(folder, 'tls-'));
  const [keyFile, certificateFile, request] = [join(own, 'key.pem'), join(own, 'cert.pem'), join(own, 'request.pem')];
  const extensions = join(own, 'extensions');
  writeFileSync(extensions, 'subjectAltName=DNS:localhost,IP:127.0.0.1\n');
  const key = ['-newkey', 'rsa:2048', '-nodes', '-keyout', keyFile];
  openssl('req', ...key, '-subj', '/CN=localhost', '-out', request);
  const signed = ['-in', request, '-signkey', keyFile, '-days', String(days), '-extfile', extensions];
  openssl('x509', '-req', ...signed, '-out', certificateFile);
  return { certificateFile, keyFile };
}

function openssl(...words: string[]): void {
  execFileSync('openssl', words, { stdio: 'ignore' });
}
