'use strict'

// Memory that JavaScript and the addon both know. It carries what would otherwise be an object for
// each call; src/mailbox.rs has the same layout.
//
// It is read completely before any code of the caller's runs, and nothing comes between writing to
// it and the addon. Nobody keeps a view of it.

const SIZE = 256 << 10
/** Where the bytes of inputs, outputs and messages are. */
const DATA = 64
/** The slot of the first input or result of a host call; each input has four. */
const FIRST = 8
const SLOTS_OF_INPUT = 4

const memory = new ArrayBuffer(SIZE)
const mailbox = Buffer.from(memory)
const array = new Uint8Array(memory)
const numbers = new Float64Array(memory)
const bigints = new BigInt64Array(memory)
const halves = new Int32Array(memory)

const TWO_32 = 2 ** 32
const [I32, I64] = [0, 1]

/** Puts a text there as the input of a call: its length in bytes, or -1 where it may have no room. */
function putText (text) {
  if (text.length > (SIZE - DATA) / 3) return -1
  return mailbox.utf8Write(text, DATA)
}

/** The same for bytes. */
function putBytes (bytes) {
  if (bytes.length > SIZE - DATA) return -1
  // Bytes that were given away are none.
  if (bytes.length > 0) mailbox.set(bytes, DATA)
  return bytes.length
}

/** The length of the output that is there. */
function outputLength () {
  return numbers[1]
}

/** A copy of so many bytes, in memory that small Buffers share, as those of Node.js do. */
function copy (length, start = DATA) {
  const target = Buffer.allocUnsafe(length)
  mailbox.copy(target, 0, start, start + length)
  return target
}

/** A copy of so many bytes that has its ArrayBuffer to itself. */
function copyAlone (length) {
  return array.slice(DATA, DATA + length)
}

function operation () {
  return numbers[0]
}

/** What a plugin has logged or printed. */
function message () {
  return { operation: numbers[0], plugin: numbers[1], kind: numbers[2], length: numbers[3] }
}

/** The text of that message. */
function text (length) {
  return mailbox.utf8Slice(DATA, DATA + length)
}

/** A host call: who waits for which function, its inputs, and the blocks that came with them. */
function hostCall () {
  const count = numbers[5]
  const inputs = new Array(count)
  const inputTypes = new Array(count)
  const blocks = new Array(count)
  for (let i = 0, slot = FIRST; i < count; i++, slot += SLOTS_OF_INPUT) {
    inputTypes[i] = numbers[slot + 1]
    inputs[i] = input(slot, inputTypes[i])
    const position = numbers[slot + 2]
    blocks[i] = position < 0 ? undefined : copy(numbers[slot + 3], position)
  }
  const types = new Array(numbers[6])
  const first = FIRST + count * SLOTS_OF_INPUT
  for (let i = 0; i < types.length; i++) types[i] = numbers[first + i]
  return { id: numbers[0], plugin: numbers[1], function: numbers[2], instance: numbers[3], operation: numbers[4], inputs, inputTypes, blocks, types }
}

/** An i64 is a number while that is exact. */
function input (slot, type) {
  if (type === I32) return halves[slot * 2]
  if (type !== I64) return numbers[slot]
  const value = halves[slot * 2 + 1] * TWO_32 + (halves[slot * 2] >>> 0)
  return Number.isSafeInteger(value) ? value : bigints[slot]
}

/** Puts the results of a host function there, of these types. Numbers wrap as in WebAssembly's JavaScript interface. */
function putResults (values, types) {
  for (let i = 0; i < types.length; i++) {
    const [slot, value] = [FIRST + i, values[i] ?? 0]
    if (types[i] === I32) bigints[slot] = BigInt(typeof value === 'bigint' ? BigInt.asIntN(32, value) : value | 0)
    else if (types[i] === I64) putI64(slot, value)
    else numbers[slot] = Number(value)
  }
}

function putI64 (slot, value) {
  if (Number.isSafeInteger(value)) {
    halves[slot * 2] = value % TWO_32
    halves[slot * 2 + 1] = Math.floor(value / TWO_32)
  } else {
    bigints[slot] = typeof value === 'bigint' ? value : Number.isFinite(value) ? BigInt(Math.trunc(value)) : 0n
  }
}

/** Puts blocks behind these results, as far as they have room. Those that have none are returned. */
function putBlocks (blocks, results) {
  const first = FIRST + results
  let position = (first + blocks.size * 2) * 8
  let slot = first
  const left = []
  for (const [offset, block] of blocks) {
    const fits = position + block.length <= SIZE
    numbers[slot++] = fits ? offset : 0
    numbers[slot++] = fits ? block.length : 0
    if (fits) {
      // A block that was given away has no bytes any longer.
      if (block.length > 0) mailbox.set(block, position)
      position += block.length
    } else {
      left.push([offset, block])
    }
  }
  return left
}

module.exports = { copy, copyAlone, hostCall, mailbox, message, operation, outputLength, putBlocks, putBytes, putResults, putText, text }
