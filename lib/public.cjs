'use strict'

const { CAPABILITIES, createPlugin } = require('./create-plugin.cjs')
const { ExtismError } = require('./errors.cjs')
const { Store } = require('./store.cjs')
const { HostFunction, ValType } = require('./host-function.cjs')
const { CurrentPlugin } = require('./current-plugin.cjs')
const { Context, withContext } = require('./context.cjs')
const { CancelHandle, Plugin } = require('./plugin.cjs')
const { setLogFile } = require('./log-file.cjs')
const { extismVersion } = require('./native.cjs')

// All that the package exports, but for what is built in. Node.js finds the names for `import` by
// reading this, so they have to be written out.
module.exports = {
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
  extismVersion,
  newPlugin: createPlugin,
  setLogFile,
  withContext
}
