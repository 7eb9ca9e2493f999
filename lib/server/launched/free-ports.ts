/** Ports of the loopback that nobody listens on at this moment. */
import { once } from 'node:events';
import { createServer, type Server } from 'node:net';

/** Different ones. Another program may take one before the server does. */
export async function findFreePorts(count: number): Promise<number[]> {
  // All at once, so that they differ.
  const servers = await Promise.all(Array.from({ length: count }, listening));
  const ports = servers.map(portOf);
  await Promise.all(servers.map(closed));
  return ports;
}

async function listening(): Promise<Server> {
  const server = createServer().listen(0, '127.0.0.1');
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
