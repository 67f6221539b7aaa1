'use strict'

const decoder = new TextDecoder()

/** What a plugin gave, or a block of its memory: a DataView to read from. */
class PluginOutput extends DataView {
  /** The bytes as such an object, which has them to itself: its `buffer` is exactly these. */
  static of (bytes) {
    const { buffer, byteOffset, byteLength } = bytes
    const exact = byteOffset === 0 && buffer.byteLength === byteLength
    return new PluginOutput(exact ? buffer : buffer.slice(byteOffset, byteOffset + byteLength))
  }

  json () {
    return JSON.parse(this.text())
  }

  text () {
    return decoder.decode(this)
  }

  string () {
    return this.text()
  }

  bytes () {
    return new Uint8Array(this.buffer, this.byteOffset, this.byteLength)
  }

  arrayBuffer () {
    return this.buffer
  }
}

for (const name of Object.getOwnPropertyNames(DataView.prototype)) {
  if (!name.startsWith('set')) continue
  Object.defineProperty(PluginOutput.prototype, name, {
    value () { throw new Error('Cannot set values on output') },
    configurable: true,
    writable: true
  })
}

module.exports = { PluginOutput }
