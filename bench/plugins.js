// What one more plugin of the same bytes takes, its first call included: of the Go plugin, and
// of a small guest a thousand times.

import { assemble } from './assemble.js'
import { runChild } from './children/child.js'
import { OURS } from './ours.js'
import { FOREGROUND } from './peers.js'
import { atMost, inTurn, mapValues, ratios, row } from './stats.js'

const RC = '2.0.0-rc13'

export async function run ({ plugins: { rounds, more, small } }) {
  const wasm = assemble(new URL('guests/small.wat', import.meta.url)).toString('base64')
  return [
    ...moreRows(await measure(rounds, more), more),
    ...smallRows(await measure(rounds, small, wasm), small)
  ]
}

function moreRows (figures, count) {
  const ms = mapValues(figures, values => values.map(({ ms }) => ms / count))
  const mib = mapValues(figures, values => values.map(({ bytes }) => bytes / count / (1 << 20)))
  return [
    row('more-time', 'one more plugin of the same Go module, first call included', 'ms', 'lower', ms, [
      atMost(0.1, '×', 'one more plugin of the same Go module, of 2.0.0-rc13', ratios(ms[OURS], ms[RC]))
    ]),
    row('more-memory', 'one more plugin of the same Go module, memory', 'MiB', 'lower', mib, [
      atMost(0.8, '×', 'memory of one more plugin of the same Go module, of 2.0.0-rc13', ratios(mib[OURS], mib[RC]))
    ])
  ]
}

function smallRows (figures, count) {
  const many = count.toLocaleString('en')
  const ms = mapValues(figures, values => values.map(({ ms }) => ms))
  const kib = mapValues(figures, values => values.map(({ bytes }) => bytes / count / 1024))
  const threads = mapValues(figures, values => values.map(({ threads }) => threads))
  return [
    row('small-time', `${many} small plugins of the same bytes, made and called`, 'ms', 'lower', ms, [
      atMost(2, '×', `${many} small plugins, of 2.0.0-rc13`, ratios(ms[OURS], ms[RC]))
    ]),
    row('small-memory', `${many} small plugins, memory of each`, 'KiB', 'lower', kib, [
      atMost(50, 'KiB', `memory of each of ${many} small plugins`, kib[OURS])
    ]),
    row('small-threads', `${many} small plugins, threads of the process`, 'threads', 'lower', threads, [
      atMost(31, 'threads', `threads of a process with ${many} small plugins`, threads[OURS])
    ])
  ]
}

async function measure (rounds, count, base64 = '') {
  const names = [OURS, ...FOREGROUND]
  const figures = Object.fromEntries(names.map(name => [name, []]))
  for (let round = 0; round < rounds; round++) {
    for (const name of inTurn(names, round)) {
      figures[name].push(await runChild('plugins.js', [name, count, base64], { flags: ['--expose-gc'] }))
    }
  }
  return figures
}
