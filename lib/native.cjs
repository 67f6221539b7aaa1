'use strict'

const { candidates, platforms } = require('./platforms.cjs')

// An addon that was built in this checkout comes first.
module.exports = load([() => require('../extism-napi.node'), ...candidates().map(({ load }) => load)])

/** Loads the first of these that is there and that the system takes. */
function load (loaders) {
  let cause
  for (const load of loaders) {
    try {
      return load()
    } catch (error) {
      if (error.code !== 'MODULE_NOT_FOUND') cause ??= error
    }
  }
  const reason = cause ? cause.message.split('\n')[0] : 'none is installed'
  throw new Error(
    `The native addon of extism-napi cannot be loaded on ${process.platform}-${process.arch} (${reason}): `
    + `npm installs it for ${platforms.map(({ name }) => name).join(', ')} unless it omits optional packages, `
    + 'and "npm install" in a clone of the repository builds it, which needs Rust 1.95 or newer',
    cause && { cause }
  )
}
