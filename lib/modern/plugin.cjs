'use strict'

const { bytesOf, typeError } = require('../check.cjs')
const { ExtismError } = require('../errors.cjs')
const { HostFunction, ValType, after } = require('../host-function.cjs')
const { httpHandlers } = require('../http.cjs')
const { copyAlone } = require('../mailbox.cjs')
const { callOptions } = require('../options.cjs')
const { PluginHandle } = require('../plugin-handle.cjs')
const { CallContext } = require('./call-context.cjs')
const { failure } = require('./failure.cjs')
const { loadManifest } = require('./manifest.cjs')
const { LEVELS, checkLevel, fetchOf, hostFunctions, pluginOptions } = require('./options.cjs')
const { PluginOutput } = require('./plugin-output.cjs')

/** What `createPlugin` gives. */
class Plugin {
  #options
  #handle
  #closed
  /** Replaced handles, until the calls these had accepted are finished, and promises of that. */
  #draining = new Map()
  /** Handles of updates that are not open yet. */
  #opening = new Set()
  /** The number of the last update that was asked for, and of the one that is there. */
  #asked = 0
  #updated = 0
  /** Calls that have not settled, where there is to be one at most. */
  #calls = 0

  /** @internal */
  static async create (manifest, options) {
    const plugin = new Plugin()
    plugin.#options = copyOf(options ?? {})
    plugin.#handle = await plugin.#open(manifest, plugin.#options)
    return plugin
  }

  /** A promise of the output: null where the plugin sets none. */
  async call (name, input, hostContext = null, options = undefined) {
    const handle = this.#opened(name)
    if (this.#options.exclusive && this.#calls > 0) throw failure({ code: 'ERR_EXTISM_REENTRANT', function: name })
    this.#calls++
    try {
      return await handle.call(name, inputOf(input), callOptions(options), hostContext)
    } finally {
      this.#calls--
    }
  }

  /** The same on this thread, which it blocks: for scripts, and calls known to be short. */
  callSync (name, input, hostContext = null, options = undefined) {
    return this.#opened(name).callSync(name, inputOf(input), callOptions(options), hostContext)
  }

  async functionExists (name) {
    return this.#opened().exportKind(name) === 'function'
  }

  async getExports () {
    return this.#opened().exports.map(({ name, kind }) => ({ name, kind }))
  }

  async getImports () {
    return this.#opened().imports.map(({ module, name, kind }) => ({ module, name, kind }))
  }

  async getInstance () {
    throw new ExtismError('ERR_EXTISM_UNSUPPORTED', 'there is no WebAssembly.Instance: the plugin does not run in V8. Use functionExists, getExports and getImports to look at it.')
  }

  /** Whether a call runs or waits. */
  isActive () {
    const handles = [this.#handle, ...this.#draining.keys()].filter(handle => handle !== undefined)
    return this.#calls > 0 || handles.some(handle => handle.isActive())
  }

  /** Whether nothing runs. The memory of the last call goes with the next one anyway. */
  async reset () {
    this.#opened()
    return !this.isActive()
  }

  /**
   * Replaces the code. Calls in flight finish on the old code; if this rejects, the old code
   * stays. Of several at a time, the one that was asked for last stays.
   */
  async update (manifest, options) {
    this.#opened()
    const number = ++this.#asked
    const copy = copyOf(options ?? this.#options)
    const handle = await this.#open(manifest, copy)
    if (this.#closed || number < this.#updated) {
      await handle.close()
      if (this.#closed) throw closed()
      return
    }
    this.#drain()
    this.#handle = handle
    this.#options = copy
    this.#updated = number
  }

  stats () {
    return this.#opened().stats()
  }

  /** Takes no further calls: a promise that those in flight are finished. */
  close () {
    this.#closed ??= this.#close()
    return this.#closed
  }

  async [Symbol.asyncDispose ?? Symbol.for('nodejs.asyncDispose')] () {
    await this.close()
  }

  /** A promise of a handle, which is given up if the plugin is closed meanwhile. */
  async #open (manifest, options) {
    let opening
    try {
      return await open(manifest, options, handle => {
        opening = handle
        if (this.#closed) handle.abandon()
        else this.#opening.add(handle)
      })
    } finally {
      this.#opening.delete(opening)
    }
  }

  async #close () {
    if (this.#handle) this.#drain()
    for (const handle of this.#opening) handle.abandon()
    this.#handle = undefined
    await Promise.all(this.#draining.values())
  }

  #drain () {
    const handle = this.#handle
    this.#draining.set(handle, handle.close().then(() => this.#draining.delete(handle)))
  }

  #opened (name) {
    if (name !== undefined && typeof name !== 'string') throw typeError('the name of a function', 'a string', name)
    if (!this.#handle) throw closed(name)
    return this.#handle
  }
}

function closed (name) {
  return new ExtismError('ERR_EXTISM_CLOSED', 'the plugin is closed', { function: name })
}

async function open (manifest, given, opening) {
  const functions = hostFunctions(given.functions ?? {})
  const { manifest: resolved, modules } = await loadManifest(manifest, fetchOf(given))
  const options = pluginOptions(given, resolved)
  const stores = []
  // The handle is not there yet; whoever asks for it is called by it.
  const around = surroundings(options.logger, () => handle)
  const source = {
    modules,
    functions: functions.map(({ namespace, name, f }) => {
      return f instanceof HostFunction ? { ...HostFunction.source(f, stores), namespace, name } : { namespace, name }
    }),
    config: options.config,
    wasi: options.wasi,
    wasiOutput: options.wasiOutput,
    allowedPaths: options.allowedPaths,
    limits: { ...options.limits, logBytes: options.running.maxLogBytes },
    timeoutMs: options.timeoutMs,
    ...options.running,
    fuel: options.fuel,
    variables: options.variables,
    logLevel: options.logLevel,
    anySignature: true,
    runsCommands: true,
    codesAreErrors: false
  }
  const tooLarge = max => around.log('error', `Response body exceeded ${max} bytes`)
  const noRoom = message => around.log('error', message)
  const handlers = [...functions.map(each => handler(each, around)), ...httpHandlers({ ...options.http, notAllowed, tooLarge, noRoom })]
  const api = { handlers, fail: failure, toOutput, print: printing(options.logger) }
  const handle = await PluginHandle.open(source, stores, api, opening)
  try {
    if (handle.hasStart) await handle.start()
  } catch (error) {
    handle.close()
    if (error.code !== 'ERR_EXTISM_TIMEOUT') throw error
    throw new ExtismError(error.code, 'EXTISM: timed out while waiting for plugin to instantiate', { cause: error })
  }
  return handle
}

/** What a host function's context has beyond the call. */
function surroundings (logger, handle) {
  const print = printing(logger)
  return {
    log: (name, message) => { if (LEVELS.indexOf(name) >= LEVELS.indexOf(handle().logLevel)) print(name, message) },
    getVariable: (instance, name) => handle().variable(instance, name),
    setVariable (instance, name, value) {
      const refusal = handle().setVariable(instance, name, value)
      if (refusal) throw new ExtismError('ERR_EXTISM_GUEST', refusal)
    },
    get logLevel () { return handle().logLevel },
    set logLevel (value) { handle().logLevel = checkLevel(value) }
  }
}

function handler ({ namespace, name, f }, around) {
  if (f instanceof HostFunction) return HostFunction.handler(f)
  return call => {
    const inputs = call.inputs.map((value, i) => call.inputTypes[i] === ValType.I64 ? BigInt(value) : value)
    const returned = f(new CallContext(call, around), ...inputs)
    const results = value => resultsOf(value, call.results, `"${namespace}" "${name}"`)
    return typeof returned?.then === 'function' ? after(returned, results) : results(returned)
  }
}

/** A host function returns a number or a bigint, or several in an array, or nothing. */
function resultsOf (value, count, name) {
  if (count === 0 || value === undefined) return []
  if (count > 1 && typeof value?.[Symbol.iterator] !== 'function') throw typeError(`the results of host function ${name}`, 'an array', value)
  const results = count === 1 ? [value] : [...value]
  return results.slice(0, count).map(result => {
    if (typeof result === 'number' || typeof result === 'bigint') return result
    if (typeof result === 'boolean') return Number(result)
    throw typeError(`the result of host function ${name}`, 'a number or a bigint', result)
  })
}

function notAllowed (url, hostname) {
  return `Call error: HTTP request to "${url}" is not allowed (no allowedHosts match "${hostname}")`
}

/** Options as they are now. In a worker of theirs, a plugin does one thing at a time. */
function copyOf (options) {
  if (typeof options !== 'object' || options === null) throw typeError('options', 'an object', options)
  return { ...options, exclusive: Boolean(options.runInWorker) && (options.maxQueue ?? undefined) === undefined }
}

/** An output has its bytes to itself; null where the plugin sets none. `output`: see PluginHandle. */
function toOutput (output) {
  if (output === null) return null
  return typeof output === 'number' ? new PluginOutput(copyAlone(output).buffer) : PluginOutput.of(output)
}

/** What prints with a logger, without a reference to the plugin. */
function printing (logger) {
  return (level, message) => logger[level]?.(message)
}

function inputOf (input) {
  if (input === undefined || input === null) return ''
  const checked = typeof input === 'string' ? input : bytesOf(input)
  if (checked === undefined) throw typeError('the input', 'a string or bytes', input)
  return checked
}

module.exports = { Plugin }
