'use strict'

// The process that compiles one module for another process: see host/src/compiled/child.rs, which
// starts it. It reports a failure on standard output, as a code and a message.

const fs = require('node:fs')
const { compileInto } = require('./native.cjs')

/** How often the memory is looked at. */
const INTERVAL_MS = 5
/** Less than a pipe holds, as nobody reads it yet. */
const MAX_REPORT = 1000

const [length, maxMemoryBytes, fuel, stackBytes, scratch, ...cache] = process.argv.slice(2)
const module_ = Buffer.allocUnsafeSlow(Number(length))
let received = 0

process.stdin.on('data', bytes => {
  bytes.copy(module_, received)
  received += bytes.length
  if (received === module_.length) compile()
})

// The parent keeps its end open until this process has ended.
process.stdin.on('close', () => {
  if (scratch !== '') fs.rmSync(scratch, { recursive: true, force: true })
  process.exit(1)
})

async function compile () {
  const compiled = compileInto(module_, fuel !== '', Number(stackBytes), [...cache, scratch].filter(Boolean))
  if (maxMemoryBytes !== '') watchMemory(process.memoryUsage.rss() + Number(maxMemoryBytes))
  const failure = await compiled
  if (failure) fail(...failure)
  process.exit()
}

function watchMemory (maxBytes) {
  setInterval(() => { if (process.memoryUsage.rss() > maxBytes) fail('ERR_EXTISM_COMPILE_LIMIT', '') }, INTERVAL_MS)
}

function fail (code, message) {
  fs.writeSync(1, `${code}\n${message.slice(0, MAX_REPORT)}`)
  process.exit(1)
}
