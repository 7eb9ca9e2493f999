/** Which CPUs the two sides of a measurement were to run on, and which they did, by the system's own word. */
import { z } from 'zod';

/** Lists of CPUs such as "0-3,8", one for each different setting among the threads of a process; null = not read. */
const threadLists = z.array(z.string()).nullable();

export const clientPlacementSchema = z.object({
  /** As the user gave it. */
  asked: z.string(),
  /** Of the threads of the process that sends, read at the start of the measurement. */
  threads: threadLists,
});
export type ClientPlacement = z.infer<typeof clientPlacementSchema>;

export const placementSchema = z.object({
  /** null = wherever the system put it. */
  client: clientPlacementSchema.nullable(),
  server: z
    .object({
      asked: z.string(),
      /** Every process of the server, and the MPS server of an arm, read at the end of the measurement. */
      processes: z.array(z.object({ pid: z.number().int().positive(), threads: threadLists })),
    })
    .nullable(),
});
export type Placement = z.infer<typeof placementSchema>;
