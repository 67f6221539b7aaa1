// Host functions in JavaScript that do all that they can.

import { GUESTS } from '../guests.js'
import { MAKERS, filled, make } from '../subject.js'

const THROWN = 'SOAK_THROWN'

const BEHAVIOURS = {
  sync: text => text,
  async: text => new Promise(resolve => setImmediate(resolve, text)),
  throws () { throw thrown() },
  rejects: () => Promise.reject(thrown()),
  never: () => new Promise(() => {}),
  'calls its plugin': (text, subject) => subject.call('echo', text).then(String),
  'closes its plugin' (text, subject) {
    subject.close()
    return text
  }
}

export async function open ({ random, book, settings }) {
  const answer = (text, subject) => BEHAVIOURS[text](text, subject)
  const opening = (maker, instances) => make(maker, random.pick(GUESTS), { answer, instances, ...settings })
  const subjects = await Promise.all(MAKERS.flatMap(maker => [1, 3].map(instances => opening(maker, instances))))
  await filled(subjects, 'echo')

  /** An error of a host function has one of ours around it in the legacy API. */
  const wrapped = (subject, code) => [subject.isLegacy ? 'ERR_EXTISM_HOST_FUNCTION' : code]
  const ask = (name, text, codes, options) => {
    const subject = random.pick(subjects)
    return book(name, subject.call('ask', text, options), codes === undefined ? gives(text) : { codes: codes(subject) })
  }
  const gives = text => ({ gives: output => String(output) === text })

  return {
    operations: {
      sync: name => ask(name, 'sync'),
      async: name => ask(name, 'async'),
      throws: name => ask(name, 'throws', subject => wrapped(subject, THROWN)),
      rejects: name => ask(name, 'rejects', subject => wrapped(subject, THROWN)),
      'never settles': name => ask(name, 'never', () => ['ERR_EXTISM_TIMEOUT'], { timeoutMs: random.between(1, 20) }),
      'never settles, and is aborted': name => ask(name, 'never', () => ['ABORT_ERR'], { signal: AbortSignal.timeout(10) }),

      'calls its plugin': name => {
        const subject = random.pick(subjects)
        const text = 'calls its plugin'
        return book(name, subject.call('ask', text), { ...gives(text), codes: wrapped(subject, 'ERR_EXTISM_REENTRANT') })
      },

      'closes its plugin': async name => {
        const subject = await opening(random.pick(MAKERS), 1)
        const text = 'closes its plugin'
        await Promise.all([
          book(name, subject.call('ask', text), gives(text)),
          book(name, subject.call('echo', 'behind'), gives('behind'))
        ])
        await book(name, subject.call('echo', 'x'), { codes: ['ERR_EXTISM_CLOSED'] })
      },

      'of a callSync': name => {
        const subject = random.pick(subjects)
        return book(name, () => subject.callSync('ask', 'sync'), { ...gives('sync'), codes: ['ERR_EXTISM_BUSY'] })
      },

      'of a callSync, async': name => {
        const subject = random.pick(subjects)
        return book(name, () => subject.callSync('ask', 'async'), { codes: [...wrapped(subject, 'ERR_EXTISM_ASYNC'), 'ERR_EXTISM_BUSY'] })
      }
    },
    close: () => Promise.all(subjects.map(subject => subject.close()))
  }
}

function thrown () {
  return Object.assign(new Error('on purpose'), { code: THROWN })
}
