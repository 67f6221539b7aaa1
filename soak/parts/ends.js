// Calls that are given up: by signals, by handles, by timeouts, and by queues that are too long.

import { setTimeout as sleep } from 'node:timers/promises'
import { GUESTS, NEVER_STARTS, WASI_GUEST } from '../guests.js'
import { MAKERS, filled, make } from '../subject.js'

const HOUR = Buffer.from(BigUint64Array.of(3_600_000_000_000n).buffer)
const TIMEOUT = 'ERR_EXTISM_TIMEOUT'

export async function open ({ random, book, settings }) {
  const all = async (makers, guests, options) => filled(await Promise.all(makers.flatMap(maker => guests.map(guest =>
    make(maker, guest, { answer: text => text, ...options, ...settings })))), 'echo')
  const subjects = await all(MAKERS, GUESTS, { instances: 2 })
  const cancelled = await all(['new Plugin', 'Plugin.create'], GUESTS, { instances: 2 })
  const hurried = await all(MAKERS, GUESTS, { timeoutMs: 10 })
  const sleeping = await all(MAKERS, [WASI_GUEST], { wasi: true })
  const short = await all(MAKERS, [GUESTS[0]], { maxQueue: 2 })
  const impatient = await all(MAKERS, [GUESTS[0]], { queueTimeoutMs: 2 })
  const starting = await all(['new Plugin'], [NEVER_STARTS], { timeoutMs: 10 })

  const same = text => output => String(output) === text
  const many = (count, f) => Promise.all(Array.from({ length: count }, f))

  return {
    operations: {
      'aborted before': name =>
        book(name, random.pick(subjects).call('echo', 'x', { signal: AbortSignal.abort() }), { codes: ['ABORT_ERR'] }),

      'aborted at any moment': async name => {
        const controller = new AbortController()
        const f = random.pick(['echo', 'ask', 'work'])
        const calls = many(random.between(1, 8), () =>
          book(name, random.pick(subjects).call(f, 'x', { signal: controller.signal }), { gives: same('x'), codes: ['ABORT_ERR'] }))
        for (let turns = random.below(8); turns > 0; turns--) await new Promise(setImmediate)
        controller.abort()
        await calls
      },

      'aborted while it runs': name =>
        book(name, random.pick(subjects).call('spin', 'x', { signal: AbortSignal.timeout(random.between(1, 10)) }), { codes: ['ABORT_ERR'] }),

      'aborted after': async name => {
        const controller = new AbortController()
        await book(name, random.pick(subjects).call('ask', 'x', { signal: controller.signal }), { gives: same('x') })
        controller.abort()
      },

      cancelled: async name => {
        const subject = random.pick(cancelled)
        const calls = ['loop', 'echo', 'work'].map(f => book(name, subject.call(f, 'x'), { gives: same('x'), codes: ['ERR_EXTISM_CANCELLED'] }))
        let open = calls.length
        for (const call of calls) call.then(() => { open-- })
        // What it stops may be another's, and its own may come later.
        for (; open > 0; await sleep(1)) subject.plugin.cancelHandle().cancel()
      },

      'timeout of a call': name =>
        book(name, random.pick(subjects).call('loop', '', { timeoutMs: random.between(1, 10) }), { codes: [TIMEOUT] }),

      'timeout of a plugin': name => book(name, random.pick(hurried).call('spin', ''), { codes: [TIMEOUT] }),

      'timeout of a callSync': name =>
        book(name, () => random.pick(subjects).callSync('loop', '', { timeoutMs: 2 }), { codes: [TIMEOUT, 'ERR_EXTISM_BUSY'] }),

      'timeout of start code': name => Promise.all([
        book(name, random.pick(starting).call('run', ''), { codes: [TIMEOUT] }),
        book(name, make('createPlugin', NEVER_STARTS, { timeoutMs: 10, ...settings }), { codes: [TIMEOUT] })
      ]),

      'timeout of a sleep': name =>
        book(name, random.pick(sleeping).call('sleep', HOUR, { timeoutMs: random.between(1, 10) }), { codes: [TIMEOUT] }),

      'aborted sleep': name =>
        book(name, random.pick(sleeping).call('sleep', HOUR, { signal: AbortSignal.timeout(5) }), { codes: ['ABORT_ERR'] }),

      'full queue': async name => {
        const subject = random.pick(short)
        await many(8, () => book(name, subject.call('work', 'x'), { gives: same('x'), codes: ['ERR_EXTISM_QUEUE_FULL'] }))
      },

      'timeout of a queue': async name => {
        const subject = random.pick(impatient)
        await many(8, () => book(name, subject.call('work', 'x'), { gives: same('x'), codes: ['ERR_EXTISM_QUEUE_TIMEOUT'] }))
      }
    },
    close: () => Promise.all([subjects, cancelled, hurried, sleeping, short, impatient, starting].flat().map(subject => subject.close()))
  }
}
