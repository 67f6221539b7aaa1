// What is watched: memory, and what else can be left behind.

import { readFileSync, readdirSync } from 'node:fs'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { setTimeout as sleep } from 'node:timers/promises'

const MIB = 1 << 20

/**
 * By name: the unit, and by how much the figures may rise from one time to another. Some say
 * something only `atRest`: threads stay for ten seconds after their last use, connections for five.
 */
export const GAUGES = {
  rss: { unit: 'MiB', slack: 32 },
  heapUsed: { unit: 'MiB', slack: 4 },
  external: { unit: 'MiB', slack: 4 },
  arrayBuffers: { unit: 'MiB', slack: 4 },
  handles: { unit: '', slack: 4, atRest: true },
  fds: { unit: '', slack: 4, atRest: true },
  threads: { unit: '', slack: 8, atRest: true },
  mappings: { unit: '', slack: 100, atRest: true },
  'probe p50': { unit: 'ms', slack: 20 },
  'probe p99': { unit: 'ms', slack: 200 },
  'loop p50': { unit: 'ms', slack: 40 },
  'loop p99': { unit: 'ms', slack: 200 }
}

/** How late the event loop is, since the last time it was asked. */
export function loopDelay () {
  const histogram = monitorEventLoopDelay({ resolution: 5 })
  histogram.enable()
  return {
    read () {
      const figures = { 'loop p50': histogram.percentile(50) / 1e6, 'loop p99': histogram.percentile(99) / 1e6 }
      histogram.reset()
      return figures
    },
    close: () => histogram.disable()
  }
}

/** Figures of the process once all that can be collected has been; undefined where the system does not tell. */
export async function readings () {
  await settle()
  const { rss, heapUsed, external, arrayBuffers } = process.memoryUsage()
  return {
    rss: rss / MIB,
    heapUsed: heapUsed / MIB,
    external: external / MIB,
    arrayBuffers: arrayBuffers / MIB,
    handles: process.getActiveResourcesInfo().length,
    fds: entries('/proc/self/fd'),
    threads: entries('/proc/self/task'),
    mappings: lines('/proc/self/maps')
  }
}

/** What nobody holds is finalized some turns after it was collected, and freed by other threads. */
async function settle () {
  for (let i = 0; i < 4; i++) {
    globalThis.gc()
    await sleep(30)
  }
}

function entries (directory) {
  try {
    return readdirSync(directory).length
  } catch {
    return undefined
  }
}

function lines (file) {
  try {
    return readFileSync(file, 'latin1').split('\n').length - 1
  } catch {
    return undefined
  }
}
