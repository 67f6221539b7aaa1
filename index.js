// One implementation serves both module systems, so that a class is the same class in each.
import extism from './index.cjs'

export const {
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
} = extism
