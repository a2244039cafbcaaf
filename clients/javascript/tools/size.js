// The size of the core in a page: bundled, minified and compressed. Run by `npm run size`; the README has the figure.

import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { build } from 'esbuild';

const LIMIT = 8_400;

const { outputFiles } = await build({
  entryPoints: [fileURLToPath(new URL('../src/index.js', import.meta.url))], bundle: true, minify: true, format: 'esm', target: 'es2022', write: false,
});
const bytes = gzipSync(outputFiles[0].contents, { level: 9 }).length;
console.log(JSON.stringify({ bytes, limit: LIMIT }));
process.exitCode = bytes > LIMIT ? 1 : 0;
