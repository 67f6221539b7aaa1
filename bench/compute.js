// Guests in Go that compute: sorting, SHA-256, and gzip of JSON. Here the compiler's code counts,
// and nothing else does.

import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { calling, check, closeAll } from './contenders.js'
import { openFloor } from './floor.js'
import { OURS, openOurs } from './ours.js'
import { FOREGROUND, openPeers } from './peers.js'
import { atMost, geometricMeans, interleave, mapValues, ratios, row, scale } from './stats.js'

const FOLDER = new URL('guests/compute/', import.meta.url)
const FILE = new URL('compute.wasm', FOLDER)
const RUST = 'Rust loop'
const RC = '2.0.0-rc13'

const FUNCTIONS = {
  sort: 'a guest in Go that sorts 200,000 numbers',
  sha256: 'a guest in Go that hashes 5 MiB with SHA-256',
  gzip: 'a guest in Go that compresses JSON with gzip'
}

export async function run (settings) {
  build()
  const figures = {}
  for (const name of Object.keys(FUNCTIONS)) figures[name] = await measure(name, settings)
  const ofRc = mapValues(figures.sort, (_, contender) =>
    geometricMeans(Object.values(figures).map(ms => ratios(ms[contender], ms[RC]))))
  return [
    ...Object.entries(FUNCTIONS).map(([name, title]) => row(`compute-${name}`, title, 'ms', 'lower', figures[name])),
    row('compute', `the geometric mean of the three, of ${RC}`, '×', 'lower', ofRc, [
      atMost(1.15, '×', `three guests in Go that compute, geometric mean, of ${RC}`, ofRc[OURS])
    ])
  ]
}

/** Builds the guest, which is not in the repository. Go keeps what it has built before. */
function build () {
  const go = spawnSync('go', [
    'build',
    '-buildmode=c-shared',
    '-trimpath',
    '-buildvcs=false',
    '-ldflags=-s -w',
    '-o',
    fileURLToPath(FILE),
    '.'
  ], {
    cwd: fileURLToPath(FOLDER),
    env: { ...process.env, GOOS: 'wasip1', GOARCH: 'wasm', CGO_ENABLED: '0', GOWORK: 'off', GOFLAGS: '' },
    stdio: ['ignore', 'inherit', 'inherit']
  })
  if (go.status !== 0) throw new Error('bench/guests/compute cannot be built: it needs Go 1.24 or newer', { cause: go.error })
}

/** Milliseconds a call, by contender. */
async function measure (name, settings) {
  const guest = { wasm: readFileSync(FILE), wasi: true }
  const contenders = { [OURS]: openOurs(guest), ...await openPeers(FOREGROUND, guest) }
  const floor = openFloor(FILE, name, 0, 8)
  try {
    await check(contenders, name, '', await contenders[RC].call(name, ''))
    const figures = await interleave({ ...calling(contenders, name, ''), [RUST]: floor.run }, settings)
    return scale(figures, 'time', 1)
  } finally {
    await closeAll(floor, ...Object.values(contenders))
  }
}
