// What the kernel's functions cost a guest: stores and blocks, here and in the Rust loop.

import { assemble } from './assemble.js'
import { callingSync, closeAll } from './contenders.js'
import { openFloor } from './floor.js'
import { SYNC, openOurs } from './ours.js'
import { atMost, interleave, ratios, row, scale } from './stats.js'

const FILE = new URL('guests/kernel.wat', import.meta.url)
const RUST = 'Rust loop'

const FUNCTIONS = {
  store: 'a guest that stores 1 MiB, 8 bytes at a time',
  hop: 'the same, from one block to another each time',
  blocks: 'a guest that makes and gives back 1,000 blocks'
}

export async function run (settings) {
  const rows = []
  for (const [name, title] of Object.entries(FUNCTIONS)) {
    const us = scale(await measure(name, settings), 'time', 1000)
    const targets = name === 'store'
      ? [atMost(1, '×', `${title}, \`callSync\`, of the Rust loop`, ratios(us[SYNC], us[RUST]))]
      : []
    rows.push(row(`kernel-${name}`, title, 'µs', 'lower', us, targets))
  }
  return rows
}

async function measure (name, settings) {
  const sync = openOurs({ wasm: assemble(FILE) })
  const floor = openFloor(FILE, name, 0, 0)
  try {
    return await interleave({ [SYNC]: callingSync(sync, name, ''), [RUST]: floor.run }, settings)
  } finally {
    await closeAll(sync, floor)
  }
}
