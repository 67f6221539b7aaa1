'use strict'

const path = require('node:path')

const file = path.join(__dirname, '..', 'extism-napi.node')

try {
  module.exports = require(file)
} catch (cause) {
  throw new Error(
    `The native addon of extism-napi cannot be loaded (${cause.message.split('\n')[0]}); build it with "npm install" or "npm run build" in ${path.dirname(file)}`,
    { cause }
  )
}
