// Fuzzes for as many seconds as its argument says (300): npm run fuzz -- 60.
import { register } from 'tsx/esm/api';

register();
const { runFuzzers } = await import('./runner/fuzz.ts');
const { failed } = await runFuzzers(Number(process.argv[2] ?? 300));
process.exitCode = failed;
