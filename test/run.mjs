// The one test command: npm test. Registers the TypeScript loader and hands over to test/runner.
import { register } from 'tsx/esm/api';

register();
const { main } = await import('./runner/main.ts');
process.exitCode = await main(process.argv.slice(2));
