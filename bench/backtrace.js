// Whether RUST_BACKTRACE in the environment, as containers often have it, makes calls slower. The
// two environments are two processes, which are measured in turns.

import { startChild } from './children/child.js'
import { atMost, interleave, ratios, row, scale } from './stats.js'

const WITHOUT = 'extism-napi, without'
const WITH = 'extism-napi, RUST_BACKTRACE'

const KINDS = {
  callSync: '`callSync`',
  call: '`call`',
  hostFunction: '`call`, host function in JavaScript'
}

export async function run ({ turnMs, backtrace: { rounds } }) {
  const children = {
    [WITHOUT]: await startChild('calls.js'),
    [WITH]: await startChild('calls.js', [], { env: { RUST_BACKTRACE: '1' } })
  }
  const rows = []
  try {
    for (const [kind, title] of Object.entries(KINDS)) {
      rows.push(await measure(children, kind, title, { rounds, turnMs }))
    }
  } finally {
    for (const child of Object.values(children)) await child.end()
  }
  return rows
}

async function measure (children, kind, title, settings) {
  const contenders = {
    [WITHOUT]: count => children[WITHOUT].ask({ kind, count }),
    [WITH]: count => children[WITH].ask({ kind, count })
  }
  const us = scale(await interleave(contenders, settings), 'time', 1000)
  return row(`backtrace-${kind}`, `\`say_hello\` with \`RUST_BACKTRACE=1\`, ${title}`, 'µs', 'lower', us, [
    atMost(1.05, '×', `\`RUST_BACKTRACE=1\`, ${title}, of without`, ratios(us[WITH], us[WITHOUT]))
  ])
}
