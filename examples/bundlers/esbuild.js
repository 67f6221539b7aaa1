// Bundles a server for Node.js with esbuild: `node esbuild.js ENTRY FILE`. The package stays outside,
// since the addon is no JavaScript; it is installed where the bundle runs.

import { build } from 'esbuild'

const [entry, outfile] = process.argv.slice(2)

await build({
  entryPoints: [entry],
  outfile,
  bundle: true,
  platform: 'node',
  format: 'esm',
  external: ['extism-napi']
})
