'use strict'

const { bytesOf, checkSize, typeError } = require('../check.cjs')
const { PluginOutput } = require('./plugin-output.cjs')

/** The plugin that called a host function: its memory, variables and error. */
class CallContext {
  #call
  #plugin

  /** `plugin` has what outlives the call: see `surroundings` in plugin.cjs. */
  constructor (call, plugin) {
    this.#call = call
    this.#plugin = plugin
  }

  /** What was passed to the plugin's call; null once that is over. */
  hostContext () {
    return this.#call.operation?.context ?? null
  }

  /** A new block of zeros: its address, 0n where that is more than there may be. */
  alloc (size) {
    const length = checkSize('size', size)
    return this.#block(() => length === 0 ? this.#call.store(Buffer.alloc(0)) : this.#call.alloc(length))
  }

  /** A new block with these contents: its address. */
  store (input) {
    if (input === undefined || input === null) throw new Error('failed to store output')
    const content = typeof input === 'string' ? input : bytesOf(input)
    if (content === undefined) throw typeError('input', 'a string or bytes', input)
    return this.#block(() => this.#call.store(content))
  }

  /** The block at this address, or null. What is written to its `bytes()` reaches the plugin. */
  read (addr) {
    const block = this.#call.blockAt(checkSize('addr', addr), alone)
    return block === undefined ? null : new PluginOutput(block.buffer, block.byteOffset, block.length)
  }

  length (addr) {
    return BigInt(this.#call.length(checkSize('addr', addr)))
  }

  /** Makes the plugin's call fail with this. */
  setError (error = null) {
    if (!error) throw new Error('could not store error value')
    try {
      this.#call.setError(error instanceof Error ? error.message : String(error))
    } catch (cause) {
      throw Object.assign(new Error('could not store error value', { cause }), { code: cause.code })
    }
  }

  getVariable (name) {
    const value = this.#plugin.getVariable(this.#call.instance, checkName(name))
    return value === null ? null : PluginOutput.of(value)
  }

  setVariable (name, value) {
    const bytes = typeof value === 'string' ? Buffer.from(value) : bytesOf(value)
    if (bytes === undefined) throw typeError('the value of a variable', 'a string or bytes', value)
    this.#plugin.setVariable(this.#call.instance, checkName(name), bytes)
  }

  deleteVariable (name) {
    this.#plugin.setVariable(this.#call.instance, checkName(name), undefined)
  }

  get logLevel () {
    return this.#plugin.logLevel
  }

  set logLevel (level) {
    this.#plugin.logLevel = level
  }

  /** The address of a block that `make` makes. */
  #block (make) {
    try {
      return BigInt(make())
    } catch (error) {
      if (error.code !== 'ERR_EXTISM_OUT_OF_MEMORY') throw error
      this.#plugin.log('error', error.message)
      return 0n
    }
  }
}

/** A block that has its ArrayBuffer to itself, which is what `buffer` and `arrayBuffer()` give. */
function alone (block) {
  return block.buffer.byteLength === block.length ? block : Uint8Array.prototype.slice.call(new Uint8Array(block.buffer, block.byteOffset, block.length))
}

function checkName (name) {
  if (typeof name !== 'string') throw typeError('the name of a variable', 'a string', name)
  return name
}

module.exports = { CallContext }
