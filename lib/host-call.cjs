'use strict'

const { ExtismError, cut, fromNative } = require('./errors.cjs')
const { putBlocks, putBytes, putResults, putText } = require('./mailbox.cjs')

/**
 * One call of a host function, and the blocks of the waiting plugin that it has touched.
 * Only this class talks to the waiting plugin.
 */
class HostCall {
  #natives
  #id
  #over = false
  /** The Buffers handed out, by offset: each is written back at the end. */
  #blocks
  #prefetched
  #onEnd

  /** `operation` is the plugin's call. */
  constructor (natives, { id, instance, inputs, inputTypes, types, blocks }, operation) {
    this.#natives = natives
    this.#id = id
    this.operation = operation
    this.instance = instance
    this.inputs = inputs
    this.inputTypes = inputTypes
    this.types = types
    this.#prefetched = blocks
  }

  /** Whether the plugin does not wait any longer. */
  get over () {
    return this.#over
  }

  /** How many results the plugin expects. */
  get results () {
    return this.types.length
  }

  block (offset) {
    return this.blockAt(offset) ?? Buffer.alloc(0)
  }

  /** The same, as `adapt` makes it; undefined where no block starts. */
  blockAt (offset, adapt = block => block) {
    this.#check()
    let block = this.#blocks?.get(offset)
    if (block === undefined) {
      block = this.#known(offset) ?? this.#ask('read', offset) ?? undefined
      if (block !== undefined) this.#keep(offset, block = adapt(block))
    }
    return block
  }

  /** The bytes of a block, which are not written back. */
  copy (offset) {
    this.#check()
    const known = this.#blocks?.get(offset) ?? this.#known(offset)
    return known === undefined ? this.#ask('read', offset) ?? Buffer.alloc(0) : Buffer.from(known)
  }

  /** The text of a block; of none, an empty one. */
  text (offset) {
    this.#check()
    const block = this.#blocks?.get(offset) ?? this.#known(offset) ?? this.#ask('read', offset)
    return block?.utf8Slice() ?? ''
  }

  /** A small block that came with the call. */
  #known (offset) {
    const { inputs } = this
    for (let i = 0; i < inputs.length; i++) {
      if (inputs[i] === offset && this.#prefetched[i] !== undefined) return this.#prefetched[i]
    }
  }

  alloc (length) {
    this.#check()
    const offset = this.#answered(this.#natives.alloc(this.#id, length))
    if (length > 0) this.#keep(offset, Buffer.allocUnsafe(length).fill(0))
    return offset
  }

  /** A new block with these bytes, or this text: its offset. */
  store (content) {
    this.#check()
    const isText = typeof content === 'string'
    const length = isText ? putText(content) : putBytes(content)
    if (length < 0) return this.#tell('store', isText ? Buffer.from(content) : content)
    return this.#answered(this.#natives.store(this.#id, length))
  }

  /** The offset of a new block; what is negative says that there is none, and why. */
  #answered (offset) {
    if (offset >= 0) return offset
    const { code, message } = this.#natives.environment.takeFailure()
    throw new ExtismError(code, message)
  }

  free (offset) {
    this.#ask('free', offset)
    this.#blocks?.delete(offset)
    // The next block may get the same offset.
    this.#prefetched = []
  }

  length (offset) {
    this.#check()
    return this.#blocks?.get(offset)?.length ?? this.#known(offset)?.length ?? this.#ask('length', offset)
  }

  setError (text) {
    this.#ask('setError', cut(text))
  }

  /** Lets the plugin go on with these results, by `proceed` of the addon, and gives what that gives. */
  finish (values, proceed) {
    if (this.#over) return
    const { types } = this
    let writes = 0
    if (this.#blocks !== undefined) {
      writes = this.#blocks.size
      for (const [offset, block] of putBlocks(this.#blocks, types.length)) this.#tell('write', offset, block)
    }
    putResults(values, types)
    this.end()
    return proceed(this.#id, writes)
  }

  /** Fails the plugin's call; `cause` numbers the error. Whether the plugin still waited. */
  fail (cause, message) {
    return this.end() && this.#natives.environment.fail(this.#id, cause, message)
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

  #keep (offset, block) {
    this.#blocks ??= new Map()
    this.#blocks.set(offset, block)
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
      return this.#natives.environment[what](this.#id, ...all)
    } catch (error) {
      throw fromNative(error)
    }
  }
}

module.exports = { HostCall }
