'use strict'

const os = require('node:os')
const path = require('node:path')

const SCRIPT = path.join(__dirname, 'compile-module.cjs')

/** What Node.js itself may need to start. Options of its own would run code of the user's. */
const ENVIRONMENT = ['LD_LIBRARY_PATH', 'SystemRoot']

/** Limits of compiling, with what a child process that compiles is started with; nothing without limits. */
function compileLimits (timeoutMs = Infinity, memoryBytes = Infinity) {
  if (timeoutMs === Infinity && memoryBytes === Infinity) return undefined
  return {
    timeoutMs: timeoutMs === Infinity ? undefined : timeoutMs,
    memoryBytes: memoryBytes === Infinity ? undefined : memoryBytes,
    program: process.execPath,
    script: SCRIPT,
    environment: ENVIRONMENT.flatMap(name => process.env[name] === undefined ? [] : [[name, process.env[name]]]),
    temporary: path.resolve(os.tmpdir())
  }
}

module.exports = { compileLimits }
