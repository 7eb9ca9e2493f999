/** How requests get to a server. Apart from the schemas of load.ts: `mpsbench load` starts without the schema library. */

/** How requests get to the server, beyond what its URL says. */
export interface Transport {
  /** false: the server's certificate is taken as it is. */
  readonly verifyCertificate: boolean;
  /** PEM; the only authorities whose certificates are taken. null = those of Node. */
  readonly certificateAuthorities: string | null;
  /** HTTP/2 with so many requests at a time on each connection; null = HTTP/1.1. */
  readonly http2Streams: number | null;
  /** http:// or https:// URL of a proxy. The variables of the environment that name one are never read. */
  readonly proxyUrl: string | null;
}

export const directTransport: Transport = {
  verifyCertificate: true,
  certificateAuthorities: null,
  http2Streams: null,
  proxyUrl: null,
};

/** What of it goes into records: neither the proxy's password nor the text of certificates. */
export interface TransportFacts {
  readonly verifyCertificate: boolean;
  /** Only the authorities of a file were taken. */
  readonly ownAuthorities: boolean;
  readonly http2Streams: number | null;
  /** Host and port; null = none. */
  readonly proxy: string | null;
}

export function transportFacts(transport: Transport): TransportFacts {
  const { verifyCertificate, certificateAuthorities, http2Streams, proxyUrl } = transport;
  const proxy = proxyUrl === null ? null : new URL(proxyUrl).host;
  return { verifyCertificate, ownAuthorities: certificateAuthorities !== null, http2Streams, proxy };
}
