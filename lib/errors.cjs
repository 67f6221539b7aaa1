'use strict'

/**
 * Every failure of a plugin. `code` is stable; docs/errors.md lists the codes.
 */
class ExtismError extends Error {
  constructor (code, message, { cause, ...details } = {}) {
    super(message, cause === undefined ? undefined : { cause })
    this.code = code
    for (const [name, value] of Object.entries(details)) {
      if (value !== undefined && value !== null) this[name] = value
    }
  }

  static {
    this.prototype.name = 'ExtismError'
  }
}

/** A call was ended by an AbortSignal, whose reason is the `cause`. */
class AbortError extends ExtismError {
  constructor (cause) {
    super('ABORT_ERR', 'The operation was aborted', { cause })
  }

  static {
    this.prototype.name = 'AbortError'
  }
}

/** A native error as ours. */
function fromNative (error) {
  return error.code?.startsWith('ERR_EXTISM_')
    ? new ExtismError(error.code, error.message)
    : new ExtismError('ERR_EXTISM_INTERNAL', error.message, { cause: error })
}

const MAX_MESSAGE = 64 << 10

/**
 * A message as long as those of plugins can be. With what comes around it, a longer one could
 * exceed what V8 takes for a string.
 */
function cut (message) {
  return message.slice(0, MAX_MESSAGE)
}

/** Anything can be thrown, also what cannot be printed. */
function messageOf (error) {
  try {
    const message = error instanceof Error ? `${error.message}` : `${error}`
    return cut(message)
  } catch {
    return 'it threw something that has no text'
  }
}

module.exports = { AbortError, ExtismError, cut, fromNative, messageOf }
