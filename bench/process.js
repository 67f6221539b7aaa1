// What a process has of the system.

import { readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'

/** Bytes in memory when all that can be collected has been. It needs --expose-gc. */
export async function residentBytes () {
  for (let i = 0; i < 3; i++) {
    globalThis.gc()
    await sleep(100)
  }
  return process.memoryUsage.rss()
}

/** How many threads there are now, NaN where the system does not tell. */
export function threads () {
  try {
    return Number(/^Threads:\s*(\d+)/m.exec(readFileSync('/proc/self/status', 'utf8'))[1])
  } catch {
    return NaN
  }
}
