// Memory after a million calls, beyond that after ten thousand: as Node.js comes, and where V8 does
// not enlarge its young generation, which it does for any program with promises in flight.

import { runChild } from './children/child.js'
import { OURS } from './ours.js'
import { FOREGROUND } from './peers.js'
import { atMost, row } from './stats.js'

export async function run ({ memory: { first, last } }) {
  const calls = `${last.toLocaleString('en')} calls, beyond ${first.toLocaleString('en')}`
  const plain = await grown(first, last, [])
  const fixed = await grown(first, last, ['--max-semi-space-size=1'])
  const title = `memory after ${calls}, with a young generation of fixed size`
  return [
    row('memory', `memory after ${calls}`, 'MiB', 'lower', plain),
    row('memory-fixed', title, 'MiB', 'lower', fixed, [atMost(8, 'MiB', title, fixed[OURS])])
  ]
}

/**
 * All contenders at once, since time does not matter here; without the workers, which a million calls
 * take longer than all else together.
 */
async function grown (first, last, flags) {
  const names = [OURS, ...FOREGROUND]
  const mib = await Promise.all(names.map(name =>
    runChild('memory.js', [name, first, last], { flags: ['--expose-gc', ...flags] })))
  return Object.fromEntries(names.map((name, i) => [name, [mib[i]]]))
}
