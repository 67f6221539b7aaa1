'use strict'

const { bytesOf, checkSize, typeError } = require('./check.cjs')

/**
 * The plugin that called a host function, as long as that function runs.
 *
 * A Buffer that `memory` gives is a copy that is written back when the host function returns
 * or its promise settles. After that it is dead: writing to it reaches nothing.
 */
class CurrentPlugin {
  #call

  constructor (call) {
    this.#call = call
  }

  /** The block at this offset; an empty Buffer where there is none. */
  memory (offset) {
    return this.#call.block(checkSize('offset', offset))
  }

  /** A new block of `n` bytes: its offset. */
  memoryAlloc (n) {
    return this.#call.alloc(checkSize('n', n))
  }

  /** Gives a block back; an offset that is not one is ignored. */
  memoryFree (offset) {
    this.#call.free(checkSize('offset', offset))
  }

  /** The length of the block at this offset, 0 where there is none. */
  memoryLength (offset) {
    return this.#call.length(checkSize('offset', offset))
  }

  /** Makes `output` the offset of a new block with this text. */
  returnString (output, text) {
    if (typeof text !== 'string') throw typeError('text', 'a string', text)
    output.v.i64 = this.#call.store(text)
  }

  /** Makes `output` the offset of a new block with these bytes. */
  returnBytes (output, bytes) {
    const stored = bytesOf(bytes)
    if (stored === undefined) throw typeError('bytes', 'bytes', bytes)
    output.v.i64 = this.#call.store(stored)
  }

  /** The bytes of the block that `input` is the offset of. */
  inputBytes (input) {
    return this.#call.copy(checkSize('offset', input.v.i64))
  }

  /** The text of the block that `input` is the offset of. */
  inputString (input) {
    return this.#call.text(checkSize('offset', input.v.i64))
  }
}

module.exports = { CurrentPlugin }
