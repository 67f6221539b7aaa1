// say_hello with its host function in JavaScript, for the addon, too. Each call calls it twice.

import { calling, callingSync, check, closeAll } from './contenders.js'
import { ANSWER, GREETER, NAME } from './greeter.js'
import { OURS, SYNC, asyncMapFunction, mapFunction, openOurs } from './ours.js'
import { ALL, FOREGROUND, WORKERS, openPeers } from './peers.js'
import { atMost, best, interleave, ratios, row, scale } from './stats.js'

export async function run (settings) {
  return [
    plainRow(await plain(settings)),
    row('async-host-function', '`say_hello`, host function in JavaScript, `async`', 'µs', 'lower', await awaited(settings))
  ]
}

function plainRow (us) {
  const peer = best('lower', us, FOREGROUND)
  return row('host-function', '`say_hello`, host function in JavaScript', 'µs', 'lower', us, [
    atMost(0.75, '×', 'host function in JavaScript, `callSync`, of the faster peer in the foreground', ratios(us[SYNC], peer)),
    atMost(0.75, '×', 'host function in JavaScript, `call`, of the faster peer in the foreground', ratios(us[OURS], peer))
  ])
}

async function plain (settings) {
  const sync = openOurs(GREETER, { functions: [mapFunction()] })
  const contenders = {
    [OURS]: openOurs(GREETER, { functions: [mapFunction()] }),
    ...await openPeers(ALL, GREETER)
  }
  try {
    await check({ ...contenders, [SYNC]: { call: sync.callSync } }, 'say_hello', NAME, ANSWER)
    const figures = await interleave({
      ...calling(contenders, 'say_hello', NAME),
      [SYNC]: callingSync(sync, 'say_hello', NAME)
    }, settings)
    return scale(figures, 'time', 1000)
  } finally {
    await closeAll(sync, ...Object.values(contenders))
  }
}

/** Without the foreground, where the peers have no such functions. */
async function awaited (settings) {
  const contenders = {
    [OURS]: openOurs(GREETER, { functions: [asyncMapFunction()] }),
    ...await openPeers(WORKERS, GREETER, { isAsync: true })
  }
  try {
    await check(contenders, 'say_hello', NAME, ANSWER)
    const figures = await interleave(calling(contenders, 'say_hello', NAME), settings)
    return scale(figures, 'time', 1000)
  } finally {
    await closeAll(...Object.values(contenders))
  }
}
