/** The version of this package, for --version and for the records. */
import { readFileSync } from 'node:fs';

/** The `version` of package.json, which lies two levels above both lib/core and dist/core. */
export function packageVersion(): string {
  const text = readFileSync(new URL('../../package.json', import.meta.url), 'utf8');
  const { version } = JSON.parse(text) as { version: string };
  return version;
}
