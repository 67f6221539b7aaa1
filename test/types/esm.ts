// Everything the package exports, as an ES module sees it. It is only type-checked, never run.

import createPlugin, {
  CAPABILITIES,
  CancelHandle,
  Context,
  CurrentPlugin,
  ExtismError,
  HostFunction,
  Plugin,
  Store,
  ValType,
  createPlugin as namedCreatePlugin,
  extismVersion,
  memoryGet,
  newPlugin,
  setLogFile,
  withContext
} from 'extism-napi'
import type {
  AbortError,
  Bytes,
  CallContext,
  CallOptions,
  CallSyncOptions,
  Capabilities,
  Config,
  ExtismErrorCode,
  ExtismErrorDetails,
  ExtismPluginOptions,
  HostFunctionCallback,
  LegacyCurrentPlugin,
  LegacyPlugin,
  LogLevel,
  Manifest,
  ManifestLike,
  ManifestMemory,
  ManifestWasm,
  ManifestWasmData,
  ManifestWasmModule,
  ManifestWasmPath,
  ManifestWasmResponse,
  ManifestWasmUrl,
  MemoryGetOptions,
  MemoryOptions,
  Percentiles,
  PluginConfig,
  PluginConfigLike,
  PluginExport,
  PluginImport,
  PluginOptions,
  PluginOutput,
  PluginStats,
  ReadonlyManifest,
  StoreOptions,
  StoreStats,
  Value
} from 'extism-napi'

type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends (<T>() => T extends B ? 1 : 2) ? true : false

/** Compiles if `value` has exactly the type asked for. */
function expectType<T> (): <U>(value: U, same: Same<T, U>) => void {
  return () => {}
}

// Store

const options: StoreOptions = { maxEntries: 10, maxBytes: 1 << 20, ttlMs: Infinity }
const store = new Store([['text', 'a'], ['bytes', new Uint8Array(1)]], options)
const stores = [
  new Store(),
  new Store(null),
  new Store(undefined, options),
  new Store({ ttlMs: 1000 }),
  new Store(new Map([['key', 'value']])),
  new Store(new Map([['key', Buffer.from('value')]])),
  new Store(store)
]

expectType<string | Buffer | undefined>()(store.get('text'), true)
expectType<boolean>()(store.has('text'), true)
expectType<Store>()(store.set('a', '1').set('b', new DataView(new ArrayBuffer(1))), true)
store.set('c', new ArrayBuffer(1)).set('d', new SharedArrayBuffer(1))
expectType<boolean>()(store.delete('text'), true)
expectType<number>()(store.size, true)
expectType<string>()(store[Symbol.toStringTag], true)
expectType<Array<[string, string | Buffer]>>()([...store], true)
expectType<Array<[string, string | Buffer]>>()([...store.entries()], true)
expectType<string[]>()([...store.keys()], true)
expectType<Array<string | Buffer>>()([...store.values()], true)
store.forEach((value, key, itself) => {
  expectType<string | Buffer>()(value, true)
  expectType<string>()(key, true)
  expectType<Store>()(itself, true)
})
store.forEach(function () {
  expectType<Date>()(this, true)
}, new Date())
store.clear()

const stats: StoreStats = store.stats()
expectType<number>()(
  stats.entries + stats.bytes + stats.hits + stats.misses + stats.evictions + stats.expirations,
  true
)

// @ts-expect-error: keys are strings
store.set(1, 'value')
// @ts-expect-error: values are strings or bytes
store.set('key', 1)
// @ts-expect-error: no value
store.set('key', undefined)
// @ts-expect-error: an array of numbers has no bytes
store.set('key', [1, 2])
// @ts-expect-error: values are strings or bytes
stores.push(new Store([['key', 1]]))
// @ts-expect-error: misspelled
stores.push(new Store({ ttlMS: 1 }))
// @ts-expect-error: the size follows from the entries
store.size = 0
// @ts-expect-error: looks like a store, is none
stores.push(new Map([['key', 'value']]))

// ValType and Value

expectType<0 | 1 | 2 | 3 | 4 | 5 | 6>()(null as unknown as ValType, true)
const numbers: [0, 1, 2, 3, 4, 5, 6] = [
  ValType.I32,
  ValType.I64,
  ValType.F32,
  ValType.F64,
  ValType.V128,
  ValType.FuncRef,
  ValType.ExternRef
]
const i64: Value<ValType.I64> = { t: ValType.I64, v: { i64: 2n ** 60n } }
const values: Value[] = [
  i64,
  { t: ValType.I32, v: { i32: numbers.length } },
  { t: ValType.F32, v: { f32: 0.5 } },
  { t: ValType.F64, v: { f64: 0.5 } }
]
for (const value of values) {
  if (value.t === ValType.I64) expectType<number | bigint>()(value.v.i64, true)
  if (value.t === ValType.F32) expectType<number>()(value.v.f32, true)
}

// @ts-expect-error: the object is frozen
ValType.I32 = 1
// @ts-expect-error: one name too many: there is no such type
values.push({ t: 7, v: { i64: 0 } })
// @ts-expect-error: type and number do not go together
values.push({ t: ValType.I32, v: { i64: 0 } })

// HostFunction

const inferred = new HostFunction(
  'inferred',
  [ValType.I32, ValType.I64, ValType.F32, ValType.F64],
  [ValType.I64],
  (plugin, inputs, outputs, prefix, limit) => {
    expectType<LegacyCurrentPlugin>()(plugin, true)
    expectType<number>()(inputs[0].v.i32, true)
    expectType<number | bigint>()(inputs[1].v.i64, true)
    expectType<number>()(inputs[2].v.f32, true)
    expectType<number>()(inputs[3].v.f64, true)
    expectType<string>()(prefix, true)
    expectType<number>()(limit, true)
    outputs[0].v.i64 = BigInt(inputs[1].v.i64) + 1n
    outputs[0].v.i64 = inputs[0].v.i32
    outputs[0] = inputs[1]
    // @ts-expect-error: the first input is an i32
    plugin.memory(inputs[0].v.i64)
    // @ts-expect-error: there are four inputs
    plugin.memory(inputs[4].v.i64)
    // @ts-expect-error: there is one output
    outputs[1].v.i64 = 0
    // @ts-expect-error: an output of another type
    outputs[0] = inputs[0]
    // @ts-expect-error: an i64 is a number or a bigint
    outputs[0].v.i64 = 'text'
  },
  'prefix',
  10
)

const waiting = new HostFunction('waiting', [ValType.I64], [ValType.I64], async (plugin, [key], [value]) => {
  const name = plugin.inputString(key)
  await new Promise(resolve => setTimeout(resolve, 10))
  plugin.returnString(value, name)
})

const callback: HostFunctionCallback<[ValType.I64], [ValType.I64], [Map<string, string>]> =
  (plugin, inputs, outputs, texts) => {
    expectType<Buffer>()(plugin.memory(inputs[0].v.i64), true)
    expectType<Buffer>()(plugin.inputBytes(inputs[0]), true)
    expectType<string>()(plugin.inputString(inputs[0]), true)
    expectType<number>()(plugin.memoryLength(inputs[0].v.i64), true)
    const offset = plugin.memoryAlloc(8)
    expectType<number>()(offset, true)
    plugin.memory(offset).write(texts.get('key') ?? '')
    outputs[0].v.i64 = offset
    plugin.memoryFree(BigInt(offset))
    plugin.returnString(outputs[0], 'text')
    plugin.returnBytes(outputs[0], new Uint8Array(2))
    // @ts-expect-error: text goes through returnString
    plugin.returnBytes(outputs[0], 'text')
    // @ts-expect-error: bytes go through returnBytes
    plugin.returnString(outputs[0], new Uint8Array(2))
    // @ts-expect-error: an offset is no text
    plugin.memory('0')
  }
const apart = new HostFunction('apart', [ValType.I64], [ValType.I64], callback, new Map())

// A callback for any signature.
const logging: HostFunctionCallback = (plugin, inputs, outputs, ...userData) => {
  for (const { t, v } of [...inputs, ...outputs]) console.log(t, v, userData)
}
function loose (plugin: LegacyCurrentPlugin, inputs: Value[], outputs: Value[]) {
  const [key] = inputs
  const [value] = outputs
  if (key?.t === ValType.I64 && value?.t === ValType.I64) plugin.returnBytes(value, plugin.inputBytes(key))
}
const functions: HostFunction[] = [
  inferred,
  waiting,
  apart,
  new HostFunction('logging', [ValType.F64], [], logging),
  new HostFunction('loose', [ValType.I64], [ValType.I64], loose).withNamespace('env'),
  new HostFunction('idle', [], [], () => {}),
  new HostFunction('untyped', [ValType.I64], [ValType.I64], (plugin: any, inputs: any[], outputs: any[]) => {})
]
inferred.setNamespace('env')
inferred.free()
expectType<string>()(inferred.name, true)

// @ts-expect-error: V128 cannot be passed
functions.push(new HostFunction('name', [ValType.V128], [], () => {}))
// @ts-expect-error: ExternRef cannot be returned
functions.push(new HostFunction('name', [], [ValType.ExternRef], () => {}))
// @ts-expect-error: types are not named by strings
functions.push(new HostFunction('name', ['I64'], [], () => {}))
// @ts-expect-error: results go into outputs
functions.push(new HostFunction('name', [], [ValType.I32], () => 1))
// @ts-expect-error: the function is missing
functions.push(new HostFunction('name', [], []))
// @ts-expect-error: the callback wants a map as its user data
functions.push(new HostFunction('name', [ValType.I64], [ValType.I64], callback, 'text'))
// @ts-expect-error: the callback wants an i64
functions.push(new HostFunction('name', [ValType.I32], [ValType.I64], callback, new Map()))
// @ts-expect-error: the name stays
inferred.name = 'other'
// @ts-expect-error: only host functions get one
export const current = new CurrentPlugin()

// memoryGet

const reading: MemoryGetOptions = { missing: 'error' }
functions.push(
  memoryGet('a', store),
  memoryGet('b', store, {}),
  memoryGet('c', store, reading),
  memoryGet('d', store, { missing: 'empty' }),
  memoryGet('e', store, { missing: 'absent' }).withNamespace('env')
)

// @ts-expect-error: a Map is not a store
memoryGet('name', new Map([['key', 'value']]))
// @ts-expect-error: there is no such way
memoryGet('name', store, { missing: 'throw' })
// @ts-expect-error: the options are an object
memoryGet('name', store, 'error')

// Manifests

const bytes: Bytes = new Uint8Array(8)
const data: ManifestWasmData = { data: bytes, name: 'main', hash: null }
const path: ManifestWasmPath = { path: 'plugin.wasm', hash: '0'.repeat(64) }
const url: ManifestWasmUrl = { url: new URL('https://example.com/plugin.wasm') }
const wasm: ManifestWasm[] = [data, path, url, { data: 'AGFzbQEAAAA=' }, { url: 'https://example.com/a' }]
const memory: ManifestMemory = { maxPages: 16 }
const config: Config = new Map([['key', 'value']])
const response: ManifestWasmResponse = { response: new Response() }
const compiled: ManifestWasmModule = { module: new WebAssembly.Module(new Uint8Array(8)) }
wasm.push(response, compiled)
const snake: Manifest = {
  wasm,
  memory: { max_pages: 16 },
  config: { key: 'value' },
  allowed_hosts: ['*.example.com'],
  allowed_paths: { 'ro:data': '/data' },
  timeout_ms: 500
}
const camel: Manifest = {
  wasm,
  memory,
  config: { key: 'value' },
  allowedHosts: [],
  allowedPaths: {},
  timeoutMs: Infinity
}
camel.wasm.push(path)
camel.config = { ...camel.config, other: 'value' }
expectType<string[] | undefined>()(camel.allowedHosts, true)
const readonly: ReadonlyManifest = { wasm, config, allowedHosts: null, allowedPaths: null, timeoutMs: null }
const manifests: ManifestLike[] = [
  snake,
  camel,
  bytes,
  Buffer.from('(module)'),
  new ArrayBuffer(8),
  '(module)',
  JSON.stringify(snake),
  { wasm, memory: null, config: null, allowed_hosts: null, allowed_paths: null, timeout_ms: null },
  { wasm: [path, url] as const, allowedHosts: ['a', 'b'] as const },
  readonly,
  new URL('https://example.com/plugin.wasm'),
  new Response()
]

// @ts-expect-error: no modules
manifests.push({ config: {} })
// @ts-expect-error: a list of modules
manifests.push({ wasm: path })
// @ts-expect-error: pointers are refused
manifests.push({ wasm: [{ data: { ptr: 1, len: 8 } }] })
// @ts-expect-error: a module without its bytes
manifests.push({ wasm: [{ name: 'main' }] })
// @ts-expect-error: misspelled
manifests.push({ wasm, timeout: 500 })
// @ts-expect-error: the values of a config are strings
manifests.push({ wasm, config: { key: 1 } })
// @ts-expect-error: V8 does not give the bytes of a module
manifests.push(new WebAssembly.Module(new Uint8Array(8)))
// @ts-expect-error: no way to refer to a plugin
manifests.push(1)

// Context and Plugin

const context = new Context()
const running: PluginOptions = { instances: 4, maxQueue: 100, queueTimeoutMs: Infinity, maxCallDepth: 3, maxLogBytes: Infinity, cache: true, compileTimeoutMs: 10_000, maxCompileMemoryBytes: 500e6, runInWorker: true, freshInstance: false }
const plugins: LegacyPlugin[] = [
  context.plugin(bytes),
  context.plugin(snake, true),
  context.plugin(camel, true, functions),
  context.plugin('(module)', false, [], { key: 'value' }),
  new Plugin(bytes),
  new Plugin(bytes, true, functions, config, context),
  new Plugin(bytes, true, functions, null, null),
  new Plugin(bytes, true, functions, config, context, running),
  new Plugin(bytes, false, [], null, null, { cache: false }),
  context.plugin(bytes, false, [], null, { instances: 2, cache: './cache' }),
  context.plugin(bytes, false, [], null, null),
  await Plugin.create(bytes),
  await Plugin.create(snake, true, functions, config, context, running)
]
expectType<Promise<LegacyPlugin>>()(Plugin.create(snake), true)

const { signal } = new AbortController()
const calling: CallOptions = { signal, timeoutMs: 100 }
const callingSync: CallSyncOptions = { timeoutMs: Infinity }

/** What a caller has got may be undefined. */
export async function pass (plugin: LegacyPlugin, signal?: AbortSignal, timeoutMs?: number): Promise<string> {
  await using closing = plugin
  return (await closing.call('run', 'input', { signal, timeoutMs })).toString()
}

for (const plugin of plugins) {
  expectType<number>()(plugin.id, true)
  expectType<Context>()(plugin.ctx, true)
  expectType<boolean>()(plugin.functionExists('run'), true)
  expectType<Promise<Buffer>>()(plugin.call('run'), true)
  expectType<Promise<Buffer>>()(plugin.call('run', 'input'), true)
  expectType<Promise<Buffer>>()(plugin.call('run', Buffer.from('input')), true)
  expectType<Promise<Buffer>>()(plugin.call('run', new ArrayBuffer(1)), true)
  expectType<Promise<Buffer>>()(plugin.call('run', '', calling), true)
  expectType<Promise<Buffer>>()(plugin.call('run', '', { timeoutMs: 10 }), true)
  expectType<Buffer>()(plugin.callSync('run'), true)
  expectType<Buffer>()(plugin.callSync('run', Buffer.from('input'), callingSync), true)
  expectType<true>()(plugin.update(bytes, true, functions, config), true)
  expectType<true>()(plugin.update(bytes, true, functions, config, running), true)
  expectType<PluginStats>()(plugin.stats(), true)
  expectType<Promise<void>>()(plugin.close(), true)
  const handle: CancelHandle = plugin.cancelHandle()
  expectType<boolean>()(handle.cancel(), true)
  plugin.free()
}
for (const stats of plugins.map(plugin => plugin.stats())) {
  const counts: number[] = [stats.calls, stats.active, stats.queued, stats.instances, stats.replaced, stats.moved]
  expectType<number[]>()(counts, true)
  expectType<number | undefined>()(stats.errors.ERR_EXTISM_TIMEOUT, true)
  const times: Percentiles[] = [stats.runMs, stats.waitMs]
  expectType<(number | undefined)[]>()([times[0]?.p50, times[1]?.p99], true)
  // @ts-expect-error: no such code
  stats.errors.ERR_EXTISM_OTHER
}
expectType<void>()(context.reset(), true)
expectType<void>()(context.free(), true)

const output = withContext(async context => await context.plugin(bytes).call('run'))
expectType<Promise<Buffer>>()(output, true)
expectType<Promise<number>>()(withContext(context => context.plugin(bytes).id), true)

// @ts-expect-error: no manifest
plugins.push(new Plugin())
// @ts-expect-error: host functions are not plain functions
plugins.push(context.plugin(bytes, true, [() => {}]))
// @ts-expect-error: one host function is not a list
plugins.push(context.plugin(bytes, true, inferred))
// @ts-expect-error: a context is not a config
plugins.push(new Plugin(bytes, true, [], context))
// @ts-expect-error: an input is a string or bytes
plugins[0]?.call('run', { name: 'value' })
// @ts-expect-error: which function?
plugins[0]?.call()
// @ts-expect-error: a promise is not its output
plugins[0]?.call('run').toString('utf8')
// @ts-expect-error: the number stays
if (plugins[0]) plugins[0].id = 1
// @ts-expect-error: options are no context
plugins.push(new Plugin(bytes, true, [], null, { instances: 2 }))
// @ts-expect-error: misspelled
plugins.push(context.plugin(bytes, true, [], null, { instance: 2 }))
// @ts-expect-error: on or off, or a directory
plugins.push(context.plugin(bytes, true, [], null, { cache: new URL('file:///cache') }))
// @ts-expect-error: a promise is not its plugin
plugins.push(Plugin.create(bytes))
// @ts-expect-error: a controller is not its signal
plugins[0]?.call('run', '', { signal: new AbortController() })
// @ts-expect-error: nothing can abort what blocks this thread
plugins[0]?.callSync('run', '', { signal })
// @ts-expect-error: a time is a number
plugins[0]?.call('run', '', { timeoutMs: '5s' })
// @ts-expect-error: a handle comes from a plugin
export const stray = new CancelHandle()
// @ts-expect-error: a context is to be used by something
withContext()

// The class and the type of a name are different things.
if (plugins[0] instanceof Plugin) expectType<LegacyPlugin>()(plugins[0], true)
class Named extends Plugin {
  readonly title = 'plugin'
}
plugins.push(new Named(bytes))

// @ts-expect-error: what createPlugin gives is of no class
new Plugin(bytes) satisfies Plugin

// createPlugin

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

// Errors

const details: ExtismErrorDetails = { cause: new Error('why'), plugin: 0, function: 'run', exitCode: 1, backtrace: '' }
const error = new ExtismError('ERR_EXTISM_TRAP', 'message', details)
expectType<ExtismErrorCode>()(error.code, true)
expectType<unknown>()(error.cause, true)
expectType<number | undefined>()(error.plugin, true)
expectType<string | undefined>()(error.function, true)
expectType<number | undefined>()(error.exitCode, true)
expectType<string | undefined>()(error.backtrace, true)
expectType<string>()(error.message + error.name, true)

/** What each code means for an HTTP server; a code that is missing here does not compile. */
export function statusOf (reason: unknown): number {
  if (!(reason instanceof ExtismError)) return 500
  switch (reason.code) {
    case 'ERR_EXTISM_TIMEOUT':
      return 504
    case 'ABORT_ERR':
      return 499
    case 'ERR_EXTISM_BUSY':
    case 'ERR_EXTISM_CALL_DEPTH':
    case 'ERR_EXTISM_CANCELLED':
    case 'ERR_EXTISM_CLOSED':
    case 'ERR_EXTISM_QUEUE_FULL':
    case 'ERR_EXTISM_QUEUE_TIMEOUT':
      return 503
    case 'ERR_EXTISM_EXIT':
    case 'ERR_EXTISM_GUEST':
      return 422
    case 'ERR_EXTISM_FUNCTION_NOT_FOUND':
      return 404
    case 'ERR_EXTISM_HOST_FUNCTION':
    case 'ERR_EXTISM_HTTP':
      return 502
    case 'ERR_EXTISM_COMPILE_LIMIT':
    case 'ERR_EXTISM_FUEL':
    case 'ERR_EXTISM_OUT_OF_MEMORY':
      return 507
    case 'ERR_EXTISM_ASYNC':
    case 'ERR_EXTISM_COMPILE_PROCESS':
    case 'ERR_EXTISM_INSTANCE':
    case 'ERR_EXTISM_INTERNAL':
    case 'ERR_EXTISM_LINK':
    case 'ERR_EXTISM_LOG_FILE':
    case 'ERR_EXTISM_MANIFEST':
    case 'ERR_EXTISM_MEMORY':
    case 'ERR_EXTISM_MODULE':
    case 'ERR_EXTISM_REENTRANT':
    case 'ERR_EXTISM_SIGNAL':
    case 'ERR_EXTISM_STALE':
    case 'ERR_EXTISM_TRAP':
    case 'ERR_EXTISM_UNSUPPORTED':
      return 500
    default:
      return reason.code satisfies never
  }
}

export function wasAborted (reason: ExtismError): reason is AbortError {
  return reason.code === 'ABORT_ERR'
}

export const aborted: (error: AbortError) => 'ABORT_ERR' = error => error.code

// @ts-expect-error: its class is not exported
if (error instanceof AbortError) error.cause
// @ts-expect-error: no such code
export const unknownCode = new ExtismError('ERR_EXTISM_OTHER', 'message')
// @ts-expect-error: no such code
export const comparison = error.code === 'ERR_EXTISM_TIMED_OUT'
// @ts-expect-error: the code stays
error.code = 'ERR_EXTISM_EXIT'

// The process

expectType<true>()(setLogFile('plugins.log'), true)
expectType<true>()(setLogFile('plugins.log', 'debug'), true)
expectType<string>()(extismVersion(), true)

// @ts-expect-error: no such level
setLogFile('plugins.log', 'verbose')
// @ts-expect-error: no such export
export type { NumericType } from 'extism-napi'
