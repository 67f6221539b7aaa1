import { guest, asText } from '../helpers.js'
import { Plugin, createPlugin } from '../../index.js'

const REQUESTING = guest(`
  (func (export "get") (local $block i64)
    (local.set $block (call $http_request (call $input) (i64.const 0)))
    (if (i64.ne (local.get $block) (i64.const 0)) (then (call $give (local.get $block)))))
  (func (export "post") (call $give (call $http_request (call $input) (call $input))))
  (func (export "status") (local $block i64)
    (drop (call $http_request (call $input) (i64.const 0)))
    (local.set $block (call $alloc (i64.const 8)))
    (call $store_u64 (local.get $block) (i64.extend_i32_u (call $http_status_code)))
    (call $give (local.get $block)))
  (func (export "echo") (call $give (call $input)))`, {
  user: `
    (import "extism:host/env" "http_request" (func $http_request (param i64 i64) (result i64)))
    (import "extism:host/env" "http_status_code" (func $http_status_code (result i32)))`
})

/** Plugins of either API whose `get` and `post` request what the input says; `status` gives 8 bytes. */
export const APIS = {
  'the API of 2023': (t, allowedHosts, options) => {
    const plugin = new Plugin({ wasm: [{ data: REQUESTING }], allowed_hosts: allowedHosts, ...options })
    t.after(() => plugin.close())
    return plugin
  },
  createPlugin: async (t, allowedHosts, options) => {
    const plugin = await createPlugin(REQUESTING, { allowedHosts, ...options })
    t.after(() => plugin.close())
    return plugin
  }
}

/** What a plugin gets from there, as text. */
export async function get (plugin, url, { function: name = 'get', ...request } = {}) {
  return asText(await plugin.call(name, JSON.stringify({ url, ...request })))
}
