'use strict'

const { bytesOf, describe, typeError } = require('./check.cjs')
const { Core } = require('./core.cjs')
const { ExtismError } = require('./errors.cjs')
const { HostFunction } = require('./host-function.cjs')
const { httpHandlers } = require('./http.cjs')
const { configEntries, loadManifest } = require('./manifest.cjs')

/**
 * The legacy plugin: calls run one after another, off the event loop, on one instance whose
 * state they share.
 */
class Plugin {
  #core
  #ctx
  #id

  /**
   * Checks and links the modules before it returns, and throws what is wrong with them; it
   * blocks for files and downloads of the manifest. Compiling goes on elsewhere.
   */
  constructor (manifest, wasi = false, functions = [], config, ctx = null) {
    // Loaded here: the two classes know each other.
    const { Context } = require('./context.cjs')
    if (ctx !== null && ctx !== undefined && !(ctx instanceof Context)) throw typeError('ctx', 'a Context', ctx)
    this.#ctx = ctx ?? new Context()
    this.#id = Context.admit(this.#ctx, this)
    try {
      this.#core = this.#load(manifest, wasi, functions, config)
    } catch (error) {
      Context.forget(this.#ctx, this.#id)
      throw error
    }
  }

  get id () {
    return this.#id
  }

  get ctx () {
    return this.#ctx
  }

  /**
   * Calls a function of the plugin with a string or bytes: a promise of its output. Rejects
   * with an `ExtismError` whose message starts with `Plugin error: `.
   */
  call (name, input = '') {
    if (typeof name !== 'string') return Promise.reject(typeError('the name of a function', 'a string', name))
    const bytes = typeof input === 'string' ? input : bytesOf(input)
    if (bytes === undefined) return Promise.reject(typeError('the input', 'a string or bytes', input))
    if (!this.#core) return Promise.reject(failure(this.#id, { code: 'ERR_EXTISM_CLOSED', message: 'the plugin was freed', function: name }))
    return this.#core.call(name, bytes)
  }

  functionExists (name) {
    return this.#core?.functions.has(name) ?? false
  }

  /**
   * Replaces the code. Calls in flight finish on the old code; if this throws, the old code
   * stays.
   */
  update (manifest, wasi = false, functions = [], config) {
    if (!this.#core) throw failure(this.#id, { code: 'ERR_EXTISM_CLOSED', message: 'the plugin was freed' })
    const core = this.#load(manifest, wasi, functions, config)
    this.#core.close()
    this.#core = core
    return true
  }

  cancelHandle () {
    return new CancelHandle(() => this.#core?.cancel() ?? false)
  }

  /** Takes no further calls; those in flight are finished. */
  free () {
    const { Context } = require('./context.cjs')
    Context.forget(this.#ctx, this.#id)
    this.#core?.close()
    this.#core = undefined
  }

  #load (manifest, wasi, functions, config) {
    if (!Array.isArray(functions)) throw typeError('functions', 'an array of HostFunction', functions)
    for (const hostFunction of functions) {
      if (!(hostFunction instanceof HostFunction)) throw typeError('each of functions', 'a HostFunction', hostFunction)
    }
    const loaded = loadManifest(manifest)
    const stores = []
    const source = {
      modules: loaded.modules,
      functions: functions.map(hostFunction => HostFunction.source(hostFunction, stores)),
      config: config === undefined || config === null ? loaded.config : configEntries(config),
      wasi: Boolean(wasi),
      allowedPaths: loaded.allowedPaths,
      maxPages: loaded.maxPages,
      timeoutMs: loaded.timeoutMs,
      alwaysBytes: true
    }
    const id = this.#id
    const handlers = [...functions.map(HostFunction.handler), ...httpHandlers(loaded)]
    return new Core(source, stores, handlers, rejection => failure(id, rejection))
  }
}

/** A failed call, as the old SDK put it. */
function failure (plugin, { code, message, function: name, exitCode, backtrace, cause }) {
  const where = name === undefined || name === null ? `plugin ${plugin}` : `function "${name}" of plugin ${plugin}`
  const suffix = exitCode === undefined || exitCode === null ? '' : `, code: ${exitCode}`
  return new ExtismError(code, `Plugin error: ${message} (${where})${suffix}`, {
    cause, plugin, function: name, exitCode, backtrace
  })
}

/** Stops the call that runs, and no other. */
class CancelHandle {
  #cancel

  constructor (cancel) {
    if (typeof cancel !== 'function') throw new TypeError(`Illegal constructor: use plugin.cancelHandle(); got ${describe(cancel)}`)
    this.#cancel = cancel
  }

  /** Whether there was a call to stop. */
  cancel () {
    return this.#cancel()
  }
}

module.exports = { CancelHandle, Plugin }
