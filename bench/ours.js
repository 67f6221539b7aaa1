// The addon as a contender.

import { Context, HostFunction, Store, ValType, memoryGet } from 'extism-napi'
import { MESSAGES } from './greeter.js'

export const OURS = 'extism-napi'
export const SYNC = 'extism-napi callSync'

const messages = new Map(MESSAGES)

/** The host function in Rust, over a store that JavaScript fills. */
function storeFunction () {
  return memoryGet('hostMemoryGet', new Store(MESSAGES))
}

/** The host function in JavaScript, over a Map. */
export function mapFunction () {
  return new HostFunction('hostMemoryGet', [ValType.I64], [ValType.I64], answer)
}

export function asyncMapFunction () {
  return new HostFunction('hostMemoryGet', [ValType.I64], [ValType.I64], async (...all) => answer(...all))
}

function answer (plugin, [key], [value]) {
  plugin.returnString(value, messages.get(plugin.inputString(key)))
}

export function openOurs ({ wasm, wasi = false }, { functions = [storeFunction()], ...options } = {}) {
  const plugin = new Context().plugin(wasm, wasi, functions, undefined, options)
  return {
    call: (name, input) => plugin.call(name, input),
    callSync: (name, input) => plugin.callSync(name, input),
    close: () => plugin.close()
  }
}
