// A guest that gives its input back: what bytes cost.

import { randomBytes } from 'node:crypto'
import { assemble } from './assemble.js'
import { calling, callingSync, check, closeAll } from './contenders.js'
import { openFloor } from './floor.js'
import { OURS, SYNC, openOurs } from './ours.js'
import { ALL, FOREGROUND, WORKERS, openPeers } from './peers.js'
import { atMost, best, interleave, ratios, row, scale } from './stats.js'

const FILE = new URL('guests/echo.wat', import.meta.url)
const RUST = 'Rust loop'
const KIB = 1 << 10
const MIB = 1 << 20

export async function run (settings) {
  const guest = { wasm: assemble(FILE) }
  const echo1k = scale(await measure(guest, 'echo', KIB, settings), 'time', 1000)
  const echo1m = scale(await measure(guest, 'echo', MIB, settings), 'time', 1)
  const pass1m = scale(await measure(guest, 'pass', MIB, settings), 'time', 1000)
  return [
    row('echo-1k', 'echo of 1 KiB', 'µs', 'lower', echo1k),
    row('echo-1m', 'echo of 1 MiB', 'ms', 'lower', echo1m, [
      atMost(0.08, '×', 'echo of 1 MiB, `call`, of the faster peer', ratios(echo1m[OURS], best('lower', echo1m, ALL)))
    ]),
    row('pass-1m', 'the same, where the guest copies nothing', 'µs', 'lower', pass1m, [
      atMost(0.6, '×', 'where the guest copies nothing, `callSync`, of the Rust loop', ratios(pass1m[SYNC], pass1m[RUST]))
    ])
  ]
}

async function measure (guest, name, bytes, settings) {
  const input = randomBytes(bytes)
  const ours = openOurs(guest)
  const sync = openOurs(guest)
  const contenders = {
    [OURS]: ours,
    // 1.0.3 keeps all inputs until a reset, and large ones add up.
    ...await openPeers(FOREGROUND, guest, { resetEvery: 10 }),
    ...await openPeers(WORKERS, guest)
  }
  const floor = openFloor(FILE, name, bytes, bytes)
  try {
    await check({ ...contenders, [SYNC]: { call: sync.callSync } }, name, input, input)
    return await interleave({
      ...calling(contenders, name, input),
      [SYNC]: callingSync(sync, name, input),
      [RUST]: floor.run
    }, settings)
  } finally {
    await closeAll(sync, floor, ...Object.values(contenders))
  }
}
