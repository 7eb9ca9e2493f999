/** Ports of the loopback that nobody listens on at this moment. */
import { once } from 'node:events';
import { createServer, type Server } from 'node:net';

/** All different. Another program may take one before it is used. */
export async function freePorts(count: number, host: string): Promise<number[]> {
  // All at once, so that they differ.
  const servers = await Promise.all(Array.from({ length: count }, () => listening(host)));
  const ports = servers.map(portOf);
  await Promise.all(servers.map(closed));
  return ports;
}

async function listening(host: string): Promise<Server> {
  const server = createServer().listen(0, host);
  await once(server, 'listening');
  return server;
}

function portOf(server: Server): number {
  const address = server.address();
  return typeof address === 'object' && address !== null ? address.port : 0;
}

function closed(server: Server): Promise<void> {
  return new Promise((resolve) => server.close(() => resolve()));
}
