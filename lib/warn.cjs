'use strict'

const { messageOf } = require('./errors.cjs')

const warned = new WeakSet()

/**
 * Emits a process warning for an error that cannot be attributed to a call, once for each `source`:
 * a logger that throws does so for every message.
 */
function warn (source, sentence, error) {
  if (warned.has(source)) return
  warned.add(source)
  process.emitWarning(`${sentence}: ${messageOf(error)}`, 'ExtismWarning')
}

module.exports = { warn }
