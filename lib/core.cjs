'use strict'

const { abortable } = require('./abort.cjs')
const { environment, errorOf, hostFunction, register } = require('./environment.cjs')
const { AbortError, fromNative } = require('./errors.cjs')
const { NativePlugin } = require('./native.cjs')

/** Cores that JavaScript must be there for, by promise, until it settles. */
const needed = new Map()

/** The plugin behind both faces. */
class Core {
  #place
  #handlers
  #fail
  #needsJavascript
  /** By the number of a call, the host function it was made from. */
  #callers = new Map()

  /**
   * `source` is checked and complete, see `PluginSource` in src/node/source.rs. `handlers` has
   * the JavaScript body of each host function that has one, and after those the three for
   * HTTP. `fail` makes an error of a native failure, in the words of its face.
   */
  constructor (handlers, fail) {
    this.#place = register(this)
    this.#handlers = handlers
    this.#fail = fail
  }

  /** A core whose code is being compiled elsewhere. */
  static openSync (source, stores, handlers, fail) {
    const core = new Core(handlers, fail)
    try {
      core.#place.native = new NativePlugin(environment, core.#place.id, source, stores)
    } catch (error) {
      throw fromNative(error)
    }
    return core.#opened()
  }

  /** A promise of a core with a compiled instance. */
  static async open (source, stores, handlers, fail) {
    const core = new Core(handlers, fail)
    const [native, opened] = NativePlugin.open(environment, core.#place.id, source, stores)
    needed.set(opened, core)
    try {
      await opened
    } finally {
      needed.delete(opened)
    }
    native.opened()
    core.#place.native = native
    return core.#opened()
  }

  #opened () {
    this.#place.fail = this.#fail
    this.#needsJavascript = this.#native.needsJavascript
    this.functions = new Map(this.#native.functions.map((name, index) => [name, index]))
    return this
  }

  /** A promise of the output of a call. */
  call (name, input, options) {
    const index = this.functions.get(name)
    if (index === undefined) return Promise.reject(this.#unknown(name))
    if (options === undefined && !this.#needsJavascript) {
      return this.#native.call(index, input)
    }
    const { signal, timeoutMs } = options ?? {}
    if (signal?.aborted) return Promise.reject(new AbortError(signal.reason))
    const from = hostFunction.getStore()
    const [promise, id] = this.#native.callWith(index, input, timeoutMs, this.#waitsFor(from))
    if (this.#needsJavascript) this.#keep(promise, id, from)
    return signal ? abortable(promise, signal, () => this.#native.cancel(id)) : promise
  }

  /** The output of a call that runs on this thread. */
  callSync (name, input, { timeoutMs } = {}) {
    const index = this.functions.get(name)
    if (index === undefined) throw this.#unknown(name)
    const result = this.#native.callSync(index, input, timeoutMs)
    if (result === null || Buffer.isBuffer(result)) return result
    throw errorOf(result)
  }

  cancelRunning () {
    return this.#native.cancelRunning()
  }

  stats () {
    return this.#native.stats()
  }

  /** A promise that accepted calls are finished; further ones are not. */
  async close () {
    await this.#native.close()
  }

  get #native () {
    return this.#place.native
  }

  handler (index) {
    return this.#handlers[index]
  }

  callerOf (call) {
    return this.#callers.get(call)
  }

  #unknown (name) {
    return this.#fail({
      code: 'ERR_EXTISM_FUNCTION_NOT_FOUND',
      message: `the plugin has no function "${name}" that can be called`,
      function: name
    })
  }

  /** Whether this plugin waits for the host function, be it by way of other plugins. */
  #waitsFor (running) {
    for (let each = running; each !== undefined && !each.call.over; each = each.from) {
      if (each.core === this) return true
    }
    return false
  }

  #keep (promise, id, from) {
    needed.set(promise, this)
    if (from !== undefined) this.#callers.set(id, from)
    const settled = () => {
      needed.delete(promise)
      this.#callers.delete(id)
    }
    promise.then(settled, settled)
  }
}

module.exports = { Core }
