// What the guard between plugins and the memory they share with the host costs: the same guest
// with it, and in the Rust loop without it.

import { callingSync, closeAll } from './contenders.js'
import { assemble, openFloor } from './floor.js'
import { SYNC, openOurs } from './ours.js'
import { interleave, row, scale } from './stats.js'

const FILE = new URL('guests/guard.wat', import.meta.url)

const FUNCTIONS = {
  store: 'a guest that stores 1 MiB, 8 bytes at a time',
  hop: 'the same, from one block to another each time',
  blocks: 'a guest that makes and gives back 1,000 blocks'
}

export async function run (settings) {
  const rows = []
  for (const [name, title] of Object.entries(FUNCTIONS)) {
    rows.push(row(`guard-${name}`, title, 'µs', 'lower', scale(await measure(name, settings), 'time', 1000)))
  }
  return rows
}

async function measure (name, settings) {
  const sync = openOurs({ wasm: assemble(FILE) })
  const floor = openFloor(FILE, name, 0, 0)
  try {
    return await interleave({ [SYNC]: callingSync(sync, name, ''), 'Rust loop': floor.run }, settings)
  } finally {
    await closeAll(sync, floor)
  }
}
