// A program for @extism/extism, with all of its types. It is only type-checked, never run: here
// with the types of this package, by original/tsconfig.json with those of the original. What is
// read from a PluginOutput as from a DataView is in esm.ts, since TypeScript 7 does not see that
// in the original.

import createPlugin, { CAPABILITIES, createPlugin as named, newPlugin } from 'extism-napi'
import type {
  CallContext,
  Capabilities,
  CurrentPlugin,
  ExtismPluginOptions,
  LogLevel,
  Manifest,
  ManifestLike,
  ManifestWasm,
  ManifestWasmData,
  ManifestWasmModule,
  ManifestWasmPath,
  ManifestWasmResponse,
  ManifestWasmUrl,
  MemoryOptions,
  Plugin,
  PluginConfig,
  PluginConfigLike,
  PluginOutput
} from 'extism-napi'

const capabilities: Capabilities = CAPABILITIES
const data: ManifestWasmData = { data: new Uint8Array(8) }
const path: ManifestWasmPath = { path: 'library.wasm' }
const url: ManifestWasmUrl = { url: new URL('https://example.com/library.wasm') }
const response: ManifestWasmResponse = { response: await fetch('https://example.com/library.wasm') }
const module: ManifestWasmModule = { module: new WebAssembly.Module(new Uint8Array(8)) }
const wasm: ManifestWasm[] = [
  { ...path, name: 'library', hash: '0'.repeat(64) },
  { ...url, name: 'other' },
  { ...data, name: 'main' },
  response,
  module
]
const config: PluginConfigLike = { city: 'Jena' }
const memory: MemoryOptions = { maxPages: 16, maxHttpResponseBytes: 1 << 20, maxVarBytes: undefined }
const manifest: Manifest = { wasm, config, memory, allowedHosts: ['*.example.com'], allowedPaths: {}, timeoutMs: 1000 }
manifest.wasm.push({ path: 'plugin.wasm' })
manifest.config = { ...manifest.config, country: 'DE' }
manifest.allowedHosts?.push('example.org')
const snake: Manifest = { wasm: [{ url: 'https://example.com/plugin.wasm' }], allowed_hosts: [], timeout_ms: null }

const ways: ManifestLike[] = [manifest, snake, 'plugin.wasm', JSON.stringify(snake), new ArrayBuffer(8), url.url]

interface Session {
  user: string
}

function lookUp (context: CurrentPlugin, address: bigint): bigint {
  const key = context.read(address)?.text() ?? ''
  const count = Number(context.getVariable(key)?.text() ?? 0)
  context.setVariable(key, `${count + 1}`)
  context.setVariable('last', new Uint8Array(8))
  if (key === '') context.setError('which key?')
  if (count > 10) context.deleteVariable(key)
  const { user } = context.hostContext<Session>()
  return context.store(`${user} ${count} ${context.length(address)}`)
}

const level: LogLevel = capabilities.fsAccess ? 'info' : 'silent'
const options: ExtismPluginOptions = {
  useWasi: true,
  runInWorker: capabilities.hasWorkerCapability,
  logger: console,
  logLevel: level,
  functions: {
    'extism:host/user': {
      lookUp,
      raise: (context: CallContext, amount: number) => amount + 1,
      wait: async (context: CallContext) => {
        context.logLevel = 'debug'
        return context.alloc(8)
      }
    }
  },
  allowedPaths: { '/data': './data' },
  allowedHosts: ['example.com'],
  memory,
  timeoutMs: null,
  enableWasiOutput: true,
  config: manifest.config,
  fetch: async (...args) => await fetch(...args),
  sharedArrayBufferSize: 1 << 16,
  allowHttpResponseHeaders: true,
  nodeWorkerArgs: { name: 'plugin' }
}

function show (output: PluginOutput | null): string {
  if (output === null) return 'nothing'
  return `${output.json().name} ${output.text()} ${output.bytes().length} ${output.arrayBuffer().byteLength}`
}

async function use (plugin: Plugin): Promise<void> {
  const session: Session = { user: 'Jane Doe' }
  console.log(show(await plugin.call('run', 'input', session)))
  console.log(show(await plugin.call<Session>('run', new Uint8Array(8), session)))
  console.log(show(await plugin.call('run')))
  const exported: WebAssembly.ModuleExportDescriptor[] = await plugin.getExports()
  const imported: WebAssembly.ModuleImportDescriptor[] = await plugin.getImports()
  const instance: WebAssembly.Instance = await plugin.getInstance()
  console.log(exported[0]?.kind, imported[0]?.module, instance.exports)
  if (!plugin.isActive() && await plugin.reset() && await plugin.functionExists('run')) await plugin.close()
}

for (const way of ways) {
  await use(await createPlugin(way, options))
  await use(await named(Promise.resolve(way)))
  await use(await newPlugin(way, { config: { city: 'Jena' } satisfies PluginConfig }))
}
