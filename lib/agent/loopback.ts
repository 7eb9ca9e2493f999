/** Which names and addresses mean this machine alone. */

/** "localhost", 127.0.0.0/8 and ::1, with or without brackets. */
export function isLoopback(host: string): boolean {
  const bare = host.replace(/^\[(.*)\]$/, '$1').toLowerCase();
  return bare === 'localhost' || bare === '::1' || /^127(\.\d{1,3}){3}$/.test(bare);
}

/** The host of a Host header, without its port. */
export function hostOf(header: string): string {
  return header.replace(/:\d+$/, '');
}
