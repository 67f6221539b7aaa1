'use strict'

// What a worker does until it is terminated, which `work` of its data says. It posts that once it
// is in the middle of it.
//
// It is a CommonJS module, and gets the guests, so as to load nothing else: a worker that is
// terminated while it loads ES modules leaves their files open, which is a matter of Node.js.

const { setImmediate: turn } = require('node:timers/promises')
const { parentPort, workerData } = require('node:worker_threads')
const { HostFunction, Plugin, ValType: { I64 }, createPlugin } = require('../index.cjs')

const { work, guests, cache } = workerData
const [one, other] = guests.map(bytes => Buffer.from(bytes))
const options = { cache, instances: 2 }

/** The guest that asks has begun. */
function answer (text) {
  if (text === 'wait') return new Promise(tell)
  if (text === 'spin') tell()
  return text
}

function tell () {
  parentPort.postMessage(work)
}

const hostFunction = new HostFunction('answer', [I64], [I64], (current, [input], [output]) => {
  const text = answer(current.inputString(input))
  return typeof text === 'string' ? current.returnString(output, text) : text
})
const own = {
  answer (context, address) {
    const text = answer(context.read(address).text())
    return typeof text === 'string' ? context.store(text) : text
  }
}
const functions = { env: own, 'extism:host/user': own }

const MAKERS = [
  () => new Plugin(one, false, [hostFunction], undefined, null, options),
  () => Plugin.create(other, false, [hostFunction], undefined, null, options),
  () => createPlugin(other, { functions, ...options })
]

const WORKS = {
  spin: plugins => Promise.all(plugins.map(plugin => plugin.call('spin', 'spin'))),
  wait: plugins => Promise.all(plugins.map(plugin => plugin.call('ask', 'wait'))),
  async call (plugins) {
    for (let i = 0; ; i++) {
      await Promise.allSettled(plugins.flatMap(plugin => [plugin.call('ask', 'x'), plugin.call('trap'), plugin.call('echo', 'y')]))
      if (i === 3) tell()
    }
  },
  async callSync (plugins) {
    for (let i = 0; ; i++) {
      for (const plugin of plugins) plugin.callSync('ask', 'x')
      if (i === 3) tell()
      await turn()
    }
  },
  async make () {
    for (let i = 0; ; i++) {
      await MAKERS[i % MAKERS.length]()
      if (i === 3) tell()
    }
  },
  async end (plugins) {
    await Promise.all(plugins.map(plugin => plugin.call('echo', 'x')))
    tell()
  }
}

Promise.all(MAKERS.map(make => make())).then(WORKS[work])
