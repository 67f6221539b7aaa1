import { describe, test } from 'node:test'
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import path from 'node:path'
import { Plugin, setLogFile } from '../../index.js'
import { guest, prints } from '../helpers.js'
import { directory, made, serving } from '../modern/making.js'
import { FACES } from './faces.js'

const SERVE = '(func (export "serve") (call $give (call $input)))'

const MIB = 1 << 20

/** What the guest may have the most of by default, and `more` than that. */
const MOST = {
  output: {
    body: `
      (func (export "most") (call $give (call $alloc (i64.const ${256 * MIB}))))
      (func (export "more") (call $give (call $alloc (i64.const ${256 * MIB + 1}))))`,
    fails: { code: 'ERR_EXTISM_OUT_OF_MEMORY', message: new RegExp(`${256 * MIB} are allowed`) },
    length: 256 * MIB
  },
  variables: {
    body: `
      (data (i32.const 0) "name")
      (func $set (param i64) (call $var_set (call $put (i32.const 0) (i32.const 4)) (call $alloc (local.get 0))))
      (func (export "most") (call $set (i64.const ${64 * MIB})))
      (func (export "more") (call $set (i64.const ${64 * MIB + 1})))`,
    fails: { code: 'ERR_EXTISM_GUEST', message: new RegExp(`${64 * MIB} allowed`) },
    face: 'createPlugin'
  },
  'elements of tables': {
    body: `
      (table 1 funcref)
      (func $grow (param i32) (if (i32.eq (table.grow 0 (ref.null func) (local.get 0)) (i32.const -1)) (then unreachable)))
      (func (export "most") (call $grow (i32.const 999999)))
      (func (export "more") (call $grow (i32.const 1)))`,
    fails: { code: 'ERR_EXTISM_TRAP' }
  },
  // A call of $deep takes some 32 bytes.
  stack: {
    body: `
      (func $deep (param i32) (result i32)
        (if (result i32) (local.get 0)
          (then (i32.add (i32.const 1) (call $deep (i32.sub (local.get 0) (i32.const 1)))))
          (else (i32.const 0))))
      (func (export "most") (drop (call $deep (i32.const 20000))))
      (func (export "more") (drop (call $deep (i32.const 60000))))`,
    fails: { code: 'ERR_EXTISM_TRAP' }
  }
}

/** Resolves once 30 seconds are over, which the other tests need not wait for. */
const timedOut = prints(`
  const SPIN = guest('(func (export "spin") (loop $again (br $again))) (func (export "echo") (call $give (call $input)))')
  const WAIT = guest('(func (export "wait") (call $wait)) (func (export "echo") (call $give (call $input)))', { user: '(import USER "wait" (func $wait))' })
  const functions = { 'extism:host/user': { wait: () => new Promise(() => {}) } }
  const spinning = new Plugin(SPIN)
  const waiting = await Promise.all([29_000, undefined, 31_000].map(timeoutMs => createPlugin(WAIT, { functions, timeoutMs })))
  await spinning.call('echo', 'compiled')
  const ended = []
  const ends = waiting.map((plugin, i) => plugin.call('wait').catch(({ code }) => ended.push(['before ' + code, 'by default ' + code, 'after ' + code][i])))
  await assert.rejects(spinning.call('spin'), { code: 'ERR_EXTISM_TIMEOUT', message: /30000 ms/ })
  await Promise.all(ends)
  for (const line of ended) console.log(line)
  for (const plugin of [spinning, ...waiting]) {
    const { buffer, byteOffset, byteLength } = await plugin.call('echo', 'next')
    console.log(Buffer.from(buffer, byteOffset, byteLength).toString())
    await plugin.close()
  }`, [...['before', 'by default', 'after'].map(when => `${when} ERR_EXTISM_TIMEOUT`), ...Array(4).fill('next')])
// It is awaited in the end, also if it fails before that.
timedOut.catch(() => {})

for (const [face, { open, text }] of Object.entries(FACES)) {
  describe(`in ${face}, a plugin that is given no limit`, () => {
    for (const [what, { body, fails, length, face: only = face }] of Object.entries(MOST)) {
      if (only !== face) continue
      test(`may have as much as is documented of ${what}, and no more`, async t => {
        const plugin = await open(guest(body + SERVE))
        t.after(() => plugin.close())
        const output = await plugin.call('most')
        assert.equal(output?.byteLength || undefined, length)
        await assert.rejects(plugin.call('more'), fails)
        assert.equal(text(await plugin.call('serve', 'next')), 'next')
      })
    }

    test('may start with as many elements of tables', async t => {
      const plugin = await open(guest(`(table 999999 funcref) (table 1 externref) ${SERVE}`))
      t.after(() => plugin.close())
      assert.equal(text(await plugin.call('serve', 'next')), 'next')
      const calling = async () => (await open(guest(`(table 999999 funcref) (table 2 externref) ${SERVE}`))).call('serve')
      await assert.rejects(calling(), { code: 'ERR_EXTISM_OUT_OF_MEMORY', message: /1000001 table elements/ })
    })

    for (const method of ['call', 'callSync']) {
      test(`may be called 32 deep from host functions, with ${method}`, async t => {
        const body = `(func (export "run") (call $descend)) ${SERVE}`
        let [depth, refused] = [0, undefined]
        const refuse = error => { refused ??= error }
        const descend = {
          call () {
            depth++
            return plugin.call('run').then(() => {}, refuse)
          },
          callSync () {
            depth++
            try { plugin.callSync('run') } catch (error) { refuse(error) }
          }
        }
        const plugin = await open(guest(body, { user: '(import USER "descend" (func $descend))' }), { instances: 40 }, { descend: descend[method] })
        t.after(() => plugin.close())
        await plugin[method]('run')
        assert.equal(refused?.code, 'ERR_EXTISM_CALL_DEPTH')
        assert.equal(depth, 33)
        assert.equal(text(await plugin[method]('serve', 'next')), 'next')
      })
    }
  })
}

describe('a call of a plugin that is given no limit', () => {
  const LOGS = guest(`
    (func (export "run") (local $i i32) (loop $again
      (call $log_info (call $alloc (i64.const 65536)))
      (br_if $again (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 1))) (i32.const 300)))))
    ${SERVE}`)
  const NOTICE = 'a call may log 16777216 bytes (maxLogBytes), the rest is dropped'

  test('may log 16 MiB', async t => {
    const messages = []
    const logger = { info: message => messages.push(message.length), warn: message => messages.push(message) }
    const plugin = await made(t, LOGS, { logger, logLevel: 'info' })
    for (let i = 0; i < 2; i++) {
      await plugin.call('run')
      assert.deepEqual(messages.splice(0), [...Array(256).fill(65_536), NOTICE])
    }
    assert.equal((await plugin.call('serve', 'next')).text(), 'next')
  })

  test('may log 16 MiB into a file', async t => {
    const file = path.join(directory(t), 'log')
    setLogFile(file)
    const plugin = new Plugin(LOGS)
    for (let i = 1; i <= 2; i++) {
      await plugin.call('run')
      const lines = readFileSync(file, 'utf8').trimEnd().split('\n')
      assert.equal(lines.length, i * 257)
      assert.ok(lines.at(-1).endsWith(NOTICE))
    }
    assert.equal(String(await plugin.call('serve', 'next')), 'next')
    await plugin.close()
  })

  const GETS = guest(`
    (func (export "get") (local $block i64)
      (local.set $block (call $http_request (call $input) (i64.const 0)))
      (if (i64.ne (local.get $block) (i64.const 0)) (then (call $give (local.get $block)))))
    ${SERVE}`, { user: '(import "extism:host/env" "http_request" (func $http_request (param i64 i64) (result i64)))' })
  const asked = async t => {
    const url = await serving(t, (request, response) => response.end(Buffer.alloc(Number(request.url.slice(1)))))
    return length => JSON.stringify({ url: `${url}/${length}` })
  }

  test('may be answered 50 MiB in createPlugin, and gets nothing of more', async t => {
    const of = await asked(t)
    const logged = []
    const plugin = await made(t, GETS, { allowedHosts: ['127.0.0.1'], logLevel: 'error', logger: { error: message => logged.push(message) } })
    assert.equal((await plugin.call('get', of(50 * MIB))).byteLength, 50 * MIB)
    assert.equal(await plugin.call('get', of(50 * MIB + 1)), null)
    assert.deepEqual(logged, [`Response body exceeded ${50 * MIB} bytes`])
    assert.equal((await plugin.call('serve', 'next')).text(), 'next')
  })

  test('may be answered 50 MiB in the API of 2023, and fails with more', async t => {
    const of = await asked(t)
    const plugin = new Plugin({ wasm: [{ data: GETS }], allowed_hosts: ['127.0.0.1'] })
    t.after(() => plugin.close())
    assert.equal((await plugin.call('get', of(50 * MIB))).length, 50 * MIB)
    await assert.rejects(plugin.call('get', of(50 * MIB + 1)), ({ code, cause }) => code === 'ERR_EXTISM_HOST_FUNCTION' && cause.code === 'ERR_EXTISM_HTTP')
    assert.equal(String(await plugin.call('serve', 'next')), 'next')
  })

  test('may take 30 seconds, be it by computing or by waiting for a host function', () => timedOut)
})
