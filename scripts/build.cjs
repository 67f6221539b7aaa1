// Builds the addon and puts it beside package.json, where lib/native.cjs looks for it; or, for
// tests, another one elsewhere: build.cjs [FILE [OPTION OF CARGO]…]

const { spawnSync } = require('node:child_process')
const { copyFileSync, rmSync } = require('node:fs')
const path = require('node:path')

const root = path.join(__dirname, '..')
const [target = path.join(root, 'extism-napi.node'), ...options] = process.argv.slice(2)

function fail (sentence) {
  console.error(sentence)
  process.exit(1)
}

console.error('extism-napi: building the native addon; the first time takes some minutes')
const cargo = spawnSync('cargo', [
  'build',
  '--release',
  '--lib',
  '--package=extism-napi',
  '--locked',
  // The runtime declares a newer Rust than it needs; it builds and passes with 1.95.
  '--ignore-rust-version',
  '--message-format=json-render-diagnostics',
  ...options
], { cwd: root, stdio: ['ignore', 'pipe', 'inherit'], maxBuffer: 1 << 30 })

if (cargo.error?.code === 'ENOENT') {
  fail('extism-napi is built from source and needs a Rust toolchain (1.95 or newer): install one from https://rustup.rs, then run npm install again.')
}
if (cargo.error) fail(`extism-napi: cargo could not be run: ${cargo.error.message}`)
if (cargo.status !== 0) fail('extism-napi: the build failed; cargo says why above.')

const library = cargo.stdout.toString().split('\n')
  .filter(line => line.startsWith('{'))
  .map(line => JSON.parse(line))
  .filter(message => message.reason === 'compiler-artifact' && message.target.name === 'extism_napi')
  .flatMap(message => message.filenames)
  .find(file => /\.(so|dylib|dll)$/.test(file))
if (!library) fail('extism-napi: cargo built no library.')

// A process that has the old addon loaded keeps its file.
rmSync(target, { force: true })
copyFileSync(library, target)
