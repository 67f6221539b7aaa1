// Figures: how they are taken, and how they are summed up.

import { readFileSync } from 'node:fs'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'

setFlagsFromString('--expose-gc')
const collectGarbage = runInNewContext('gc')

/** Makes so many calls, so many of them at a time. */
export async function lanes (count, width, call) {
  let left = count
  const lane = async () => {
    while (left-- > 0) await call()
  }
  await Promise.all(Array.from({ length: width }, lane))
}

/** How many milliseconds it takes. */
export async function time (f) {
  const start = performance.now()
  await f()
  return { time: performance.now() - start }
}

/**
 * How many milliseconds it takes, in how many of them the event loop does not idle, and in how
 * many the main thread has a core, where the system tells.
 */
export async function timeOfLoop (f) {
  const before = performance.eventLoopUtilization()
  const cpu = threadTime()
  const measures = await time(f)
  return {
    ...measures,
    loop: performance.eventLoopUtilization(before).active,
    cpu: threadTime() - cpu
  }
}

function threadTime () {
  try {
    return Number(readFileSync('/proc/thread-self/schedstat', 'utf8').split(' ')[0]) / 1e6
  } catch {
    return NaN
  }
}

/**
 * Measures contenders in turns. Each is a function that makes a number of calls and gives its
 * measures in milliseconds; what comes back are arrays of milliseconds per call, one for each
 * measure, with a value of each round.
 *
 * How many calls a turn has follows from the first ones, which warm up. The order changes from
 * round to round, and each turn starts on a heap without another's garbage.
 */
export async function interleave (contenders, { rounds, turnMs }) {
  const names = Object.keys(contenders)
  const counts = {}
  const figures = {}
  for (const name of names) {
    counts[name] = await callsWithin(turnMs, contenders[name])
    figures[name] = {}
  }
  for (let round = 0; round < rounds; round++) {
    for (const name of inTurn(names, round)) {
      collectGarbage()
      const measures = await contenders[name](counts[name])
      for (const [measure, ms] of Object.entries(measures)) {
        (figures[name][measure] ??= []).push(ms / counts[name])
      }
    }
  }
  return figures
}

async function callsWithin (turnMs, contender) {
  let warm = 0
  for (let count = 1; ; count *= 2) {
    const { time } = await contender(count)
    warm += time
    // The runtimes of the peers compile a second time while code is in use.
    if (time >= turnMs / 2 && warm >= 2 * turnMs) return Math.max(1, Math.round(count * turnMs / time))
    if (time >= turnMs) count /= 2
  }
}

/** The same in an order that starts further on from round to round. */
export function inTurn (list, round) {
  const first = round % list.length
  return [...list.slice(first), ...list.slice(0, first)]
}

/** All of it is NaN where a round could not be measured. */
export function summary (values) {
  if (!values.every(Number.isFinite)) return { median: NaN, low: NaN, high: NaN, rounds: [...values] }
  const sorted = [...values].sort((a, b) => a - b)
  const middle = sorted.length / 2
  const median = (sorted[Math.ceil(middle) - 1] + sorted[Math.floor(middle)]) / 2
  return { median, low: sorted[0], high: sorted.at(-1), rounds: [...values] }
}

/** Round by round, so that a slow moment of the machine counts for both. */
export function ratios (values, others) {
  return values.map((value, round) => value / others[round])
}

/** Round by round, the geometric mean of several lists. */
export function geometricMeans (lists) {
  return lists[0].map((_, round) => Math.exp(lists.reduce((sum, list) => sum + Math.log(list[round]), 0) / lists.length))
}

/** Round by round, how much more the first of two is. */
export function differences (values, others) {
  return values.map((value, round) => value - others[round])
}

/** The value that a share of the values does not exceed. */
export function percentile (values, share) {
  const sorted = [...values].sort((a, b) => a - b)
  return sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)]
}

/**
 * A row of the table: what several contenders need for the same. `results` has the values of
 * the rounds by contender, `targets` what is asked of them.
 */
export function row (id, title, unit, better, results, targets = []) {
  return { id, title, unit, better, results: mapValues(results, summary), targets }
}

export function atMost (limit, unit, title, values) {
  const measured = summary(values)
  return { title, unit, limit, sign: '≤', ...measured, reached: measured.median <= limit }
}

export function atLeast (limit, unit, title, values) {
  const measured = summary(values)
  return { title, unit, limit, sign: '≥', ...measured, reached: measured.median >= limit }
}

/** Of the contenders with these names, the values of the best one. */
export function best (better, results, names) {
  const medians = names.map(name => summary(results[name]).median)
  const winner = better === 'lower' ? Math.min(...medians) : Math.max(...medians)
  return results[names[medians.indexOf(winner)]]
}

/** One of the measures, in another unit. */
export function scale (figures, measure, factor) {
  return mapValues(figures, measures => measures[measure].map(value => value * factor))
}

export function mapValues (object, f) {
  return Object.fromEntries(Object.entries(object).map(([key, value]) => [key, f(value, key)]))
}
