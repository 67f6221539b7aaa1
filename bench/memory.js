// Memory after a million calls, beyond that after ten thousand.

import { runChild } from './children/child.js'
import { OURS } from './ours.js'
import { FOREGROUND } from './peers.js'
import { atMost, row } from './stats.js'

export async function run ({ memory: { first, last } }) {
  // All at once, since time does not matter here; without the workers, which a million calls
  // take longer than all else together.
  const names = [OURS, ...FOREGROUND]
  const grown = await Promise.all(names.map(name =>
    runChild('memory.js', [name, first, last], { flags: ['--expose-gc'] })))
  const results = Object.fromEntries(names.map((name, i) => [name, [grown[i]]]))
  const calls = `${last.toLocaleString('en')} calls, beyond ${first.toLocaleString('en')}`
  return [
    row('memory', `memory after ${calls}`, 'MiB', 'lower', results, [
      atMost(8, 'MiB', `memory after ${calls}`, results[OURS])
    ])
  ]
}
