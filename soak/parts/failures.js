// Calls that fail by what the guest does, beside calls of the same plugin that must not.

import { FAILS_TO_START, GUESTS, WASI_GUEST } from '../guests.js'
import { MAKERS, filled, make } from '../subject.js'

const FAILURES = {
  trap: 'ERR_EXTISM_TRAP',
  divide: 'ERR_EXTISM_TRAP',
  recurse: 'ERR_EXTISM_TRAP',
  overwrite: 'ERR_EXTISM_MEMORY',
  refuse: 'ERR_EXTISM_GUEST',
  absent: 'ERR_EXTISM_FUNCTION_NOT_FOUND'
}

export async function open ({ random, book, settings }) {
  const [subjects, exiting, failing] = [[], [], []]
  for (const maker of MAKERS) {
    for (const guest of GUESTS) subjects.push(await make(maker, guest, { answer: text => text, maxPages: 40, instances: random.between(1, 3), ...settings }))
    exiting.push(await make(maker, WASI_GUEST, { wasi: true, ...settings }))
  }
  failing.push(await make('new Plugin', FAILS_TO_START, settings))
  const growing = subjects.filter(subject => subject.isLegacy)
  const fuelled = await make('createPlugin', GUESTS[0], { answer: text => text, fuel: 1_000_000, ...settings })
  await filled(subjects, 'echo')

  const fails = (name, subject, f, code, input = 'x') => Promise.all([
    book(name, subject.call(f, input), { codes: [code] }),
    book(name, subject.call('echo', 'beside'), { gives: output => String(output) === 'beside' })
  ])

  return {
    operations: {
      ...Object.fromEntries(Object.entries(FAILURES).map(([f, code]) => [f, name => fails(name, random.pick(subjects), f, code)])),
      exit: name => fails(name, random.pick(exiting), 'exit', 'ERR_EXTISM_EXIT'),
      'out of memory': name => fails(name, random.pick(growing), 'grow', 'ERR_EXTISM_OUT_OF_MEMORY'),
      'too large an input': name => fails(name, random.pick(subjects), 'echo', 'ERR_EXTISM_OUT_OF_MEMORY', Buffer.alloc(3 << 20)),
      fuel: name => fails(name, fuelled, 'loop', 'ERR_EXTISM_FUEL'),
      callSync: name => {
        const [f, code] = random.pick(Object.entries(FAILURES))
        return book(name, () => random.pick(subjects).callSync(f, 'x'), { codes: [code, 'ERR_EXTISM_BUSY'] })
      },
      'start code': async name => {
        await book(name, random.pick(failing).call('run'), { codes: ['ERR_EXTISM_TRAP'] })
        await book(name, make('createPlugin', FAILS_TO_START, settings), { codes: ['ERR_EXTISM_TRAP'] })
      }
    },
    close: () => Promise.all([...subjects, ...exiting, ...failing, fuelled].map(subject => subject.close()))
  }
}
