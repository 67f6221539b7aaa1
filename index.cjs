'use strict'

const { CAPABILITIES, createPlugin } = require('./lib/create-plugin.cjs')
const { ExtismError } = require('./lib/errors.cjs')
const { Store } = require('./lib/store.cjs')
const { HostFunction, ValType, memoryGet } = require('./lib/host-function.cjs')
const { CurrentPlugin } = require('./lib/current-plugin.cjs')
const { Context, withContext } = require('./lib/context.cjs')
const { CancelHandle, Plugin } = require('./lib/plugin.cjs')
const { setLogFile } = require('./lib/log-file.cjs')
const { extismVersion } = require('./lib/native.cjs')

// What `@extism/extism` exports, and to CommonJS is: a function with everything else on it.
module.exports = Object.assign(createPlugin, {
  CAPABILITIES,
  CancelHandle,
  Context,
  CurrentPlugin,
  ExtismError,
  HostFunction,
  Plugin,
  Store,
  ValType,
  createPlugin,
  default: createPlugin,
  extismVersion,
  memoryGet,
  newPlugin: createPlugin,
  setLogFile,
  withContext
})
