// What plugins get from the host besides: configuration, variables and logs.

import { GUESTS } from '../guests.js'
import { MAKERS, filled, make } from '../subject.js'

const CONFIG = Object.fromEntries(Array.from({ length: 20 }, (_, i) => [`key ${i}`, `value ${i}`.repeat(i + 1)]))
const LEVELS = ['debug', 'info', 'warn', 'error']
const LINE = 'a line of a log'

export async function open ({ random, book, settings }) {
  const logged = { debug: 0, info: 0, warn: 0, error: 0 }
  const logger = Object.fromEntries(LEVELS.map(level => [level, text => { if (text === LINE) logged[level]++ }]))
  let lines = 0
  const all = options => Promise.all(MAKERS.map(maker => make(maker, random.pick(GUESTS), { answer: text => text, ...options, ...settings })))
  const [configured, keeping] = await Promise.all([all({ config: CONFIG, instances: 2 }), all({ instances: 2 })])
  const sharing = await make('createPlugin', GUESTS[0], { answer: text => text, instances: 3, sharedVars: true, ...settings })
  const logging = await make('createPlugin', GUESTS[0], { answer: text => text, instances: 2, logger, logLevel: 'debug', ...settings })
  await filled([...configured, ...keeping, sharing, logging], 'echo')

  /** All bytes of it are the same. */
  const value = () => Buffer.alloc(random.between(1, 20_000), random.between(1, 255))
  const isWhole = bytes => bytes.every(byte => byte === bytes[0])

  return {
    operations: {
      configuration: name => {
        const [key, value] = random.pick(Object.entries(CONFIG))
        return book(name, random.pick(configured).call('config', key), { gives: output => String(output) === value })
      },
      variables: name => {
        const subject = random.pick([...keeping, sharing])
        const set = () => book(name, subject.call('set', value()), { gives: output => output.length === 0 })
        const get = () => book(name, subject.call('get', ''), { gives: isWhole })
        return Promise.all([set(), get(), set(), get()])
      },
      'variables of a guest that broke off': async name => {
        const subject = random.pick(keeping)
        await book(name, subject.call('set', value()), { gives: () => true })
        await book(name, subject.call('trap', ''), { codes: ['ERR_EXTISM_TRAP'] })
        await book(name, subject.call('get', ''), { gives: isWhole })
      },
      logs: async name => {
        const calls = Array.from({ length: 10 }, () => book(name, logging.call('log', LINE), { gives: () => true }))
        lines += calls.length
        await Promise.all(calls)
      }
    },
    /** Once nothing runs, all that was logged has arrived. */
    check (fail) {
      for (const level of LEVELS) {
        if (logged[level] !== lines) fail(`services: ${level} had ${logged[level]} of ${lines} messages`)
      }
    },
    close: () => Promise.all([...configured, ...keeping, sharing, logging].map(subject => subject.close()))
  }
}
