'use strict'

const { AsyncLocalStorage } = require('node:async_hooks')

// The host function that code runs in: so a plugin that is called by a host function of its own can
// be told from others. What runs synchronously is on a plain stack. What comes after an `await` is
// known where that costs nothing: before Node.js 24, an AsyncLocalStorage makes each `await` of the
// process slower.

const [major] = process.versions.node.split('.')
const storage = Number(major) >= 24 ? new AsyncLocalStorage() : undefined

/** The host call whose synchronous part runs now. */
let current

/** The host call that this code runs in, as long as a plugin waits for it. */
function currentHostFunction () {
  const call = current ?? storage?.getStore()
  return call?.over ? undefined : call
}

/** Runs the handler of a host call, in the async context of the plugin's call. */
function runHostFunction (operation, call, number) {
  const outer = current
  current = call
  try {
    const { handle, resource } = operation
    const handler = handle.handler(number)
    if (storage !== undefined) return resource === undefined ? storage.run(call, handler, call) : resource.runInAsyncScope(runStored, undefined, handler, call)
    return resource === undefined ? handler(call) : resource.runInAsyncScope(handler, undefined, call)
  } finally {
    current = outer
  }
}

function runStored (handler, call) {
  return storage.run(call, handler, call)
}

module.exports = { currentHostFunction, runHostFunction }
