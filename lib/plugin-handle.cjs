'use strict'

const { abortable } = require('./abort.cjs')
const { arm, begin, call, callSync, environment, operations, putInput, register } = require('./environment.cjs')
const { AbortError, ExtismError, cut, fromNative } = require('./errors.cjs')
const { currentHostFunction } = require('./host-scope.cjs')
const { NativePlugin } = require('./native.cjs')
const { Operation, SyncOperation, contextOfCaller } = require('./operation.cjs')
const { warn } = require('./warn.cjs')

/** The plugin behind both APIs. */
class PluginHandle {
  #id
  #native
  #handlers
  /** Until it is open, what is wrong with it is said as it is. */
  #fail = ({ code, message }) => new ExtismError(code, message)
  #api
  #print
  #toOutput
  #needsJavascript
  #maxCallDepth

  /**
   * `handlers` has the JavaScript body of each host function that has one, and after those the
   * three for HTTP. `fail` makes an error of a failure, in the words of its API; `toOutput` makes
   * an output of the length of what is in the mailbox, a Buffer of a larger one, or null for none; `print` gets what the plugin logs, if that is
   * not for the log file.
   */
  constructor ({ handlers, fail, toOutput, print }) {
    this.#handlers = handlers
    this.#api = { fail }
    this.#toOutput = toOutput
    this.#print = print
  }

  /** A handle of a plugin whose code is being compiled elsewhere. `source`: see PluginSource in src/source.rs. */
  static openSync (source, stores, api) {
    const handle = new PluginHandle(api)
    const id = handle.#id = register(handle)
    handle.#native = asked(() => new NativePlugin(environment, id, source, stores))
    return handle.#opened(source)
  }

  /** A promise of a handle with compiled code. `opening` gets the handle at once, for `abandon`. */
  static async open (source, stores, api, opening) {
    const handle = new PluginHandle(api)
    const id = handle.#id = register(handle)
    const opened = handle.#operation(operation => { handle.#native = NativePlugin.open(environment, id, operation, source, stores) })
    opening(handle)
    await opened
    handle.#native.opened()
    return handle.#opened(source)
  }

  /** Gives up a handle that is not open yet: its promise rejects, if it still can. */
  abandon () {
    this.#native.abandon()
  }

  #opened ({ maxCallDepth }) {
    this.#fail = this.#api.fail
    this.#maxCallDepth = maxCallDepth
    this.#needsJavascript = this.#native.needsJavascript
    this.functions = new Map(this.#native.functions.map((name, index) => [name, index]))
    return this
  }

  /** A promise of the output of a call; `context` is what its host functions can ask for. */
  call (name, input, options, context) {
    const index = this.functions.get(name)
    if (index === undefined) return Promise.reject(this.#unknown(name))
    const signal = options?.signal
    if (signal?.aborted) return Promise.reject(new AbortError(signal.reason))
    const from = currentHostFunction()
    if (from !== undefined) this.#checkDepth(from, name)
    const operation = new Operation(this, name, context, from)
    // What the caller's context is, is only of interest to code of the caller's.
    if (this.#needsJavascript || this.logLevel !== 'silent') operation.resource = contextOfCaller()
    const id = begin(operation)
    try {
      if (from === undefined) {
        call(this.#id, id, index, putInput(input), options?.timeoutMs ?? NaN)
      } else {
        this.#native.callNested(id, index, input, options?.timeoutMs, this.#waitsFor(from))
        arm()
      }
    } catch (error) {
      operations.delete(id)
      throw fromNative(error)
    }
    return signal ? abortable(operation.promise, signal, () => this.cancel(id)) : operation.promise
  }

  /** The output of a call that runs on this thread. */
  callSync (name, input, options, context = undefined) {
    const index = this.functions.get(name)
    if (index === undefined) throw this.#unknown(name)
    const signal = options?.signal
    if (signal?.aborted) throw new AbortError(signal.reason)
    const from = currentHostFunction()
    if (from !== undefined) this.#checkDepth(from, name)
    const operation = new SyncOperation(this, name, context, from)
    const id = begin(operation)
    try {
      callSync(this.#id, id, index, putInput(input), options?.timeoutMs ?? NaN)
    } catch (error) {
      operations.delete(id)
      throw error.code?.startsWith('ERR_EXTISM_') ? this.#fail({ code: error.code, message: error.message, function: name }) : fromNative(error)
    }
    if (operation.error !== undefined) throw operation.error
    return operation.output
  }

  /** Stops a call by its number; whether it was there to stop. */
  cancel (id) {
    const cancelled = this.#native.cancel(id)
    arm()
    return cancelled
  }

  cancelRunning () {
    const cancelled = this.#native.cancelRunning()
    arm()
    return cancelled
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
  close () {
    return this.#operation(operation => this.#native.close(operation))
  }

  /** A promise of an instance, whose start code has run. */
  async start () {
    await this.#operation(operation => this.#native.start(operation))
  }

  /** Whether an instance runs code before its first call. */
  get hasStart () {
    return this.#native.hasStart
  }

  /** A promise that an operation has ended, which `start` is given the number of. */
  #operation (start) {
    const operation = new Operation(this)
    if (this.#print !== undefined) operation.resource = contextOfCaller()
    const id = begin(operation)
    try {
      start(id)
    } catch (error) {
      operations.delete(id)
      throw fromNative(error)
    }
    arm()
    return operation.promise
  }

  handler (index) {
    return this.#handlers[index]
  }

  /** An output of a call, or an error of its failure. */
  output (bytes) {
    return this.#toOutput(bytes)
  }

  failure (rejection) {
    return this.#fail(rejection)
  }

  /** Passes on what a call has logged. Never throws: a logger that does fails the call. */
  print (level, text, operation, id) {
    try {
      const resource = operation?.resource
      const printed = resource === undefined ? this.#print?.(level, text) : resource.runInAsyncScope(this.#print, undefined, level, text)
      // By the time an async logger rejects, its call may have settled.
      if (typeof printed?.then === 'function') Promise.resolve(printed).catch(error => warn(this, 'the logger of a plugin threw', error))
    } catch (error) {
      if (operation === undefined || operation.thrown !== undefined) return
      operation.thrown = { error }
      this.cancel(id)
    }
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
  #waitsFor (call) {
    return callers(call).some(({ operation }) => operation.handle === this)
  }

  /** Each call that a host function makes keeps the plugin of that one waiting. */
  #checkDepth (from, name) {
    const depth = callers(from).length
    if (depth <= this.#maxCallDepth) return
    const message = `host functions have called plugins ${depth} deep, of which ${this.#maxCallDepth} are allowed (maxCallDepth)`
    throw this.#fail({ code: 'ERR_EXTISM_CALL_DEPTH', message, function: name })
  }
}

/** The host function that code runs in, and those that wait for it in turn. */
function callers (call) {
  const found = []
  for (let each = call; each !== undefined && !each.over; each = each.operation?.from) found.push(each)
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

module.exports = { PluginHandle }
