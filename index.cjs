'use strict'

const { ExtismError } = require('./lib/errors.cjs')
const { Store } = require('./lib/store.cjs')
const { HostFunction, ValType, memoryGet } = require('./lib/host-function.cjs')
const { CurrentPlugin } = require('./lib/current-plugin.cjs')
const { Context, withContext } = require('./lib/context.cjs')
const { CancelHandle, Plugin } = require('./lib/plugin.cjs')
const { setLogFile } = require('./lib/log-file.cjs')
const { extismVersion } = require('./lib/native.cjs')

module.exports = {
  CancelHandle,
  Context,
  CurrentPlugin,
  ExtismError,
  HostFunction,
  Plugin,
  Store,
  ValType,
  extismVersion,
  memoryGet,
  setLogFile,
  withContext
}
