// Compiling the Go plugin for the first time, each time in a process of its own, against the same
// in the crate.

import { runChild } from './children/child.js'
import { timeCrateCompile } from './floor.js'
import { GREETER_FILE } from './greeter.js'
import { OURS } from './ours.js'
import { atMost, inTurn, ratios, row } from './stats.js'

const CRATE = 'CompiledPlugin'

export async function run ({ compile: { rounds } }) {
  const contenders = {
    [OURS]: () => runChild('compile.js'),
    [CRATE]: () => timeCrateCompile(GREETER_FILE)
  }
  const results = { [OURS]: [], [CRATE]: [] }
  for (let round = 0; round < rounds; round++) {
    for (const name of inTurn(Object.keys(contenders), round)) results[name].push(await contenders[name]())
  }
  return [
    row('compile', 'first compile of the Go plugin', 'ms', 'lower', results, [
      atMost(1.15, '×', 'first compile of the Go plugin, of the crate’s', ratios(results[OURS], results[CRATE]))
    ])
  ]
}
