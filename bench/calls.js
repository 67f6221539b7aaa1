// say_hello of the Go plugin, one call after another and 64 at a time.

import { calling, callingSync, check, closeAll } from './contenders.js'
import { openFloor } from './floor.js'
import { ANSWER, GREETER, GREETER_FILE, NAME } from './greeter.js'
import { OURS, SYNC, openOurs } from './ours.js'
import { ALL, FOREGROUND, WORKERS, openPeers } from './peers.js'
import { atLeast, atMost, best, interleave, mapValues, ratios, row, scale, timeOfLoop } from './stats.js'

const RUST = 'Rust loop'
const WIDTH = 64

export async function run (settings) {
  const ours = openOurs(GREETER)
  const sync = openOurs(GREETER)
  const peers = await openPeers(ALL, GREETER)
  const floor = openFloor(GREETER_FILE, 'say_hello', NAME.length, Buffer.byteLength(ANSWER))
  const contenders = { [OURS]: ours, ...peers }
  try {
    await check({ ...contenders, [SYNC]: { call: sync.callSync } }, 'say_hello', NAME, ANSWER)
    return [
      await oneByOne({
        ...calling(contenders, 'say_hello', NAME),
        [SYNC]: callingSync(sync, 'say_hello', NAME),
        [RUST]: floor.run
      }, settings),
      ...await together(calling(contenders, 'say_hello', NAME, { width: WIDTH, measure: timeOfLoop }), settings)
    ]
  } finally {
    await closeAll(sync, floor, ...Object.values(contenders))
  }
}

async function oneByOne (contenders, settings) {
  const us = scale(await interleave(contenders, settings), 'time', 1000)
  return row('say_hello', '`say_hello`, one after another', 'µs', 'lower', us, [
    atMost(0.5, '×', '`callSync`, of the Rust loop', ratios(us[SYNC], us[RUST])),
    atMost(0.5, '×', '`callSync`, of the faster peer in the foreground', ratios(us[SYNC], best('lower', us, FOREGROUND))),
    atMost(0.7, '×', '`call`, of the faster peer in the foreground', ratios(us[OURS], best('lower', us, FOREGROUND))),
    atMost(0.05, '×', '`call`, of the faster peer with a worker', ratios(us[OURS], best('lower', us, WORKERS)))
  ])
}

async function together (contenders, settings) {
  const figures = await interleave(contenders, settings)
  const rates = mapValues(figures, ({ time }) => time.map(ms => 1000 / ms))
  const loop = scale(figures, 'loop', 1000)
  const cpu = scale(figures, 'cpu', 1000)
  const rows = [
    row('together', `\`say_hello\`, ${WIDTH} at a time`, 'calls/s', 'higher', rates, [
      atLeast(2.5, '×', `${WIDTH} at a time, of the faster peer`, ratios(rates[OURS], best('higher', rates, ALL)))
    ]),
    row('loop', 'the event loop’s time meanwhile', 'µs a call', 'lower', loop)
  ]
  if (cpu[OURS].every(Number.isFinite)) {
    rows.push(row('thread', 'the main thread’s processor time meanwhile', 'µs a call', 'lower', cpu))
  }
  return rows
}
