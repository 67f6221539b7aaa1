// Plugins come and go: made, updated, closed in the middle of calls, forgotten, or never made.

import { Context, Plugin } from 'extism-napi'
import { GUESTS, saying } from '../guests.js'
import { MAKERS, make } from '../subject.js'

const VERSIONS = ['one', 'two', 'three', 'four'].map(text => `version ${text}`)
const CLOSED = ['ERR_EXTISM_CLOSED']

const BROKEN = {
  module: [Buffer.from('(module (func (result i32)))'), {}, 'ERR_EXTISM_MODULE'],
  'no module': [Buffer.from('nonsense'), {}, 'ERR_EXTISM_MODULE'],
  import: [Buffer.from('(module (import "nowhere" "nothing" (func)))'), {}, 'ERR_EXTISM_LINK'],
  hash: [saying('x'), { hash: '0'.repeat(64) }, 'ERR_EXTISM_MANIFEST']
}

export async function open ({ random, book, settings }) {
  const opening = (options = {}) => make(random.pick(MAKERS), random.pick(GUESTS), { answer: text => text, instances: random.between(1, 2), ...options, ...settings })
  const changing = await Promise.all(MAKERS.map(maker => make(maker, saying(VERSIONS[0]), { instances: 2, ...settings })))
  let modules = 0

  const is = text => ({ gives: output => String(output) === text })
  const done = { gives: () => true }
  const calls = (name, subject, expected) => Promise.all(['echo', 'ask', 'work', 'echo'].map(f =>
    book(name, subject.call(f, f), { ...is(f), ...expected })))

  return {
    operations: {
      update: async name => {
        const subject = random.pick(changing)
        const call = () => book(name, subject.call('run', ''), { gives: output => VERSIONS.includes(String(output)) })
        const before = [call(), call()]
        await book(name, subject.update(saying(random.pick(VERSIONS)), { instances: 2, ...settings }), done)
        await Promise.all([...before, call()])
      },

      'update that fails': async name => {
        const subject = random.pick(changing)
        const [data, options, code] = random.pick(Object.values(BROKEN))
        await book(name, subject.update(data, { ...options, ...settings }), { codes: [code] })
        await book(name, subject.call('run', ''), { gives: output => VERSIONS.includes(String(output)) })
      },

      'made and closed': async name => {
        const subject = await opening()
        await calls(name, subject)
        await book(name, subject.close(), done)
        await book(name, subject.call('echo', 'x'), { codes: CLOSED })
      },

      'closed in the middle of calls': async name => {
        const subject = await opening()
        const made = calls(name, subject)
        for (let turns = random.below(4); turns > 0; turns--) await new Promise(setImmediate)
        await book(name, subject.close(), done)
        await made
      },

      forgotten: async name => { await calls(name, await opening()) },
      'forgotten without a call': async () => { await opening() },

      'forgotten in the middle of calls': async name => {
        const made = calls(name, await opening())
        for (let turns = random.below(4); turns > 0; turns--) await new Promise(setImmediate)
        await made
      },

      'compiled anew': async name => {
        const data = saying('anew', `module ${modules++}`)
        const subject = await make(random.pick(MAKERS), data, { cache: false })
        await book(name, subject.call('run', ''), is('anew'))
        if (random.chance(0.5)) await subject.close()
      },

      'never made': name => {
        const [data, options, code] = random.pick(Object.values(BROKEN))
        return book(name, make(random.pick(MAKERS), data, { ...options, ...settings }), { codes: [code] })
      },

      'a context is reset': async name => {
        const context = new Context()
        const plugins = [0, 1].map(() => context.plugin(saying(VERSIONS[0]), false, [], undefined, settings))
        context.free()
        await Promise.all(plugins.map(plugin => book(name, plugin.call('run'), { codes: CLOSED })))
      },

      'a context goes while a plugin is made': async name => {
        const context = new Context()
        const made = book(name, Plugin.create(saying('x'), false, [], undefined, context, settings), { codes: CLOSED })
        context.free()
        await made
      },

      reset: async name => {
        const subject = await make('createPlugin', GUESTS[0], { answer: text => text, ...settings })
        const call = book(name, subject.call('work', 'x'), is('x'))
        await book(name, subject.plugin.reset(), { gives: idle => idle === false })
        await call
        await book(name, subject.plugin.reset(), { gives: idle => idle === true })
        await subject.close()
      }
    },
    close: () => Promise.all(changing.map(subject => subject.close()))
  }
}
