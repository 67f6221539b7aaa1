// Instances in numbers: a thousand calls that wait at the same time, and as many as a process has
// room for. The peers are not here, since each such call would take a worker thread of theirs.

import { runChild } from './children/child.js'
import { OURS } from './ours.js'
import { atLeast, atMost, row } from './stats.js'

const AGAIN = 'extism-napi, made before'
const FLAGS = { flags: ['--expose-gc'] }
/** What there must be room for. */
const ENOUGH = 5_000

export async function run ({ instances: { rounds, waiting, plugins, each } }) {
  const waits = []
  const mosts = []
  for (let round = 0; round < rounds; round++) {
    waits.push(await runChild('instances.js', ['waiting', waiting], FLAGS))
    mosts.push(await runChild('instances.js', ['most', plugins, each], FLAGS).catch(ended))
  }
  return [...waitingRows(waits, waiting), ...mostRows(mosts)]
}

/** A process that ends for want of room has answered nothing. */
function ended (error) {
  console.error(error.message)
  return { answered: 0, codes: [], ms: NaN }
}

function waitingRows (rounds, count) {
  const many = `${count.toLocaleString('en')} calls at once that wait 100 ms in a host function`
  const first = rounds.map(({ first }) => first)
  const again = rounds.map(({ again }) => again)
  const threads = rounds.map(({ threads }) => threads)
  const kib = rounds.map(({ bytes }) => bytes / count / 1024)
  return [
    row('waiting-time', many, 'ms', 'lower', { [OURS]: first, [AGAIN]: again }, [
      atMost(500, 'ms', `${many}, all done`, first)
    ]),
    row('waiting-threads', `${many}, threads of the process`, 'threads', 'lower', { [OURS]: threads }, [
      atMost(31, 'threads', `${many}, threads of the process`, threads)
    ]),
    row('waiting-memory', `${many}, memory of each`, 'KiB', 'lower', { [OURS]: kib }, [
      atMost(50, 'KiB', `${many}, memory of each`, kib)
    ])
  ]
}

function mostRows (rounds) {
  const answered = rounds.map(({ answered }) => answered)
  const us = rounds.map(({ ms, answered }) => ms / answered * 1000)
  // Without a refusal there is nothing to say about what one too many gets.
  const coded = rounds.map(({ codes }) => codes.filter(code => code !== undefined).length / codes.length * 100)
  return [
    row('most', 'instances of a small guest that wait at the same time', 'instances', 'higher', { [OURS]: answered }, [
      atLeast(ENOUGH, 'instances', 'instances of a small guest made and called', answered),
      atLeast(100, '%', 'calls beyond the most instances that are refused with a code', coded)
    ]),
    row('most-time', 'the same, time to make and call each', 'µs', 'lower', { [OURS]: us })
  ]
}
