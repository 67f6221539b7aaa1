// What all contenders have in common: `call (name, input)`, a promise, and `close ()`.

import assert from 'node:assert/strict'
import { lanes, mapValues, time } from './stats.js'

/** Whoever answers wrongly takes no part. */
export async function check (contenders, name, input, expected) {
  for (const [contender, { call }] of Object.entries(contenders)) {
    const output = await call(name, input)
    assert.ok(Buffer.from(output).equals(Buffer.from(expected)), `${contender} answers wrongly`)
  }
}

/** Has each of them make calls, so many at a time, for `interleave`. */
export function calling (contenders, name, input, { width = 1, measure = time } = {}) {
  return mapValues(contenders, ({ call }) => count => measure(() => lanes(count, width, () => call(name, input))))
}

/** Has a plugin of the addon make calls without promises. */
export function callingSync ({ callSync }, name, input) {
  return count => time(() => {
    for (let i = 0; i < count; i++) callSync(name, input)
  })
}

/** Closes them all: a worker that is left open keeps the process. */
export async function closeAll (...contenders) {
  for (const contender of contenders) await contender.close()
}
