/** A script for the fake libnvidia-ml: GPUs in a row, each with an MPS server and its clients. */

/** Near the highest that the kernel gives, so that hardly one is a process of this machine. */
const firstPid = 4_180_000;

/** Lines of the scenario: each GPU has one MPS server and so many clients. */
export function crowdedHost(gpus: number, clients: number): string[] {
  return Array.from({ length: gpus }, (_, gpu) => {
    const pid = firstPid + gpu * 1000;
    const rows = Array.from({ length: clients }, (_, client) => {
      return `process ${pid + 1 + client} 516 cm - - /opt/venv/bin/python3.11`;
    });
    return [
      'gpu',
      `uuid GPU-5b1f0c2e-93f4-4c0e-8d51-${String(gpu).padStart(12, '0')}`,
      `pci 00000000:${String(10 + gpu)}:00.0`,
      `memory 81559 480 ${70 + 516 * clients}`,
      `utilization ${90 + gpu} 40`,
      `process ${pid} 66 c - - nvidia-cuda-mps-server`,
      ...rows,
    ];
  }).flat();
}
