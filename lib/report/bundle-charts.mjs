/** Build step: puts the parts of ECharts that are used into dist/report/chart-renderer.js, so that it is no run-time dependency. */
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const at = (path) => fileURLToPath(new URL(path, import.meta.url));

await build({
  entryPoints: [at('./chart-renderer.ts')],
  outfile: at('../../dist/report/chart-renderer.js'),
  allowOverwrite: true,
  bundle: true,
  minify: true,
  format: 'esm',
  platform: 'node',
  target: 'node20',
  // ECharts and zrender ask for their licences to go with every copy.
  legalComments: 'inline',
  banner: { js: '// Bundled: Apache ECharts (Apache-2.0), zrender (BSD-3-Clause), tslib (0BSD).' },
});
