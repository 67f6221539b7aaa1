'use strict'

const { integer } = require('./options.cjs')

/** In pages of 64 KiB: 1 GiB, and 4 GiB. */
const DEFAULT_PAGES = 16_384
const MAX_PAGES = 65_536

/** What either face limits in the same way, of `memory` in a manifest or in options. */
function limitsOf (memory) {
  const limit = (camel, snake, fallback, min, max) => {
    const value = memory[camel] ?? memory[snake]
    return value === Infinity ? max : integer(`memory.${camel}`, value, min, max) ?? fallback
  }
  return {
    tableElements: limit('maxTableElements', 'max_table_elements', 1_000_000, 0, 10_000_000),
    outputBytes: limit('maxOutputBytes', 'max_output_bytes', 256 << 20, 0, Number.MAX_SAFE_INTEGER),
    stackBytes: limit('maxStackBytes', 'max_stack_bytes', 1 << 20, 64 << 10, 16 << 20)
  }
}

/** How many bytes an answer to HTTP may have, if `memory` says so; 0 says nothing. */
function responseBytesOf (memory) {
  const value = memory.maxHttpResponseBytes ?? memory.max_http_response_bytes
  return value === Infinity ? value : integer('memory.maxHttpResponseBytes', value, 0, Number.MAX_SAFE_INTEGER) || undefined
}

module.exports = { DEFAULT_PAGES, MAX_PAGES, limitsOf, responseBytesOf }
