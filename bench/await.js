// Whether an `await` that has nothing to do with plugins costs more once a plugin has called a
// host function: hooks on promises would be paid for by the whole process.

import { runChild } from './children/child.js'
import { atMost, ratios, row } from './stats.js'

const BEFORE = 'before our first call'
const AFTER = 'after our first call'

export async function run ({ await: { rounds } }) {
  const results = { [BEFORE]: [], [AFTER]: [] }
  for (let round = 0; round < rounds; round++) {
    const { before, after } = await runChild('await.js')
    results[BEFORE].push(before)
    results[AFTER].push(after)
  }
  return [
    row('await', '`await` of a resolved promise', 'ns', 'lower', results, [
      atMost(1.1, '×', '`await` after our first call with a host function, of before', ratios(results[AFTER], results[BEFORE]))
    ])
  ]
}
