'use strict'

const { typeError } = require('./check.cjs')
const { ExtismError } = require('./errors.cjs')
const { Plugin, useContext } = require('./plugin.cjs')

/** Owns plugins, which go with it. */
class Context {
  /** By number; undefined once freed. */
  #plugins = new Map()
  #nextId = 0

  plugin (manifest, wasi = false, functions = [], config, options = undefined) {
    return new Plugin(manifest, wasi, functions, config, this, options)
  }

  /** Frees every plugin; the context stays usable. */
  reset () {
    for (const plugin of [...this.#plugins?.values() ?? []]) plugin.free()
  }

  /** Frees every plugin and the context. */
  free () {
    this.reset()
    this.#plugins = undefined
  }

  /** @internal Takes a plugin in: its number. */
  static admit (context, plugin) {
    if (!context.#plugins) throw new ExtismError('ERR_EXTISM_CLOSED', 'No Context set: the context was freed')
    const id = context.#nextId++
    context.#plugins.set(id, plugin)
    return id
  }

  /** @internal */
  static forget (context, id) {
    context.#plugins?.delete(id)
  }
}

useContext(Context)

/** Calls `f` with a context that is freed when `f` is done, and gives what `f` gives. */
async function withContext (f) {
  if (typeof f !== 'function') throw typeError('f', 'a function', f)
  const context = new Context()
  try {
    return await f(context)
  } finally {
    context.free()
  }
}

module.exports = { Context, withContext }
