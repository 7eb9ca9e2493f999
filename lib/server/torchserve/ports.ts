/** The five ports of a TorchServe. */

import { loopbackHost } from '../adapter.ts';
import { freePorts as freePortsOf } from '../free-ports.ts';
import type { TorchservePorts } from './configuration.ts';

/** Another program may take one before TorchServe does; then TorchServe says so and is started with others. */
export async function freePorts(): Promise<TorchservePorts> {
  const [inference, management, metrics, grpcInference, grpcManagement] = (await freePortsOf(
    5,
    loopbackHost,
  )) as FivePorts;
  return { inference, management, metrics, grpcInference, grpcManagement };
}

type FivePorts = [number, number, number, number, number];
