/** A certificate for localhost, made by openssl for one test file. */
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Why tests with TLS are skipped; false where they can run. */
export const noOpenssl =
  spawnSync('openssl', ['version']).status === 0 ? false : 'no openssl to make a certificate with';

export interface Certificate extends Disposable {
  readonly key: string;
  readonly cert: string;
  /** File with the certificate. */
  readonly path: string;
}

/** Signed by itself; for 'localhost', or for what `subject` says in OpenSSL's words. */
export function makeCertificate(subject = 'DNS:localhost'): Certificate {
  const folder = mkdtempSync(join(tmpdir(), 'mpsbench-tls-'));
  const [keyPath, path] = [join(folder, 'key.pem'), join(folder, 'cert.pem')];
  const name = ['-subj', '/CN=localhost', '-addext', `subjectAltName=${subject}`];
  const made = [
    'req',
    '-x509',
    '-newkey',
    'rsa:2048',
    '-nodes',
    '-days',
    '1',
    '-keyout',
    keyPath,
    '-out',
    path,
    ...name,
  ];
  execFileSync('openssl', made, { stdio: 'ignore' });
  return {
    key: readFileSync(keyPath, 'utf8'),
    cert: readFileSync(path, 'utf8'),
    path,
    [Symbol.dispose]: () => rmSync(folder, { recursive: true }),
  };
}
