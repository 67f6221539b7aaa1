// Bundles a server for Node.js with webpack: `node webpack.js ENTRY FILE`. The package stays outside,
// since the addon is no JavaScript; it is installed where the bundle runs.

import path from 'node:path'
import { promisify } from 'node:util'
import webpack from 'webpack'

const [entry, outfile] = process.argv.slice(2).map(file => path.resolve(file))

const stats = await promisify(webpack)({
  mode: 'production',
  target: 'node',
  entry,
  output: { path: path.dirname(outfile), filename: path.basename(outfile), module: true },
  experiments: { outputModule: true },
  externalsType: 'module',
  externals: ['extism-napi']
})
if (stats.hasErrors()) throw new Error(stats.toString('errors-only'))
