import createPlugin, { HostFunction, Plugin } from '../../index.js'

const USER = 'extism:host/user'

function modules (data) {
  return Array.isArray(data) ? data : [{ data }]
}

/** Both APIs: how a plugin is made with options of one spelling, and how its output reads. */
export const FACES = {
  'the API of 2023': {
    async open (data, { memory: { pages, ...memory } = {}, timeoutMs, ...running } = {}, functions = {}) {
      const hostFunctions = Object.entries(functions).map(([name, f]) => new HostFunction(name, [], [], f))
      const manifest = { wasm: modules(data), memory: { ...memory, maxPages: pages }, timeoutMs }
      return new Plugin(manifest, false, hostFunctions, undefined, null, running)
    },
    text: String
  },
  createPlugin: {
    open (data, { memory: { pages, ...memory } = {}, ...options } = {}, functions = {}) {
      return createPlugin({ wasm: modules(data) }, { ...options, memory: { ...memory, maxTotalPages: pages }, functions: { [USER]: functions } })
    },
    text: output => output.text()
  }
}
