// What a call costs that has an instance of its own, so that nothing of one call can be seen by
// the next: the option `freshInstance`, in both APIs.

import { assemble } from './assemble.js'
import { calling, callingSync, check, closeAll } from './contenders.js'
import { ANSWER, GREETER, NAME } from './greeter.js'
import { OURS, SYNC, openModern, openOurs } from './ours.js'
import { openPeer } from './peers.js'
import { interleave, row, scale } from './stats.js'

const FRESH = 'extism-napi, fresh'
const FRESH_SYNC = 'extism-napi, fresh, callSync'
const FRESH_MODERN = 'extism-napi, fresh, modern'
const RC = '2.0.0-rc13'
/** The peers have no such option: a plugin is made, called once and closed. */
const RC_FRESH = '2.0.0-rc13, new plugin'
const OPTIONS = { freshInstance: true }

export async function run ({ turnMs, fresh: { rounds } }) {
  const settings = { rounds, turnMs }
  const small = { wasm: assemble(new URL('guests/small.wat', import.meta.url)) }
  const there = await isThere(small)
  const smallUs = await measure(small, 'count', '', undefined, there, settings)
  const greeterUs = await measure(GREETER, 'say_hello', NAME, ANSWER, there, settings)
  return [
    row('fresh-small', 'a new instance for each call (fresh), small guest', 'µs', 'lower', smallUs),
    row('fresh-go', 'a new instance for each call (fresh), `say_hello`', 'µs', 'lower', greeterUs)
  ]
}

/** Whether the addon has the option. Without it the guest remembers how often it was called. */
async function isThere (guest) {
  for (const plugin of [openOurs(guest, OPTIONS), await openModern(guest, OPTIONS)]) {
    const [first, second] = [await plugin.call('count', ''), await plugin.call('count', '')]
    await plugin.close()
    if (!Buffer.from(first).equals(second)) return false
  }
  return true
}

async function measure (guest, name, input, answer, there, settings) {
  const [sync, freshSync] = [openOurs(guest), openOurs(guest, OPTIONS)]
  const kept = { [OURS]: openOurs(guest), [RC]: await openPeer(RC, guest) }
  const fresh = {
    [FRESH]: openOurs(guest, OPTIONS),
    [FRESH_MODERN]: await openModern(guest, OPTIONS),
    [RC_FRESH]: { call: (name, input) => callOnce(guest, name, input), close () {} }
  }
  const contenders = there ? { ...kept, ...fresh } : { ...kept, [RC_FRESH]: fresh[RC_FRESH] }
  try {
    if (answer) await check({ ...contenders, [SYNC]: { call: sync.callSync } }, name, input, answer)
    const us = scale(await interleave({
      ...calling(contenders, name, input),
      [SYNC]: callingSync(sync, name, input),
      ...there && { [FRESH_SYNC]: callingSync(freshSync, name, input) }
    }, settings), 'time', 1000)
    return { [FRESH]: [NaN], [FRESH_SYNC]: [NaN], [FRESH_MODERN]: [NaN], ...us }
  } finally {
    await closeAll(sync, freshSync, ...Object.values(kept), ...Object.values(fresh))
  }
}

async function callOnce (guest, name, input) {
  const plugin = await openPeer(RC, guest)
  try {
    return await plugin.call(name, input)
  } finally {
    await plugin.close()
  }
}
