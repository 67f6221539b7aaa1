import { describe, test } from 'node:test'
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { Context, HostFunction, Plugin, ValType, setLogFile } from '../../index.js'
import { guest, pluginBytes } from '../helpers.js'

const data = pluginBytes('modern.wat')

const FIELDS = ['memory', 'config', 'allowed_hosts', 'allowedHosts', 'allowed_paths', 'allowedPaths', 'timeout_ms', 'timeoutMs']
const MEMORY = [
  'max_pages', 'maxPages', 'max_var_bytes', 'maxVarBytes', 'max_http_response_bytes', 'maxHttpResponseBytes',
  'max_table_elements', 'maxTableElements', 'max_output_bytes', 'maxOutputBytes', 'max_stack_bytes', 'maxStackBytes'
]
const OPTIONS = ['instances', 'maxQueue', 'queueTimeoutMs', 'maxCallDepth', 'maxLogBytes', 'cache', 'compileTimeoutMs', 'maxCompileMemoryBytes']
const all = (names, value) => Object.fromEntries(names.map(name => [name, value]))

async function echoes (plugin) {
  assert.equal(String(await plugin.call('echo', 'x')), 'x')
  await plugin.close()
}

const config = async (plugin, key) => {
  const value = String(await plugin.call('config', key))
  await plugin.close()
  return value
}

describe('what is null or undefined is as if it were not given', () => {
  for (const [what, names, manifest] of [['field', FIELDS, fields => fields], ['limit', MEMORY, memory => ({ memory })]]) {
    for (const name of names) {
      test(`${what} ${name} of a manifest`, async () => {
        for (const nothing of [null, undefined]) await echoes(new Plugin({ wasm: [{ data }], ...manifest({ [name]: nothing }) }))
      })
    }

    test(`every ${what} of a manifest together, in JSON as well`, async () => {
      const fields = manifest(all(names, null))
      await echoes(new Plugin({ wasm: [{ data }], ...fields }))
      await echoes(new Plugin(JSON.stringify({ wasm: [{ data: data.toString('base64') }], ...fields })))
      await echoes(await Plugin.create({ wasm: [{ data }], ...fields }))
    })
  }

  for (const name of OPTIONS) {
    test(`option ${name}`, async () => {
      for (const nothing of [null, undefined]) await echoes(new Plugin(data, false, [], undefined, null, { [name]: nothing }))
    })
  }

  test('arguments of a constructor, of create, of update and of a Context', async () => {
    await echoes(new Plugin(data, null, null, null, null, null))
    await echoes(await Plugin.create(data, null, null, null, null, null))
    const context = new Context()
    await echoes(context.plugin(data, null, null, null, null))
    const plugin = context.plugin(data)
    plugin.update(data, null, null, null, null)
    await echoes(plugin)
  })

  test('options of a call', async () => {
    const plugin = new Plugin(data)
    for (const options of [null, { signal: null, timeoutMs: null }]) {
      assert.equal(String(await plugin.call('echo', 'x', options)), 'x')
      assert.equal(String(plugin.callSync('echo', 'x', options)), 'x')
    }
    await plugin.close()
  })

  test('entries of allowed_paths', async () => {
    for (const nothing of [null, undefined]) await echoes(new Plugin({ wasm: [{ data }], allowed_paths: { '/absent': nothing } }, true))
  })

  test('entries of a config, as an object or a Map', async () => {
    for (const nothing of [null, undefined]) {
      for (const entries of [{ a: nothing, b: 'x' }, new Map([['a', nothing], ['b', 'x']])]) {
        for (const make of [() => new Plugin({ wasm: [{ data }], config: entries }), () => new Plugin(data, false, [], entries)]) {
          assert.equal(await config(make(), 'a'), '')
          assert.equal(await config(make(), 'b'), 'x')
        }
      }
    }
  })

  test('whereas a host function that is null is refused', () => {
    const known = new HostFunction('known', [ValType.I64], [], () => {})
    for (const bad of [null, undefined, {}]) assert.throws(() => new Plugin(data, false, [known, bad]), { name: 'TypeError', message: /each of functions/ })
  })
})

describe('in the config that is an argument', () => {
  const manifest = { wasm: [{ data }], config: { a: 'manifest' } }

  test('null removes what the manifest has under this key', async () => {
    assert.equal(await config(new Plugin(manifest, false, [], { a: null }), 'a'), '')
    assert.equal(await config(new Plugin(manifest, false, [], new Map([['a', null]])), 'a'), '')
  })

  test('undefined leaves what the manifest has under this key', async () => {
    assert.equal(await config(new Plugin(manifest, false, [], { a: undefined }), 'a'), 'manifest')
  })
})

test('setLogFile takes null for the level, which is info', async t => {
  const directory = mkdtempSync(path.join(tmpdir(), 'extism-napi-'))
  t.after(() => rmSync(directory, { recursive: true }))
  assert.equal(setLogFile(path.join(directory, 'log'), null), true)
  const plugin = new Plugin(guest('(func (export "level") (result i32) (call $level))', { user: '(import "extism:host/env" "get_log_level" (func $level (result i32)))' }))
  await assert.rejects(plugin.call('level'), { code: 'ERR_EXTISM_EXIT', exitCode: 2 })
  await plugin.close()
})
