import { after, describe, test } from 'node:test'
import assert from 'node:assert/strict'
import { ExtismError, Plugin } from '../../index.js'
import { guest, pluginBytes } from '../helpers.js'

const WASI = 'wasi_snapshot_preview1'

async function failure (promise) {
  const error = await promise.then(output => assert.fail(`it gave ${output}`), error => error)
  assert.ok(error instanceof ExtismError, String(error))
  assert.ok(error instanceof Error)
  assert.equal(error.name, 'ExtismError')
  assert.match(error.message, /^Plugin error: /)
  return error
}

for (const era of ['modern', '2023']) {
  describe(`a failing call of a plugin of the ${era} era`, () => {
    const plugin = new Plugin(pluginBytes(`${era}.wat`))
    after(() => plugin.free())

    test('has the error that the plugin set, and its return code', async () => {
      const error = await failure(plugin.call('refuse', 'it is too läte'))
      assert.match(error.message, /^Plugin error: it is too läte\b.*, code: 3$/)
      assert.equal(error.code, 'ERR_EXTISM_GUEST')
      assert.equal(error.exitCode, 3)
      assert.equal(error.function, 'refuse')
      assert.equal(error.plugin, plugin.id)
    })

    test('has the return code where the plugin set no error', async () => {
      const error = await failure(plugin.call('seven'))
      assert.match(error.message, /, code: 7$/)
      assert.equal(error.code, 'ERR_EXTISM_EXIT')
      assert.equal(error.exitCode, 7)
    })

    test('has no return code where the plugin trapped', async () => {
      const error = await failure(plugin.call('trap'))
      assert.match(error.message, /unreachable/)
      assert.doesNotMatch(error.message, /, code: /)
      assert.equal(error.code, 'ERR_EXTISM_TRAP')
      assert.equal(error.exitCode, undefined)
    })

    test('has no return code where there is no such function', async () => {
      const error = await failure(plugin.call('absent', 'x'))
      assert.match(error.message, /"absent"/)
      assert.doesNotMatch(error.message, /, code: /)
      assert.equal(error.code, 'ERR_EXTISM_FUNCTION_NOT_FOUND')
      assert.equal(error.function, 'absent')
    })

    test('leaves the plugin usable', async () => {
      for (const name of ['refuse', 'seven', 'trap', 'absent', 'recurse']) {
        await failure(plugin.call(name, 'x'))
        assert.equal((await plugin.call('echo', 'after')).toString(), 'after')
      }
    })

    test('fails alone among calls in the queue', async () => {
      const names = ['echo', 'trap', 'echo', 'refuse', 'echo', 'trap', 'trap', 'echo']
      const settled = await Promise.allSettled(names.map(name => plugin.call(name, 'x')))
      assert.deepEqual(settled.map(({ status }) => status === 'fulfilled'), names.map(name => name === 'echo'))
    })
  })
}

describe('a failing call', () => {
  test('keeps the state of the plugin where the plugin reported it, and starts afresh after a trap', async () => {
    const plugin = new Plugin(pluginBytes('modern.wat'))
    const count = async () => (await plugin.call('count')).toString()
    assert.equal(await count(), '1')
    await failure(plugin.call('refuse', 'x'))
    await failure(plugin.call('seven'))
    assert.equal(await count(), '2')
    await failure(plugin.call('trap'))
    assert.equal(await count(), '1')
    plugin.free()
  })

  test('reads an error that is not UTF-8', async () => {
    const plugin = new Plugin(pluginBytes('modern.wat'))
    const error = await failure(plugin.call('refuse', Buffer.from([0x61, 0xff, 0x62])))
    assert.match(error.message, /a\ufffdb/)
    plugin.free()
  })

  test('has a negative return code as it is', async () => {
    const plugin = new Plugin('(module (func (export "minus") (result i32) (i32.const -5)))')
    const error = await failure(plugin.call('minus'))
    assert.equal(error.exitCode, -5)
    assert.match(error.message, /, code: -5$/)
    plugin.free()
  })

  test('has nothing of the error before it', async () => {
    const plugin = new Plugin(pluginBytes('modern.wat'))
    await failure(plugin.call('refuse', 'the first one'))
    assert.equal((await plugin.call('echo', 'fine')).toString(), 'fine')
    const error = await failure(plugin.call('seven'))
    assert.doesNotMatch(error.message, /first/)
    plugin.free()
  })

  test('of a function with parameters or other results says that it cannot be called', async () => {
    const plugin = new Plugin('(module (func (export "takes") (param i32)) (func (export "gives") (result i64) (i64.const 0)))')
    for (const name of ['takes', 'gives']) {
      assert.equal((await failure(plugin.call(name))).code, 'ERR_EXTISM_FUNCTION_NOT_FOUND')
    }
    plugin.free()
  })

  test('has the code that the plugin exits with', async () => {
    const exits = guest(`
      (func (export "fails") (call $give (call $input)) (call $exit (i32.const 9)))
      (func (export "succeeds") (call $give (call $input)) (call $exit (i32.const 0)))`, {
      user: `(import "${WASI}" "proc_exit" (func $exit (param i32)))`
    })
    const plugin = new Plugin(exits, true)
    const error = await failure(plugin.call('fails', 'x'))
    assert.equal(error.code, 'ERR_EXTISM_EXIT')
    assert.equal(error.exitCode, 9)
    assert.match(error.message, /, code: 9$/)
    assert.equal((await plugin.call('succeeds', 'output')).toString(), 'output')
    plugin.free()
  })

  test('traps of every kind are named', async () => {
    const plugin = new Plugin(`(module
      (memory 1) (table 1 funcref)
      (func (export "divide") (drop (i32.div_u (i32.const 1) (i32.const 0))))
      (func (export "address") (drop (i32.load (i32.const 65536))))
      (func (export "table") (call_indirect (i32.const 0)))
      (func $deep (export "deep") (call $deep) (call $deep)))`)
    const MESSAGES = { divide: /divide by zero/, address: /out of bounds memory/, table: /uninitialized|null/, deep: /stack/ }
    for (const [name, message] of Object.entries(MESSAGES)) {
      const error = await failure(plugin.call(name))
      assert.equal(error.code, 'ERR_EXTISM_TRAP')
      assert.match(error.message, message)
    }
    plugin.free()
  })

  test('that traps after it has set an error is a trap, and has the text of the error, whatever that is', async () => {
    const plugin = new Plugin(guest('(func (export "panic") (call $error_set (call $input)) (unreachable))'))
    for (const text of ['panicked at src/lib.rs', 'oom', 'timeout', 'Exited with i32 exit status 5']) {
      const error = await failure(plugin.call('panic', text))
      assert.equal(error.code, 'ERR_EXTISM_TRAP', text)
      assert.ok(error.message.startsWith(`Plugin error: ${text}`), error.message)
      assert.equal(error.exitCode, undefined)
    }
    plugin.free()
  })
})
