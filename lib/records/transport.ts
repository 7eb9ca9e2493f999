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
