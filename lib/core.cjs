'use strict'

// The plugin behind both faces, and the one door between plugins and this thread.

const { ExtismError, fromNative } = require('./errors.cjs')
const { HostCall } = require('./host-call.cjs')
const { Environment, NativePlugin } = require('./native.cjs')

const environment = new Environment(listen)

/** By number. Weak, so that a plugin that nobody has any more can be collected. */
const cores = new Map()
const collected = new FinalizationRegistry(id => cores.delete(id))
let nextId = 1

/** Plugins that JavaScript must be there for, by promise, until it settles. */
const needed = new Map()

/** What host functions threw, until the call they failed has been rejected. */
const causes = new Map()
let nextCause = 0

/** Host calls that wait for an answer. */
const hostCalls = new Map()

class Core {
  #native
  #handlers
  #needsJavascript
  #fail

  /**
   * `source` is checked and complete, see `PluginSource` in src/node/plugin.rs. `handlers` has
   * the JavaScript body of each host function that has one, and after those the three for
   * HTTP. `fail` makes an error of a native failure, in the words of its face.
   */
  constructor (source, stores, handlers, fail) {
    this.id = nextId++
    this.#handlers = handlers
    this.#fail = fail
    try {
      this.#native = new NativePlugin(environment, this.id, source, stores)
    } catch (error) {
      throw fromNative(error)
    }
    this.#needsJavascript = this.#native.needsJavascript
    this.functions = new Map(this.#native.functions.map((name, index) => [name, index]))
    cores.set(this.id, new WeakRef(this))
    collected.register(this, this.id)
  }

  /** A promise of the output of a call. */
  call (name, input) {
    const index = this.functions.get(name)
    if (index === undefined) {
      return Promise.reject(this.#fail({
        code: 'ERR_EXTISM_FUNCTION_NOT_FOUND',
        message: `the plugin has no function "${name}" that can be called`,
        function: name
      }))
    }
    const promise = this.#native.call(environment, index, input)
    if (this.#needsJavascript) {
      needed.set(promise, this)
      const done = () => needed.delete(promise)
      promise.then(done, done)
    }
    return promise
  }

  cancel () {
    return this.#native.cancel()
  }

  close () {
    this.#native.close()
  }

  static reject (core, rejection) {
    const cause = causes.get(rejection.cause)
    causes.delete(rejection.cause)
    return core.#fail({ ...rejection, cause })
  }

  static handler (core, index) {
    return core.#handlers[index]
  }
}

/** What a burst has for JavaScript. Nothing in here may throw: it would strand the rest. */
function listen (rejections, calls, forgotten) {
  for (const rejection of rejections) {
    const core = cores.get(rejection.plugin)?.deref()
    const error = core ? Core.reject(core, rejection) : new ExtismError(rejection.code, rejection.message)
    environment.reject(rejection.ticket, error)
  }
  for (const call of calls) answer(call)
  for (const id of forgotten) {
    hostCalls.get(id)?.end()
    hostCalls.delete(id)
  }
}

function answer (event) {
  const call = new HostCall(environment, event)
  hostCalls.set(event.id, call)
  const over = () => hostCalls.delete(event.id)
  const fail = error => {
    over()
    const cause = nextCause++
    causes.set(cause, error)
    if (!call.fail(cause, messageOf(error))) causes.delete(cause)
  }
  const finish = values => {
    over()
    call.finish(values)
  }
  try {
    const core = cores.get(event.plugin).deref()
    const values = Core.handler(core, event.function)(call)
    if (typeof values?.then === 'function') values.then(finish).catch(fail)
    else finish(values)
  } catch (error) {
    fail(error)
  }
}

/** Anything can be thrown, also what cannot be printed. */
function messageOf (error) {
  try {
    return error instanceof Error ? `${error.message}` : `${error}`
  } catch {
    return 'it threw something that has no text'
  }
}

module.exports = { Core }
