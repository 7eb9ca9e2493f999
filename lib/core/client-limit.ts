/** How many CUDA contexts MPS takes per device, by architecture and driver. */

export interface ClientLimit {
  /** Client contexts per device, not processes; null when architecture or driver is unknown. */
  readonly contexts: number | null;
  /** Where the number comes from, for people. */
  readonly basis: string;
}

/**
 * 16 before Volta; 48 from Volta on with drivers up to 580 (48 measured on 580.159.04: the 49th gets error 808); 60 from
 * driver 590 on. A MIG device takes fewer, in proportion to its compute instance.
 */
export function clientLimit(device: {
  readonly computeCapability: string | null;
  readonly driverVersion: string | null;
}): ClientLimit {
  const architecture = leadingNumber(device.computeCapability);
  const driver = leadingNumber(device.driverVersion);
  if (architecture === null) return { contexts: null, basis: 'the compute capability is unknown' };
  if (architecture < 7) return { contexts: 16, basis: `compute capability ${device.computeCapability} (before Volta)` };
  if (driver === null) return { contexts: null, basis: 'the driver version is unknown' };
  return { contexts: driver >= 590 ? 60 : 48, basis: `driver ${device.driverVersion}` };
}

function leadingNumber(version: string | null): number | null {
  const digits = /^\d+/.exec(version ?? '')?.[0];
  return digits === undefined ? null : Number(digits);
}
