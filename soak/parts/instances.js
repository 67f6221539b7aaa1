// Where calls run: on a new instance each, on workers, on many instances at once, inside each other.

import { setTimeout as sleep } from 'node:timers/promises'
import { GUESTS } from '../guests.js'
import { MAKERS, filled, make } from '../subject.js'

const MANY = 64
const BUSY = 'ERR_EXTISM_BUSY'

export async function open ({ random, book, settings }) {
  const all = options => Promise.all(MAKERS.map(maker => make(maker, random.pick(GUESTS), { answer: text => text, ...options, ...settings })))
  const fresh = await all({ freshInstance: true, instances: 2 })
  const moving = await all({ instances: 3 })
  const elsewhere = await all({ runInWorker: true, instances: 2 })
  const waiting = await all({ answer: async text => sleep(random.below(20), text), instances: MANY })
  const inner = await all({})
  const outer = await all({ answer: text => String(random.pick(inner).callSync('ask', text)) })
  await filled([...fresh, ...moving, ...elsewhere, ...inner, ...outer], 'echo')
  const many = (count, f) => Promise.all(Array.from({ length: count }, f))
  for (const subject of waiting) await many(MANY, () => subject.call('ask', ''))

  let asked = 0
  const ask = (name, subject, f, codes) => {
    const text = `question ${asked++}`
    return book(name, subject.call(f, text), { gives: output => String(output) === text, codes })
  }
  const askSync = (name, subject, f, codes) => {
    const text = `question ${asked++}`
    return book(name, () => subject.callSync(f, text), { gives: output => String(output) === text, codes })
  }

  return {
    operations: {
      'a new one for each call': name => {
        const subject = random.pick(fresh)
        return many(random.between(1, 8), async () => {
          await book(name, subject.call('count', ''), { gives: output => output[0] === 1 })
          await book(name, subject.call('set', 'a value'), { gives: () => true })
          await book(name, subject.call('get', ''), { gives: output => output.length === 0 })
        })
      },
      'a new one after a failure': async name => {
        const subject = random.pick(fresh)
        await Promise.all([
          book(name, subject.call('trap', ''), { codes: ['ERR_EXTISM_TRAP'] }),
          book(name, subject.call('loop', '', { timeoutMs: 5 }), { codes: ['ERR_EXTISM_TIMEOUT'] }),
          ask(name, subject, 'ask')
        ])
      },
      'moved to a worker': name => {
        const subject = random.pick(moving)
        return many(random.between(1, 6), () => ask(name, subject, random.pick(['echo', 'ask', 'work_and_ask'])))
      },
      'always on a worker': name => {
        const subject = random.pick(elsewhere)
        // As in the API of 1.x, where a plugin in a worker takes one call at a time.
        const codes = subject.isLegacy ? [] : ['ERR_EXTISM_REENTRANT']
        return many(random.between(1, 6), () => ask(name, subject, random.pick(['echo', 'ask', 'work_and_ask']), codes))
      },
      'many wait for host functions': name => {
        const subject = random.pick(waiting)
        return many(MANY, () => ask(name, subject, 'ask'))
      },
      'callSync that is long': name => askSync(name, random.pick(moving), 'work_and_ask', [BUSY]),
      'callSync in a host function of a callSync': name => askSync(name, random.pick(outer), 'ask', [BUSY]),
      'callSync in a host function of a call': name => many(random.between(1, 8), () => ask(name, random.pick(outer), 'ask'))
    },
    close: () => Promise.all([fresh, moving, elsewhere, waiting, inner, outer].flat().map(subject => subject.close()))
  }
}
