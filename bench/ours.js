// The addon as a contender.

import createPlugin, { Context, HostFunction, Store, ValType, memoryGet } from 'extism-napi'
import { MESSAGES } from './greeter.js'

export const OURS = 'extism-napi'
export const SYNC = 'extism-napi callSync'
export const OURS_JS = 'extism-napi, JavaScript'

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

/** A plugin of the legacy API. */
export function openOurs ({ wasm, wasi = false }, { functions = [storeFunction()], ...options } = {}) {
  const plugin = new Context().plugin(wasm, wasi, functions, undefined, options)
  return {
    call: (name, input, options) => plugin.call(name, input, options),
    callSync: (name, input) => plugin.callSync(name, input),
    stats: () => plugin.stats(),
    close: () => plugin.close()
  }
}

/** A plugin of `createPlugin`, with the same host function. */
export async function openModern ({ wasm, wasi = false }, options = {}) {
  const plugin = await createPlugin({ wasm: [{ data: wasm }] }, {
    useWasi: wasi,
    functions: { 'extism:host/user': { hostMemoryGet: storeFunction() } },
    ...options
  })
  return {
    call: async (name, input) => (await plugin.call(name, input)).bytes(),
    close: () => plugin.close()
  }
}
