// Everything the package exports, as a CommonJS module sees it. It is only type-checked, never
// run.

import extism = require('extism-napi')
import createPlugin, { newPlugin } from 'extism-napi'
import type {
  CallOptions,
  HostFunctionCallback,
  Manifest,
  ManifestWasm,
  PluginOptions,
  PluginStats,
  StoreOptions,
  StoreStats,
  Value
} from 'extism-napi'

const {
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

const bounds: StoreOptions = { maxEntries: 10 }
const store: extism.Store = new Store([['key', 'value']], bounds)
const counts: StoreStats = store.stats()

const echo: HostFunctionCallback<[extism.ValType.I64], [extism.ValType.I64]> = (plugin, inputs, outputs) => {
  const input: Value<extism.ValType.I64> = inputs[0]
  plugin.returnBytes(outputs[0], plugin.inputBytes(input))
  console.log(plugin instanceof CurrentPlugin, counts.hits)
}

const functions: extism.HostFunction[] = [
  new HostFunction('echo', [ValType.I64], [ValType.I64], echo),
  memoryGet('hostMemoryGet', store, { missing: 'error' })
]

const wasm: ManifestWasm = { path: 'plugin.wasm' }
const manifest: Manifest = { wasm: [wasm], timeout_ms: 100 }

const context: extism.Context = new Context()
const plugin: extism.LegacyPlugin = new Plugin(manifest, true, functions, undefined, context)
const handle: extism.CancelHandle = plugin.cancelHandle()
const options: PluginOptions = { instances: 2, maxQueue: 10, queueTimeoutMs: 100, cache: false, compileTimeoutMs: null, maxCompileMemoryBytes: Infinity, runInWorker: null, freshInstance: null }
const aborting: CallOptions = { signal: AbortSignal.timeout(100), timeoutMs: 50 }
Plugin.create(manifest, true, functions, undefined, context, options).then(async (created: extism.LegacyPlugin) => {
  const stats: PluginStats = created.stats()
  console.log(await created.call('run', 'input', aborting), created.callSync('run', '', { timeoutMs: 50 }), stats.runMs.p99)
  await created.close()
  await created[Symbol.asyncDispose]()
})
console.log(handle instanceof CancelHandle, handle.cancel(), setLogFile('plugins.log', 'warn'), extismVersion())

withContext(async context => await context.plugin(manifest, true).call('run')).then(
  (output: Buffer) => console.log(output.toString()),
  (reason: unknown) => {
    if (!(reason instanceof ExtismError)) throw reason
    const code: extism.ExtismErrorCode = reason.code
    console.log(code, reason.cause)
  }
)

// The same values, and the same classes, from both module systems.
import('extism-napi').then(esm => {
  const all: Pick<typeof extism, keyof typeof extism> = esm
  const back: Pick<typeof esm, keyof typeof esm> = extism
  console.log(all === back)
  const plugin: extism.LegacyPlugin = new esm.Plugin(manifest, true, [esm.memoryGet('hostMemoryGet', store)])
  plugin.free()
})

// What `require` gives is createPlugin, by whatever name.
const settings: extism.ExtismPluginOptions = {
  functions: { 'extism:host/user': { echo: (context: extism.CurrentPlugin, address: bigint) => address } }
}
const modern: Array<Promise<extism.Plugin>> = [
  extism('plugin.wasm', settings),
  extism.default('plugin.wasm'),
  extism.createPlugin('plugin.wasm'),
  extism.default.createPlugin('plugin.wasm'),
  createPlugin('plugin.wasm'),
  createPlugin.newPlugin('plugin.wasm'),
  newPlugin('plugin.wasm'),
  import('extism-napi').then(esm => esm.default('plugin.wasm'))
]
modern[0]?.then(async plugin => {
  const output: extism.PluginOutput | null = await plugin.call('run', 'input', { user: 'Jane Doe' })
  console.log(output?.text(), extism.CAPABILITIES.supportsTimeouts)
})

// @ts-expect-error: the export is no class
console.log(new extism())
// @ts-expect-error: a Map is not a store
memoryGet('hostMemoryGet', new Map())
// @ts-expect-error: V128 cannot be passed
console.log(new HostFunction('name', [ValType.V128], [], () => {}))
