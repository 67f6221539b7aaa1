'use strict'

const { ExtismError, cut, fromNative } = require('./errors.cjs')

/**
 * One call of a host function, and the blocks of the waiting plugin that it has touched.
 * Only this class talks to the waiting plugin.
 */
class HostCall {
  #environment
  #id
  #over = false
  /** The Buffers handed out, by offset: each is written back at the end. */
  #blocks = new Map()
  #prefetched
  #onEnd

  constructor (environment, { id, call, instance, inputs, results, blocks }) {
    this.#environment = environment
    this.#id = id
    this.call = call
    this.instance = instance
    this.inputs = inputs
    this.results = results
    this.#prefetched = blocks
  }

  /** Whether the plugin does not wait any longer. */
  get over () {
    return this.#over
  }

  block (offset) {
    this.#check()
    let block = this.#blocks.get(offset)
    if (block === undefined) {
      block = this.copy(offset)
      if (block.length > 0) this.#blocks.set(offset, block)
    }
    return block
  }

  /** The bytes of a block, which are not written back. */
  copy (offset) {
    this.#check()
    return this.#known(offset) ?? this.#ask('read', offset) ?? Buffer.alloc(0)
  }

  /** A small block that came with the call. */
  #known (offset) {
    const input = this.inputs.findIndex((value, i) => this.#prefetched[i] && value === BigInt(offset))
    return this.#prefetched[input]
  }

  alloc (length) {
    const offset = this.#ask('alloc', length)
    if (length > 0) this.#blocks.set(offset, Buffer.alloc(length))
    return offset
  }

  store (bytes) {
    const offset = this.#ask('store', bytes)
    // The plugin has no length for a block of none.
    if (bytes.length === 0) this.#blocks.set(offset, Buffer.alloc(0))
    return offset
  }

  /** Whether a block that was made or read here starts at this offset. */
  has (offset) {
    return this.#blocks.has(offset)
  }

  free (offset) {
    this.#ask('free', offset)
    this.#blocks.delete(offset)
    // The next block may get the same offset.
    this.#prefetched = []
  }

  length (offset) {
    this.#check()
    return (this.#blocks.get(offset) ?? this.#known(offset))?.length ?? this.#ask('length', offset)
  }

  setError (text) {
    this.#ask('setError', cut(text))
  }

  /** What is to be written back. */
  blocks () {
    return { offsets: [...this.#blocks.keys()], blocks: [...this.#blocks.values()] }
  }

  /** Lets the plugin go on with these results. */
  finish (values) {
    if (this.#over) return
    const { offsets, blocks } = this.blocks()
    this.#tell('finish', values, offsets, blocks)
    this.end()
  }

  /** Fails the plugin's call; `cause` numbers the error. Whether the plugin still waited. */
  fail (cause, message) {
    return this.end() && this.#environment.fail(this.#id, cause, message)
  }

  /** From here on nothing reaches the plugin. Whether this is the first time. */
  end () {
    if (this.#over) return false
    this.#over = true
    this.#onEnd?.()
    // Code that a host function has left behind may refer to this for long.
    this.#blocks = undefined
    this.#prefetched = undefined
    this.inputs = undefined
    this.from = undefined
    return true
  }

  /** Has `f` called once the plugin does not wait any longer, for whatever reason. */
  onEnd (f) {
    this.#onEnd = f
  }

  #check () {
    if (this.#over) {
      throw new ExtismError('ERR_EXTISM_STALE', 'the host function this belongs to has returned')
    }
  }

  #ask (what, argument) {
    this.#check()
    return this.#tell(what, argument)
  }

  #tell (what, ...all) {
    try {
      return this.#environment[what](this.#id, ...all)
    } catch (error) {
      throw fromNative(error)
    }
  }
}

module.exports = { HostCall }
