// A quiet neighbour: its calls say what the others feel of the load.

import { setTimeout as sleep } from 'node:timers/promises'
import { percentile } from './growth.js'
import { GUESTS } from './guests.js'
import { make } from './subject.js'

const PAUSE_MS = 20

export class Probe {
  #times = []
  #stopped = false
  #ended

  static async start (ledger, settings) {
    const probe = new Probe()
    probe.#ended = probe.#run(ledger, await make('new Plugin', GUESTS[0], { answer: text => text, ...settings }))
    return probe
  }

  /** How long its calls took since the last time this was asked. */
  read () {
    const times = this.#times
    this.#times = []
    return { 'probe p50': percentile(times, 0.5), 'probe p99': percentile(times, 0.99) }
  }

  async close () {
    this.#stopped = true
    await this.#ended
  }

  async #run (ledger, subject) {
    while (!this.#stopped) {
      const start = performance.now()
      await ledger.book('probe', subject.call('echo', 'probe'), { gives: output => String(output) === 'probe' })
      this.#times.push(performance.now() - start)
      await sleep(PAUSE_MS)
    }
    await subject.close()
  }
}
