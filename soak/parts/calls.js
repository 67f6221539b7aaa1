// Calls that succeed: of both APIs and both eras, on one instance and on several.

import { Store, memoryGet } from 'extism-napi'
import { GREETER, GUESTS } from '../guests.js'
import { MAKERS, filled, make } from '../subject.js'

const MESSAGES = new Store([['hello', 'Hello World'], ['message', 'I like plugins']])

export async function open ({ random, book, settings }) {
  const answer = text => text
  const subjects = []
  for (const maker of MAKERS) {
    for (const guest of GUESTS) {
      for (const instances of [1, 3]) subjects.push(await make(maker, guest, { answer, instances, ...settings }))
    }
  }
  const functions = [memoryGet('hostMemoryGet', MESSAGES)]
  const greeters = await Promise.all(MAKERS.map(maker => make(maker, GREETER, { wasi: true, functions, instances: 2, ...settings })))
  await filled(subjects, 'echo')
  await filled(greeters, 'say_hello')

  const echo = async (name, size) => {
    const input = random.bytes(size)
    await book(name, random.pick(subjects).call('echo', input), { gives: output => output.equals(input) })
  }
  const several = f => Promise.all(Array.from({ length: random.between(1, 16) }, f))

  return {
    operations: {
      echo: name => several(() => echo(name, random.size(4096))),
      'large echo': name => echo(name, random.below(1 << 20) + 1),
      'host function': name => several(() => {
        const text = `question ${random.below(1e9)}`
        return book(name, random.pick(subjects).call('ask', text), { gives: output => String(output) === text })
      }),
      callSync: async name => {
        const input = random.bytes(random.size(65_536))
        const work = () => random.pick(subjects).callSync('echo', input)
        await book(name, work, { gives: output => output.equals(input), codes: ['ERR_EXTISM_BUSY'] })
      },
      greeting: name => several(() => {
        const who = `guest ${random.below(1e9)}`
        const greeting = `👋 Hello ${who}\nkey: hello, value: Hello World\nkey: message, value: I like plugins`
        return book(name, random.pick(greeters).call('say_hello', who), { gives: output => String(output) === greeting })
      })
    },
    close: () => Promise.all([...subjects, ...greeters].map(subject => subject.close()))
  }
}
