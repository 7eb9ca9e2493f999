/**
 * What must be undone at once when there is no time to unwind: a second Ctrl-C, or an exit that nobody caught.
 * Every process and daemon that is started registers here for as long as it lives.
 */
export interface EmergencyStops {
  /** Registers a synchronous, idempotent stop (a SIGKILL, an unlink); returns its removal. */
  add(stop: () => void): () => void;
  /** Runs every registered stop, newest first; one that throws does not keep the others from running. */
  runAll(): void;
}

export function emergencyStops(): EmergencyStops {
  const stops = new Set<() => void>();
  return {
    add(stop) {
      stops.add(stop);
      return () => stops.delete(stop);
    },
    runAll() {
      for (const stop of [...stops].reverse()) {
        try {
          stop();
        } catch {
          // The process is going away; the journal finds at the next start what could not be undone here.
        }
      }
      stops.clear();
    },
  };
}

/**
 * Stops that also run if this process exits before they are disposed of: for the library, whose caller ends the process
 * and not we. A signal that nobody handles ends it without an exit; then the journal tells the next start.
 */
export function emergencyStopsUntilExit(): EmergencyStops & Disposable {
  const stops = emergencyStops();
  const onExit = (): void => stops.runAll();
  process.on('exit', onExit);
  return { ...stops, [Symbol.dispose]: () => void process.off('exit', onExit) };
}
