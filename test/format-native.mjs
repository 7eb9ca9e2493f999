// Formats the C++ sources (--write) or says which are not formatted (--check). Exit status 77: no clang-format 19 here.
import { spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
/** Other versions lay out some constructs differently, so that only one of them can be asked. */
const majorVersion = 19;
const folders = ['native', 'test/native', 'test/fakes', 'bench'];

function sources() {
  return folders.flatMap((folder) => {
    try {
      return readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
        .filter((name) => /\.(cc|h)$/.test(name))
        .map((name) => join(folder, name))
        .sort();
    } catch (error) {
      if (error.code === 'ENOENT') return [];
      throw error;
    }
  });
}

/** Name of the formatter, or null. */
function formatter() {
  for (const name of [`clang-format-${majorVersion}`, 'clang-format']) {
    const answer = spawnSync(name, ['--version'], { encoding: 'utf8' });
    if (answer.status === 0 && answer.stdout.includes(`version ${majorVersion}.`)) return name;
  }
  return null;
}

function main(mode) {
  if (mode !== '--check' && mode !== '--write') {
    console.error('usage: node test/format-native.mjs --check|--write');
    return 2;
  }
  const name = formatter();
  if (name === null) {
    console.log(`skipped: no clang-format ${majorVersion} on PATH (Debian: apt install clang-format-${majorVersion})`);
    return 77;
  }
  const files = sources();
  const args = mode === '--check' ? ['--dry-run', '-Werror'] : ['-i'];
  const run = spawnSync(name, [...args, ...files], { cwd: root, stdio: 'inherit' });
  console.log(`${name} ${mode}: ${files.length} files`);
  return run.status ?? 1;
}

process.exitCode = main(process.argv[2]);
