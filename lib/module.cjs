'use strict'

const { fromNative } = require('./errors.cjs')
const { NativeModule } = require('./native.cjs')

/** A module of these bytes, as they are now. */
function moduleOf (bytes) {
  try {
    return new NativeModule(bytes)
  } catch (error) {
    throw fromNative(error)
  }
}

/** Whether a module has the SHA-256 that a manifest says, if it says one. */
function hasHash (module, hash) {
  return isBlank(hash) || String(hash).toLowerCase() === module.sha256
}

/** Whether a name or a hash is absent. SDKs without optional strings write an empty one. */
function isBlank (text) {
  return text === undefined || text === null || text === ''
}

module.exports = { hasHash, isBlank, moduleOf }
