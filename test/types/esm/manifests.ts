// Everything about manifests, as an ES module sees it. It is only type-checked, never run.

import type {
  Bytes,
  Config,
  Manifest,
  ManifestLike,
  ManifestMemory,
  ManifestWasm,
  ManifestWasmData,
  ManifestWasmModule,
  ManifestWasmPath,
  ManifestWasmResponse,
  ManifestWasmUrl,
  ReadonlyManifest
} from 'extism-napi'
import { expectType } from './exact.js'

export const bytes: Bytes = new Uint8Array(8)
const data: ManifestWasmData = { data: bytes, name: 'main', hash: null }
export const path: ManifestWasmPath = { path: 'plugin.wasm', hash: '0'.repeat(64) }
const url: ManifestWasmUrl = { url: new URL('https://example.com/plugin.wasm') }
const wasm: ManifestWasm[] = [data, path, url, { data: 'AGFzbQEAAAA=' }, { url: 'https://example.com/a' }]
const memory: ManifestMemory = { maxPages: 16 }
export const config: Config = new Map([['key', 'value']])
const response: ManifestWasmResponse = { response: new Response() }
const compiled: ManifestWasmModule = { module: new WebAssembly.Module(new Uint8Array(8)) }
wasm.push(response, compiled)
export const snake: Manifest = {
  wasm,
  memory: { max_pages: 16 },
  config: { key: 'value' },
  allowed_hosts: ['*.example.com'],
  allowed_paths: { 'ro:data': '/data' },
  timeout_ms: 500
}
export const camel: Manifest = {
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
export const manifests: ManifestLike[] = [
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
