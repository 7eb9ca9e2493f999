/** Where Redis is: read from a URL, and told without its password. */
import { isIP } from 'node:net';
import { isAbsolute } from 'node:path';
import type { RedisOptions } from 'ioredis';
import { MpsbenchError } from '../core/errors.ts';

export interface RedisAddress {
  /** Scheme, host and port; never user, password or database. */
  readonly text: string;
  readonly options: RedisOptions;
}

const forms = 'give redis://[:password@]host:port, rediss://… for TLS, or unix:///path';
const defaultPort = 6379;

/**
 * `certificateAuthorities`: the text of a PEM file, whose authorities alone are taken; null = those of the system.
 * Throws USAGE, without the text of the URL: a password may be in it.
 */
export function redisAddress(url: string, certificateAuthorities: string | null): RedisAddress {
  if (!URL.canParse(url)) throw usage(`the URL of Redis cannot be read: ${forms}`);
  const { protocol, hostname, port, pathname, username, password } = new URL(url);
  const login = {
    ...(username !== '' && { username: decoded(username) }),
    ...(password !== '' && { password: decoded(password) }),
  };
  if (protocol !== 'rediss:' && certificateAuthorities !== null) {
    throw usage(`authorities are for Redis over TLS: give a rediss:// URL, or leave them out`);
  }
  if (protocol === 'unix:') {
    if (!isAbsolute(pathname) || pathname === '/') throw usage(`the URL of Redis names no socket: ${forms}`);
    return { text: `unix://${pathname}`, options: { ...login, path: decoded(pathname) } };
  }
  if (protocol !== 'redis:' && protocol !== 'rediss:') throw usage(`Redis is not spoken over ${protocol}//: ${forms}`);
  if (hostname === '') throw usage(`the URL of Redis names no host: ${forms}`);
  const host = hostname.replace(/^\[(.*)\]$/, '$1');
  const number = port === '' ? defaultPort : Number(port);
  // A server name is no address (RFC 6066); the certificate is checked against either.
  const name = isIP(host) === 0 && { servername: host };
  const ca = certificateAuthorities !== null && { ca: certificateAuthorities };
  const tls = protocol === 'rediss:' && { tls: { ...name, ...ca } };
  const text = `${protocol}//${hostname}:${number}`;
  return { text, options: { ...login, host, port: number, db: database(pathname), ...tls } };
}

function database(pathname: string): number {
  if (pathname === '' || pathname === '/') return 0;
  if (/^\/\d+$/.test(pathname)) return Number(pathname.slice(1));
  throw usage(`database '${pathname.slice(1)}' of Redis is no number: ${forms}`);
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw usage(`the URL of Redis has a % that begins no escape: write %25 for a %`);
  }
}

function usage(message: string): MpsbenchError {
  return new MpsbenchError('USAGE', message);
}
