// One implementation serves both module systems, so that a class is the same class in each.
import extism from './index.cjs'

export default extism.createPlugin

export const {
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
  memoryGet,
  newPlugin,
  setLogFile,
  withContext
} = extism
