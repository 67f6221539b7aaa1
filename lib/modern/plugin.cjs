'use strict'

const { bytesOf, typeError } = require('../check.cjs')
const { Core } = require('../core.cjs')
const { ExtismError } = require('../errors.cjs')
const { HostFunction, after } = require('../host-function.cjs')
const { httpHandlers } = require('../http.cjs')
const { callOptions } = require('../options.cjs')
const { CallContext } = require('./call-context.cjs')
const { failure } = require('./failure.cjs')
const { loadManifest } = require('./manifest.cjs')
const { LEVELS, checkLevel, fetchOf, hostFunctions, pluginOptions } = require('./options.cjs')
const { PluginOutput } = require('./plugin-output.cjs')

/** What `createPlugin` gives. */
class Plugin {
  #options
  #core
  #closed
  /** Replaced cores, until the calls these had accepted are finished, and promises of that. */
  #draining = new Map()
  /** The number of the last update that was asked for, and of the one that is there. */
  #asked = 0
  #updated = 0
  /** Calls that have not settled, where there is to be one at most. */
  #calls = 0

  /** @internal */
  static async create (manifest, options) {
    const plugin = new Plugin()
    plugin.#options = copyOf(options ?? {})
    plugin.#core = await open(manifest, plugin.#options)
    return plugin
  }

  /** A promise of the output: null where the plugin sets none. */
  async call (name, input, hostContext = null, options = undefined) {
    const core = this.#opened(name)
    if (this.#options.exclusive && this.#calls > 0) throw failure({ code: 'ERR_EXTISM_REENTRANT', function: name })
    this.#calls++
    try {
      const output = await core.call(name, inputOf(input), callOptions(options), hostContext)
      return output && PluginOutput.of(output)
    } finally {
      this.#calls--
    }
  }

  /** The same on this thread, which it blocks: for scripts, and calls known to be short. */
  callSync (name, input, hostContext = null, options = undefined) {
    const output = this.#opened(name).callSync(name, inputOf(input), callOptions(options), hostContext)
    return output && PluginOutput.of(output)
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
    const cores = [this.#core, ...this.#draining.keys()].filter(core => core !== undefined)
    return this.#calls > 0 || cores.some(core => core.isActive())
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
    const core = await open(manifest, copy)
    if (this.#closed || number < this.#updated) {
      await core.close()
      if (this.#closed) throw closed()
      return
    }
    this.#drain()
    this.#core = core
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

  async #close () {
    if (this.#core) this.#drain()
    this.#core = undefined
    await Promise.all(this.#draining.values())
  }

  #drain () {
    const core = this.#core
    this.#draining.set(core, core.close().then(() => this.#draining.delete(core)))
  }

  #opened (name) {
    if (name !== undefined && typeof name !== 'string') throw typeError('the name of a function', 'a string', name)
    if (!this.#core) throw closed(name)
    return this.#core
  }
}

function closed (name) {
  return new ExtismError('ERR_EXTISM_CLOSED', 'the plugin is closed', { function: name })
}

async function open (manifest, given) {
  const functions = hostFunctions(given.functions ?? {})
  const { manifest: resolved, modules } = await loadManifest(manifest, fetchOf(given))
  const options = pluginOptions(given, resolved)
  const stores = []
  // The core is not there yet; whoever asks for it is called by it.
  const around = surroundings(options.logger, () => core)
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
    codesAreErrors: false,
    alwaysBytes: false
  }
  const tooLarge = max => around.log('error', `Response body exceeded ${max} bytes`)
  const noRoom = message => around.log('error', message)
  const handlers = [...functions.map(each => handler(each, around)), ...httpHandlers({ ...options.http, notAllowed, tooLarge, noRoom })]
  const core = await Core.open(source, stores, handlers, failure, printing(options.logger))
  try {
    await core.start()
  } catch (error) {
    core.close()
    if (error.code !== 'ERR_EXTISM_TIMEOUT') throw error
    throw new ExtismError(error.code, 'EXTISM: timed out while waiting for plugin to instantiate', { cause: error })
  }
  return core
}

/** What a host function's context has beyond the call. */
function surroundings (logger, core) {
  const print = printing(logger)
  return {
    log: (name, message) => { if (LEVELS.indexOf(name) >= LEVELS.indexOf(core().logLevel)) print(name, message) },
    getVariable: (instance, name) => core().variable(instance, name),
    setVariable (instance, name, value) {
      const refusal = core().setVariable(instance, name, value)
      if (refusal) throw new ExtismError('ERR_EXTISM_GUEST', refusal)
    },
    get logLevel () { return core().logLevel },
    set logLevel (value) { core().logLevel = checkLevel(value) }
  }
}

function handler ({ namespace, name, f }, around) {
  if (f instanceof HostFunction) return HostFunction.handler(f)
  return call => {
    const returned = f(new CallContext(call, around), ...call.inputs)
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
