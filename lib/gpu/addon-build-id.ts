/** Which binary reads the GPU, for the environment record. */
import { loadAddon } from '../native/addon.ts';

/** Hash of the sources that the addon was built from; null where no addon can be loaded. */
export function addonBuildId(): string | null {
  try {
    return loadAddon().buildId;
  } catch {
    return null;
  }
}
