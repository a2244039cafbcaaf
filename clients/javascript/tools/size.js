// The size of the client in a page: bundled, minified and compressed. Run by `npm run size`; the README has the figures.

import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { build } from 'esbuild';

/** Bytes of the core, and of what it loads only if there are no WebSockets. */
const LIMITS = { core: 8_500, onDemand: 1_000 };
const ON_DEMAND = 'src/events.js';

const { outputFiles, metafile } = await build({
  entryPoints: [fileURLToPath(new URL('../src/index.js', import.meta.url))], absWorkingDir: fileURLToPath(new URL('..', import.meta.url)),
  bundle: true, splitting: true, minify: true, format: 'esm', target: 'es2022', write: false, metafile: true, outdir: 'out',
});

const bytes = { core: 0, onDemand: 0 };
for (const { path, contents } of outputFiles) {
  const [, { entryPoint }] = Object.entries(metafile.outputs).find(([name]) => path.replaceAll('\\', '/').endsWith(name));
  bytes[entryPoint === ON_DEMAND ? 'onDemand' : 'core'] += gzipSync(contents, { level: 9 }).length;
}
console.log(JSON.stringify({ bytes, limits: LIMITS }));
process.exitCode = Object.keys(bytes).every(part => bytes[part] > 0 && bytes[part] <= LIMITS[part]) ? 0 : 1;
