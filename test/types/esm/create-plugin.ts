// Everything about `createPlugin`, as an ES module sees it. It is only type-checked, never run.

import createPlugin, {
  CAPABILITIES,
  CurrentPlugin,
  Plugin,
  createPlugin as namedCreatePlugin,
  memoryGet,
  newPlugin
} from 'extism-napi'
import type {
  CallContext,
  Capabilities,
  ExtismPluginOptions,
  LogLevel,
  MemoryOptions,
  PluginConfig,
  PluginConfigLike,
  PluginExport,
  PluginImport,
  PluginOutput,
  PluginStats
} from 'extism-napi'
import { expectType } from './exact.js'
import { store } from './store.js'
import { inferred } from './host-functions.js'
import { bytes, snake, manifests } from './manifests.js'
import { signal, calling, callingSync } from './plugins.js'

expectType<typeof createPlugin>()(namedCreatePlugin, true)
expectType<typeof createPlugin>()(newPlugin, true)
expectType<Readonly<Capabilities>>()(CAPABILITIES, true)

const limits: MemoryOptions = { maxPages: 16, maxHttpResponseBytes: undefined, maxVarBytes: 1 << 20, maxTotalPages: 1_000, maxTableElements: 10_000, maxOutputBytes: 1 << 20, maxStackBytes: 1 << 18 }
const level: LogLevel = 'warn'
const like: PluginConfigLike = { key: 'value' } satisfies PluginConfig
const everything: ExtismPluginOptions = {
  useWasi: true,
  runInWorker: false,
  logger: console,
  logLevel: level,
  functions: {
    'extism:host/user': {
      lookUp (context, key) {
        expectType<CallContext>()(context, true)
        expectType<CurrentPlugin>()(context, true)
        return context.store(texts.get(context.read(key)?.text() ?? '') ?? '')
      },
      wait: async context => context.hostContext<{ ms: number }>().ms,
      memoryGet: memoryGet('memoryGet', store),
      old: inferred
    }
  },
  allowedPaths: { '/data': 'ro:data' },
  allowedHosts: ['*.example.com'],
  memory: limits,
  timeoutMs: null,
  enableWasiOutput: true,
  config: like,
  fetch,
  sharedArrayBufferSize: 1 << 16,
  allowHttpResponseHeaders: true,
  nodeWorkerArgs: { name: 'plugin', execArgv: [] },
  instances: 2,
  maxQueue: 100,
  queueTimeoutMs: 1000,
  cache: './cache',
  fuel: 1_000_000,
  sharedVars: true,
  freshInstance: true
}
const texts = new Map([['key', 'value']])

for (const manifest of manifests) expectType<Promise<Plugin>>()(createPlugin(manifest), true)
await createPlugin(fetch('https://example.com/plugin.wasm'))
await createPlugin(bytes, {
  logger: null, logLevel: null, fetch: null, cache: null, config: { key: undefined, other: null }, memory: { maxPages: null },
  allowedPaths: { '/data': undefined }, functions: { namespace: undefined, other: { f: null, g: (context, a: bigint) => a } }
})
await createPlugin(bytes, null)
// @ts-expect-error: misspelled
await createPlugin(bytes, { useWASI: true })
memoryGet('name', store, null)
new Plugin(bytes, null, null, { key: null }, null, { cache: null }).call('run', '', { signal: null })
await createPlugin(Promise.resolve(bytes), { logger: { error: (message: string) => {} } })

export async function modern () {
  await using plugin = await createPlugin('plugin.wasm', everything)
  expectType<boolean>()(await plugin.functionExists('run'), true)
  expectType<boolean>()(plugin.isActive(), true)
  expectType<boolean>()(await plugin.reset(), true)
  expectType<PluginStats>()(plugin.stats(), true)
  expectType<PluginExport[]>()(await plugin.getExports(), true)
  expectType<PluginImport[]>()(await plugin.getImports(), true)
  expectType<WebAssembly.Instance>()(await plugin.getInstance(), true)
  const descriptors: WebAssembly.ModuleExportDescriptor[] = await plugin.getExports()
  const imports: WebAssembly.ModuleImportDescriptor[] = await plugin.getImports()
  expectType<void>()(await plugin.update(bytes), true)
  await plugin.update(Promise.resolve(snake), everything)

  expectType<PluginOutput | null>()(await plugin.call('run'), true)
  await plugin.call<{ user: string }>('run', 'input', { user: 'Jane Doe' })
  await plugin.call('run', new Uint8Array(1), null, { signal, timeoutMs: 50 })
  await plugin.call('run', undefined, undefined, calling)
  expectType<PluginOutput | null>()(plugin.callSync('run', new ArrayBuffer(1), 1, callingSync), true)

  const output = await plugin.call('run')
  if (!output) return [descriptors, imports]
  expectType<any>()(output.json(), true)
  expectType<string>()(output.text() + output.string(), true)
  expectType<number>()(output.getUint8(0) + output.bytes().length + output.byteLength, true)
  expectType<ArrayBufferLike>()(output.arrayBuffer(), true)
  expectType<DataView>()(output as DataView, true)

  // @ts-expect-error: the context is of another type
  await plugin.call<{ user: string }>('run', 'input', 1)
  // @ts-expect-error: a number is no input
  await plugin.call('run', 1)
  // @ts-expect-error: nothing can abort what blocks this thread
  plugin.callSync('run', '', null, { signal })
  // @ts-expect-error: there may be no output
  ;(await plugin.call('run')).text()
  // @ts-expect-error: that is of the old API
  plugin.free()
}

export function hosting (context: CurrentPlugin) {
  expectType<any>()(context.hostContext(), true)
  expectType<Date>()(context.hostContext<Date>(), true)
  expectType<bigint>()(context.alloc(8) + context.alloc(8n), true)
  expectType<bigint>()(context.store('text') + context.store(new Uint8Array(1)), true)
  expectType<bigint>()(context.length(0n), true)
  expectType<PluginOutput | null>()(context.read(0n), true)
  expectType<PluginOutput | null>()(context.getVariable('name'), true)
  context.setVariable('name', new Uint8Array(1))
  context.deleteVariable('name')
  context.setError(new Error('message'))
  context.logLevel = 'debug'
  // @ts-expect-error: no such level
  context.logLevel = 'verbose'
  // @ts-expect-error: that is of the old API
  context.memory(0)
}

// @ts-expect-error: misspelled
export const misspelled: ExtismPluginOptions = { useWASI: true }
// @ts-expect-error: functions are in namespaces
export const flat: ExtismPluginOptions = { functions: { lookUp: () => 0n } }
// @ts-expect-error: an interface
export const noClass = new PluginOutput(new ArrayBuffer(1))
// @ts-expect-error: frozen
CAPABILITIES.fsAccess = false
