'use strict'

const { abortable } = require('./abort.cjs')
const { environment, errorOf, register, running } = require('./environment.cjs')
const { AbortError, cut, fromNative, messageOf } = require('./errors.cjs')
const { NativePlugin } = require('./native.cjs')
const { warn } = require('./warn.cjs')

/** Cores that JavaScript must be there for, by promise, until it settles. */
const needed = new Map()

/** The plugin behind both faces. */
class Core {
  #place
  #handlers
  #fail
  #print
  #needsJavascript
  #maxCallDepth
  /**
   * By the number of a call, the host function it was made `from`, its `context`, and what the
   * logger has `thrown` for it.
   */
  #calls = new Map()
  /** Whether there was a call on this thread, whose messages arrive once it is over. */
  #wasSynchronous = false

  /**
   * `handlers` has the JavaScript body of each host function that has one, and after those the
   * three for HTTP. `fail` makes an error of a native failure, in the words of its face, and
   * must not lead back to the plugin; `print` gets what the plugin logs, if that is not for the
   * log file.
   */
  constructor (handlers, fail, print) {
    this.#place = register(this)
    this.#print = print
    this.#handlers = handlers
    this.#fail = fail
  }

  /** A core whose code is being compiled elsewhere. `source`: see PluginSource in src/node/source.rs. */
  static openSync (source, stores, handlers, fail) {
    const core = new Core(handlers, fail)
    core.#place.native = asked(() => new NativePlugin(environment, core.#place.id, source, stores))
    return core.#opened(source)
  }

  /** A promise of a core with a compiled instance. */
  static async open (source, stores, handlers, fail, print) {
    const core = new Core(handlers, fail, print)
    const [native, opened] = asked(() => NativePlugin.open(environment, core.#place.id, source, stores)) ?? await ENDING
    needed.set(opened, core)
    try {
      await opened
    } finally {
      needed.delete(opened)
    }
    native.opened()
    core.#place.native = native
    return core.#opened(source)
  }

  #opened ({ maxCallDepth }) {
    this.#place.fail = this.#fail
    this.#maxCallDepth = maxCallDepth
    this.#needsJavascript = this.#native.needsJavascript || this.logLevel !== 'silent'
    this.functions = new Map(this.#native.functions.map((name, index) => [name, index]))
    return this
  }

  /** A promise of the output of a call; `context` is what its host functions can ask for. */
  call (name, input, options, context) {
    const index = this.functions.get(name)
    if (index === undefined) return Promise.reject(this.#unknown(name))
    if (options === undefined && !this.#needsJavascript) {
      return asked(() => this.#native.call(index, input)) ?? ENDING
    }
    const { signal, timeoutMs } = options ?? {}
    if (signal?.aborted) return Promise.reject(new AbortError(signal.reason))
    const from = running()
    this.#checkDepth(from, name)
    const made = asked(() => this.#native.callWith(index, input, timeoutMs, this.#waitsFor(from)))
    if (made === undefined) return ENDING
    const [promise, id] = made
    const kept = this.#needsJavascript ? this.#keep(promise, id, { from, context, name }) : promise
    return signal ? abortable(kept, signal, () => this.#native.cancel(id)) : kept
  }

  /** The output of a call that runs on this thread. */
  callSync (name, input, { signal, timeoutMs } = {}, context = undefined) {
    const index = this.functions.get(name)
    if (index === undefined) throw this.#unknown(name)
    if (signal?.aborted) throw new AbortError(signal.reason)
    this.#checkDepth(running(), name)
    this.#wasSynchronous = true
    const result = context === undefined
      ? asked(() => this.#native.callSync(index, input, timeoutMs))
      : this.#within({ context }, () => asked(() => this.#native.callSync(index, input, timeoutMs)))
    if (result === null || Buffer.isBuffer(result)) return result
    throw errorOf(result)
  }

  cancelRunning () {
    return this.#native.cancelRunning()
  }

  stats () {
    return this.#native.stats()
  }

  /** Whether a call runs or waits. */
  isActive () {
    const { active, queued } = this.#native.stats()
    return active + queued > 0
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

  /** Passes on what the plugin has logged. Never throws, whatever the logger does. */
  print (level, text) {
    try {
      const printed = this.#print(level, text)
      // By the time an async logger rejects, its call may have settled.
      if (typeof printed?.then === 'function') Promise.resolve(printed).catch(error => this.#warn(error))
    } catch (error) {
      this.#failCall(error)
    }
  }

  /** Fails the call that logged. A message carries no number of a call, so that has to be the only one. */
  #failCall (error) {
    const calls = [...this.#calls].filter(([id]) => id !== SYNCHRONOUS)
    if (calls.length !== 1 || this.#wasSynchronous) return this.#warn(error)
    const [[, call]] = calls
    call.thrown ??= { error }
  }

  #warn (error) {
    warn(this, 'the logger of a plugin threw', error)
  }

  callOf (call) {
    return this.#calls.get(call)
  }

  /** A promise that start code has run, where there is any. */
  async start () {
    await this.#keep(Promise.resolve(this.#native.start()), STARTING, {})
  }

  /** Of what the main module exports under this name, null where it does not. */
  exportKind (name) {
    return this.#native.exportKind(String(name))
  }

  get exports () {
    return this.#native.exports
  }

  get imports () {
    return this.#native.imports
  }

  get logLevel () {
    return this.#native.logLevel
  }

  set logLevel (level) {
    this.#native.logLevel = level
  }

  variable (instance, name) {
    return this.#native.variable(instance, name)
  }

  /** Removes the variable if there is no value. Why that is not possible, or null. */
  setVariable (instance, name, value) {
    return this.#native.setVariable(instance, name, value)
  }

  #unknown (name) {
    return this.#fail({
      code: 'ERR_EXTISM_FUNCTION_NOT_FOUND',
      message: `the plugin has no function "${cut(String(name))}" that can be called`,
      function: name,
      isExport: this.exportKind(name) !== null
    })
  }

  /** Whether this plugin waits for the host function, be it by way of other plugins. */
  #waitsFor (running) {
    return callers(running).some(({ core }) => core === this)
  }

  /** Each call that a host function makes keeps the plugin of that one waiting, and a thread. */
  #checkDepth (from, name) {
    const depth = callers(from).length
    if (depth <= this.#maxCallDepth) return
    const message = `host functions have called plugins ${depth} deep, of which ${this.#maxCallDepth} are allowed (maxCallDepth)`
    throw this.#fail({ code: 'ERR_EXTISM_CALL_DEPTH', message, function: name })
  }

  /** The promise, during which this is not collected. */
  #keep (promise, id, call) {
    needed.set(promise, this)
    this.#calls.set(id, call)
    const settled = () => {
      needed.delete(promise)
      this.#calls.delete(id)
      call.context = undefined
    }
    return promise.then(output => {
      settled()
      if (call.thrown === undefined) return output
      const { error } = call.thrown
      throw this.#fail({ code: 'ERR_EXTISM_HOST_FUNCTION', message: messageOf(error), function: call.name, cause: error })
    }, error => {
      settled()
      throw error
    })
  }

  /** A call on this thread has no number; such calls are within each other. */
  #within (call, f) {
    const outer = this.#calls.get(SYNCHRONOUS)
    this.#calls.set(SYNCHRONOUS, call)
    try {
      return f()
    } finally {
      this.#calls.set(SYNCHRONOUS, outer)
      call.context = undefined
    }
  }
}

/**
 * What a call is where the addon gives nothing: the environment, a worker as a rule, is being
 * terminated. Code that went on could go on for ever, since Node.js can lose the termination on
 * its way through a host function.
 */
const ENDING = new Promise(() => {})

/** The host function that code runs in, and those that wait for it in turn. */
function callers (running) {
  const found = []
  for (let each = running; each !== undefined && !each.call.over; each = each.call.from) found.push(each)
  return found
}

/** What the addon throws, as an error of ours. */
function asked (f) {
  try {
    return f()
  } catch (error) {
    throw fromNative(error)
  }
}

/** What calls on this thread have for a number. */
const SYNCHRONOUS = 0
/** What start code has for a number. */
const STARTING = -1

module.exports = { Core }
