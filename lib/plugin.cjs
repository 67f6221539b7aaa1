'use strict'

const { bytesOf, typeError } = require('./check.cjs')
const { ExtismError } = require('./errors.cjs')
const { HostFunction } = require('./host-function.cjs')
const { httpHandlers } = require('./http.cjs')
const { copy } = require('./mailbox.cjs')
const { configEntries, loadManifest, loadManifestSync, mergeConfig } = require('./manifest.cjs')
const { callOptions, runOptions } = require('./options.cjs')
const { PluginHandle } = require('./plugin-handle.cjs')

/** Comes from context.cjs: the two classes know each other. */
let Context

/**
 * The legacy plugin: a queue of calls that run off the event loop. On one instance, which is
 * the default, they run one after another and share its state.
 */
class Plugin {
  #handle
  /** While `create` waits for it. */
  #opening
  #ctx
  #id
  /** A promise, once it is closed. */
  #closed
  /** Promises of replaced handles, until the calls these had accepted are finished. */
  #draining = new Set()

  /**
   * Checks and links the modules before it returns, and throws what is wrong with them; it
   * blocks for that, and for files and downloads of the manifest. Compiling goes on elsewhere.
   * `Plugin.create` blocks for nothing.
   */
  constructor (manifest, wasi = false, functions = [], config, ctx = null, options = undefined) {
    this.#admit(ctx)
    try {
      if (manifest === CREATED) return
      const prepare = this.#prepare(wasi, functions, config, options)
      this.#handle = PluginHandle.openSync(...prepare(loadManifestSync(manifest)))
    } catch (error) {
      this.#forget()
      throw error
    }
  }

  /** A promise of a plugin that is compiled; rejects with what the constructor throws. */
  static async create (manifest, wasi = false, functions = [], config, ctx = null, options = undefined) {
    const plugin = new Plugin(CREATED, wasi, functions, config, ctx)
    try {
      const prepare = plugin.#prepare(wasi, functions, config, options)
      const source = prepare(await loadManifest(manifest))
      // Its context may have gone meanwhile, and may go while it is compiled.
      if (plugin.#closed) throw plugin.#freed()
      const handle = await PluginHandle.open(...source, handle => { plugin.#opening = handle })
      plugin.#opening = undefined
      if (plugin.#closed) {
        handle.close()
        throw plugin.#freed()
      }
      plugin.#handle = handle
      return plugin
    } catch (error) {
      plugin.#forget()
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
  call (name, input = '', options = undefined) {
    try {
      this.#check(name)
      return this.#handle.call(name, checkInput(input), callOptions(options))
    } catch (error) {
      return Promise.reject(error)
    }
  }

  /** The same on this thread, which it blocks: for scripts, and calls known to be short. */
  callSync (name, input = '', options = undefined) {
    this.#check(name)
    return this.#handle.callSync(name, checkInput(input), callOptions(options))
  }

  functionExists (name) {
    return this.#handle?.functions.has(name) ?? false
  }

  /**
   * Replaces the code. Calls in flight finish on the old code; if this throws, the old code
   * stays. Blocks as the constructor does.
   */
  update (manifest, wasi = false, functions = [], config, options = undefined) {
    if (!this.#handle) throw this.#freed()
    const prepare = this.#prepare(wasi, functions, config, options)
    const handle = PluginHandle.openSync(...prepare(loadManifestSync(manifest)))
    this.#drain()
    this.#handle = handle
    return true
  }

  cancelHandle () {
    return new CancelHandle(() => this.#handle?.cancelRunning() ?? false)
  }

  /** Calls, errors by code, what runs and waits, instances, and times. */
  stats () {
    if (!this.#handle) throw this.#freed()
    return this.#handle.stats()
  }

  /** Takes no further calls; those in flight are finished. */
  free () {
    this.close()
  }

  /** The same, and a promise that they are. */
  close () {
    this.#closed ??= this.#close()
    return this.#closed
  }

  async [Symbol.asyncDispose ?? Symbol.for('nodejs.asyncDispose')] () {
    await this.close()
  }

  async #close () {
    this.#forget()
    if (this.#handle) this.#drain()
    this.#opening?.abandon()
    this.#handle = undefined
    await Promise.all(this.#draining)
  }

  #drain () {
    const drained = this.#handle.close().then(() => this.#draining.delete(drained))
    this.#draining.add(drained)
  }

  #admit (ctx) {
    if (ctx !== null && ctx !== undefined && !(ctx instanceof Context)) throw typeError('ctx', 'a Context', ctx)
    this.#ctx = ctx ?? new Context()
    this.#id = Context.admit(this.#ctx, this)
  }

  #forget () {
    Context.forget(this.#ctx, this.#id)
  }

  #check (name) {
    if (typeof name !== 'string') throw typeError('the name of a function', 'a string', name)
    if (!this.#handle) throw this.#freed(name)
  }

  #freed (name) {
    return failure(this.#id, { code: 'ERR_EXTISM_CLOSED', message: 'the plugin was freed', function: name })
  }

  /** What a handle is opened with, once the manifest is loaded. */
  #prepare (wasi, given, config, options) {
    const functions = given ?? []
    if (!Array.isArray(functions)) throw typeError('functions', 'an array of HostFunction', functions)
    for (const hostFunction of functions) {
      if (!(hostFunction instanceof HostFunction)) throw typeError('each of functions', 'a HostFunction', hostFunction)
    }
    const running = runOptions(options ?? undefined)
    const entries = configEntries(config)
    const id = this.#id
    const stores = []
    const sources = functions.map(hostFunction => HostFunction.source(hostFunction, stores))
    const bodies = functions.map(HostFunction.handler)
    return loaded => {
      const source = {
        modules: loaded.modules,
        functions: sources,
        config: mergeConfig(loaded.config, entries),
        wasi: Boolean(wasi),
        wasiOutput: Boolean(process.env.EXTISM_ENABLE_WASI_OUTPUT),
        allowedPaths: loaded.allowedPaths,
        limits: { ...loaded.limits, logBytes: running.maxLogBytes },
        timeoutMs: loaded.timeoutMs,
        ...running,
        variables: 'guest',
        anySignature: false,
        runsCommands: false,
        codesAreErrors: true
      }
      const handlers = [...bodies, ...httpHandlers(loaded)]
      return [source, stores, { handlers, fail: failing(id), toOutput }]
    }
  }
}

/** Stands for a manifest where `create` loads it. */
const CREATED = Symbol('created')

function checkInput (input) {
  const checked = typeof input === 'string' ? input : bytesOf(input)
  if (checked === undefined) throw typeError('the input', 'a string or bytes', input)
  return checked
}

/** An output is a Buffer, also where the plugin sets none. `output`: see PluginHandle. */
function toOutput (output) {
  if (output === null) return Buffer.alloc(0)
  return typeof output === 'number' ? copy(output) : output
}

/** What makes errors of the failures of a plugin, without a reference to it. */
function failing (id) {
  return rejection => failure(id, rejection)
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
    if (typeof cancel !== 'function') throw typeError('a CancelHandle comes from plugin.cancelHandle(); its argument', 'a function', cancel)
    this.#cancel = cancel
  }

  /** Whether there was a call to stop. */
  cancel () {
    return this.#cancel()
  }
}

function useContext (contextClass) {
  Context = contextClass
}

module.exports = { CancelHandle, Plugin, useContext }
