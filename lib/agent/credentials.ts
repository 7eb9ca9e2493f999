/** What the agent shows and asks of its clients: certificate, key and bearer token, checked before they are used. */
import { createPrivateKey, X509Certificate } from 'node:crypto';
import { MpsbenchError, messageOf } from '../core/errors.ts';
import { readToken, type TokenCheck, tokenCheck } from './bearer-token.ts';
import type { AgentConfiguration } from './configuration.ts';
import { isLoopback } from './loopback.ts';
import { readNamedFile, readPrivateFile } from './private-file.ts';

/** PEM. */
export interface TlsMaterial {
  readonly cert: string;
  readonly key: string;
}

export interface Credentials {
  /** null = plain HTTP. */
  readonly tls: TlsMaterial | null;
  /** null = nobody is asked for a token. */
  readonly allows: TokenCheck | null;
}

/**
 * Reads what the configuration names. Throws AGENT_CONFIGURATION if it listens beyond loopback without TLS and a token, if
 * a file can't be used or a secret is open to others, and if the certificate is not valid at that time.
 */
export function readCredentials(configuration: AgentConfiguration, now: Date): Credentials {
  const { listen, tls, tokenFile } = configuration;
  if (!isLoopback(listen.host) && (!tls || tokenFile === undefined)) {
    const lacking = [...(tls ? [] : ['tls']), ...(tokenFile === undefined ? ['tokenFile'] : [])].join(' and ');
    const what = `listening on ${listen.host}, which is not loopback, needs ${lacking}`;
    throw new MpsbenchError('AGENT_CONFIGURATION', `${what}; name them in the configuration, or listen on 127.0.0.1`);
  }
  return {
    tls: tls ? readTls(tls, now) : null,
    allows: tokenFile === undefined ? null : tokenCheck(readToken(tokenFile)),
  };
}

function readTls(files: NonNullable<AgentConfiguration['tls']>, now: Date): TlsMaterial {
  const cert = readNamedFile(files.certificateFile, 'certificate');
  const key = readPrivateFile(files.keyFile, 'key file');
  const certificate = readable(files.certificateFile, 'certificate', () => new X509Certificate(cert));
  const privateKey = readable(files.keyFile, 'key', () => createPrivateKey(key));
  checkDates(certificate, files.certificateFile, now);
  if (!certificate.checkPrivateKey(privateKey)) {
    const what = `the key ${files.keyFile} is not that of the certificate ${files.certificateFile}`;
    throw new MpsbenchError('AGENT_CONFIGURATION', `${what}; name the two files that belong together`);
  }
  return { cert, key };
}

function checkDates(certificate: X509Certificate, file: string, now: Date): void {
  const from = new Date(certificate.validFrom);
  const to = new Date(certificate.validTo);
  const fault =
    now > to ? `expired at ${to.toISOString()}` : now < from ? `is not valid before ${from.toISOString()}` : null;
  if (fault === null) return;
  const what = `the certificate ${file} ${fault}, and it is ${now.toISOString()}`;
  throw new MpsbenchError('AGENT_CONFIGURATION', `${what}; renew it, or set this host's clock`);
}

function readable<T>(file: string, what: string, read: () => T): T {
  try {
    return read();
  } catch (cause) {
    const problem = `${file} holds no usable ${what} in PEM form: ${messageOf(cause)}`;
    throw new MpsbenchError('AGENT_CONFIGURATION', `${problem}; name a PEM file without a passphrase`, { cause });
  }
}
