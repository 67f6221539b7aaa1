// Start-up: from nothing loaded to the first answer of the Go plugin, each time in a process of
// its own. Booting Node.js itself is not in it.

import { mkdtempSync, rmSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { runChild } from './children/child.js'
import { OURS } from './ours.js'
import { ALL } from './peers.js'
import { atMost, best, inTurn, ratios, row } from './stats.js'

const CACHED = 'extism-napi, from its cache'

export async function run ({ start: { rounds } }) {
  const results = Object.fromEntries([OURS, CACHED, ...ALL].map(name => [name, []]))
  for (let round = 0; round < rounds; round++) {
    for (const name of inTurn([OURS, ...ALL], round)) {
      if (name === OURS) {
        const [cold, cached] = await ours()
        results[OURS].push(cold)
        results[CACHED].push(cached)
      } else {
        results[name].push(await runChild('start.js', [name]))
      }
    }
  }
  return [
    row('start', 'start-up to the first answer', 'ms', 'lower', results, [
      atMost(0.6, '×', 'start-up from the cache, of the faster peer', ratios(results[CACHED], best('lower', results, ALL)))
    ])
  ]
}

/** A start with a fresh cache directory, and one with what that left there. */
async function ours () {
  const cache = mkdtempSync(path.join(os.tmpdir(), 'extism-napi-bench-'))
  try {
    return [await runChild('start.js', [OURS, cache]), await runChild('start.js', [OURS, cache])]
  } finally {
    rmSync(cache, { recursive: true })
  }
}
