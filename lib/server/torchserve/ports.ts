/** The five ports of a TorchServe. */
import { freePorts as freePortsOf } from '../free-ports.ts';
import { host, type TorchservePorts } from './configuration.ts';

/** Another program may take one before TorchServe does; then TorchServe says so and is started with others. */
export async function freePorts(): Promise<TorchservePorts> {
  const [inference, management, metrics, grpcInference, grpcManagement] = (await freePortsOf(5, host)) as FivePorts;
  return { inference, management, metrics, grpcInference, grpcManagement };
}

type FivePorts = [number, number, number, number, number];
