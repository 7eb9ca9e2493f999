/** Ports that nobody listens on at this moment. */
import { once } from 'node:events';
import { createServer, type Server } from 'node:net';
import { host, type TorchservePorts } from './configuration.ts';

/** Another program may take one before TorchServe does; then TorchServe says so and is started with others. */
export async function freePorts(): Promise<TorchservePorts> {
  // All at once, so that they differ.
  const servers = await Promise.all(Array.from({ length: 5 }, listening));
  const [inference, management, metrics, grpcInference, grpcManagement] = servers.map(portOf) as FivePorts;
  await Promise.all(servers.map(closed));
  return { inference, management, metrics, grpcInference, grpcManagement };
}

type FivePorts = [number, number, number, number, number];

async function listening(): Promise<Server> {
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
