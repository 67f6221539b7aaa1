'use strict'

const { addAbortListener } = require('node:events')
const { AbortError } = require('./errors.cjs')

/**
 * What is to be cancelled when a signal is aborted. One listener does it for all calls: a signal
 * with a listener for each would look like a leak.
 */
const waiting = new WeakMap()

/** The promise of a call that `cancel` stops, which rejects with an AbortError once `signal` is aborted. */
function abortable (promise, signal, cancel) {
  try {
    expect(signal, cancel)
  } catch (error) {
    // Nobody gets the promise.
    promise.catch(() => {})
    cancel()
    throw error
  }
  return promise.then(output => {
    forget(signal, cancel)
    return output
  }, error => {
    forget(signal, cancel)
    throw signal.aborted && error.code === 'ERR_EXTISM_CANCELLED' ? new AbortError(signal.reason) : error
  })
}

function expect (signal, cancel) {
  let each = waiting.get(signal)
  if (each === undefined) {
    each = { cancels: new Set() }
    // Not by way of the signal itself, where others could keep the event from being heard.
    each.disposable = addAbortListener(signal, () => { for (const cancel of each.cancels) cancel() })
    waiting.set(signal, each)
  }
  each.cancels.add(cancel)
}

function forget (signal, cancel) {
  const each = waiting.get(signal)
  each.cancels.delete(cancel)
  if (each.cancels.size > 0) return
  each.disposable[Symbol.dispose]()
  waiting.delete(signal)
}

module.exports = { abortable }
