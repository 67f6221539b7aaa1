// Workers that make plugins and call them, and are terminated meanwhile.

import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import { Worker } from 'node:worker_threads'
import { GUESTS } from '../guests.js'

const SCRIPT = new URL('../worker.cjs', import.meta.url)
const WORKS = ['spin', 'wait', 'call', 'callSync', 'make', 'end']

/** Each takes some megabytes, and a core while it starts. */
const AT_A_TIME = 2

export async function open ({ random, book, settings }) {
  let running = 0
  const started = async f => {
    if (running >= AT_A_TIME) return sleep(5)
    running++
    try {
      const work = random.pick(WORKS)
      await f(new Worker(SCRIPT, { workerData: { work, guests: GUESTS, ...settings }, execArgv: [] }), work)
    } finally {
      running--
    }
  }
  const terminate = (name, worker) => book(name, worker.terminate(), { gives: () => true })

  return {
    operations: {
      'terminated in the middle of calls': name => started(async (worker, work) => {
        const exit = once(worker, 'exit')
        const said = await book(name, once(worker, 'message'), { gives: ([text]) => text === work })
        if (said === undefined) return
        for (let turns = random.below(10); turns > 0; turns--) await sleep(1)
        if (work === 'end') await book(name, exit, { gives: ([code]) => code === 0 })
        else await terminate(name, worker)
      }),
      'terminated at any moment': name => started(async worker => {
        // Its last words may still come.
        worker.on('error', error => book(name, Promise.reject(error), {}))
        await once(worker, 'online')
        await sleep(random.below(60))
        await terminate(name, worker)
      })
    },
    close () {}
  }
}
