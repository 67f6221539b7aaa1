'use strict'

const { AsyncResource } = require('node:async_hooks')
const { messageOf } = require('./errors.cjs')

/** Nobody needs to hear of the end of a resource that is collected. */
const RESOURCE = { requireManualDestroy: true }

/** What runs code in the async context of the caller. */
function contextOfCaller () {
  return new AsyncResource('ExtismCall', RESOURCE)
}

/** A call, or what else ends at some time, with the promise of it. */
class Operation {
  /** What runs its host functions and its logger in the caller's context. */
  resource
  /** What the logger has thrown. */
  thrown
  /** What a host function has thrown after the call was stopped. */
  late
  #resolve
  #reject

  constructor (handle, name, context, from) {
    this.handle = handle
    this.name = name
    this.context = context
    this.from = from
    this.promise = new Promise((resolve, reject) => {
      this.#resolve = resolve
      this.#reject = reject
    })
  }

  settle (failure, output) {
    forgetCaller(this)
    const error = errorOf(this, failure)
    if (error === undefined) this.#resolve(output)
    else this.#reject(error)
  }
}

/** A call that this thread waits for. */
class SyncOperation {
  resource
  thrown
  late
  error
  output

  constructor (handle, name, context, from) {
    this.handle = handle
    this.name = name
    this.context = context
    this.from = from
  }

  settle (failure, output) {
    forgetCaller(this)
    this.error = errorOf(this, failure)
    if (this.error === undefined) this.output = output
  }
}

/**
 * Code that a host function has left behind may refer to the operation for long. The context of a
 * call that a host function made refers to that host function, and so on.
 */
function forgetCaller (operation) {
  operation.context = undefined
  operation.from = undefined
  operation.resource = undefined
}

function errorOf ({ handle, name, thrown }, failure) {
  // A call that its logger failed was cancelled for that, unless it ended first.
  if (thrown !== undefined && (failure === undefined || failure.code === 'ERR_EXTISM_CANCELLED')) {
    const { error } = thrown
    return handle.failure({ code: 'ERR_EXTISM_HOST_FUNCTION', message: messageOf(error), function: name, cause: error })
  }
  return failure && handle.failure(failure)
}

module.exports = { Operation, SyncOperation, contextOfCaller }
