import { describe, test } from 'node:test'
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { setImmediate as turn } from 'node:timers/promises'
import { HostFunction, Plugin } from '../index.js'
import { answering, codes, failing, holding, outcomes, until } from './answering.js'
import { KNOWS_AFTER_AWAIT, guest, signal } from './helpers.js'

const REENTRANT = 'ERR_EXTISM_REENTRANT'

describe('a host function that calls its own plugin', () => {
  test('is rejected at once where there is one instance, and the reason is behind the error', async () => {
    const plugin = answering(async text => String(await plugin.call('echo', text)), { timeout_ms: 0 })
    for (let i = 0; i < 20; i++) {
      const error = await failing(plugin.call('ask', 'x'))
      assert.deepEqual(codes(error), ['ERR_EXTISM_HOST_FUNCTION', REENTRANT])
      assert.equal(error.cause.name, 'ExtismError')
      assert.match(error.cause.message, /^Plugin error: .*own plugin/)
      assert.equal(String(await plugin.call('echo', 'usable')), 'usable')
    }
    await plugin.close()
  })

  test('can catch that, and go on', async () => {
    const plugin = answering(async text => {
      const error = await failing(plugin.call('echo', text))
      return error.code
    })
    assert.equal(String(await plugin.call('ask')), REENTRANT)
    assert.equal(String(await plugin.call('count')), '1')
    assert.deepEqual(plugin.stats().errors, { [REENTRANT]: 1 })
    await plugin.close()
  })

  test('runs on another instance, as deep as there are instances', async () => {
    for (const instances of [2, 3, 5]) {
      const plugin = answering(async text => {
        const left = Number(text)
        return left === 0 ? '.' : `${left}${await plugin.call('ask', `${left - 1}`)}`
      }, { instances })
      for (let round = 0; round < 5; round++) {
        const deepest = instances - 1
        const expected = Array.from({ length: deepest }, (_, i) => deepest - i).join('') + '.'
        assert.equal(String(await plugin.call('ask', `${deepest}`)), expected)
        const error = await failing(plugin.call('ask', `${instances}`))
        assert.equal(codes(error).at(-1), REENTRANT)
        assert.equal(codes(error).length, instances + 1)
      }
      await plugin.close()
    }
  })

  test('never waits for itself, when many do so at the same time', async () => {
    const plugin = answering(async text => String(await plugin.call('echo', text)), { instances: 3, timeout_ms: 0 })
    const ended = await outcomes(Array.from({ length: 200 }, (_, i) => plugin.call('ask', `${i}`)))
    ended.forEach((outcome, i) => assert.ok([`${i}`, 'ERR_EXTISM_HOST_FUNCTION'].includes(outcome), outcome))
    assert.equal(String(await plugin.call('ask', 'alone')), 'alone')
    await plugin.close()
  })

  test('is rejected with the reason where its other instance cannot be made', async () => {
    const directory = mkdtempSync(path.join(tmpdir(), 'extism-napi-'))
    const data = guest('(func (export "ask") (call $answer)) (func (export "echo") (call $give (call $input)))', {
      user: '(import USER "answer" (func $answer)) (import "wasi_snapshot_preview1" "sched_yield" (func $yield (result i32)))'
    })
    const answer = new HostFunction('answer', [], [], async () => {
      rmSync(directory, { recursive: true })
      await plugin.call('echo', 'x')
    })
    const plugin = new Plugin({ wasm: [{ data }], allowed_paths: { [directory]: '/' }, timeout_ms: 3_000 }, true, [answer], undefined, null, { instances: 2 })
    // The instance that is there takes the next call, so that the other one is yet to be made.
    assert.equal(String(plugin.callSync('echo', 'x')), 'x')
    const error = await failing(plugin.call('ask'))
    assert.equal(error.code, 'ERR_EXTISM_HOST_FUNCTION')
    assert.ok(['ERR_EXTISM_INSTANCE', REENTRANT].includes(error.cause.code), error.cause.code)
    await plugin.close()
  })

  test('is rejected where a call from elsewhere has the other instance', async () => {
    const [[held, hold], [released, release]] = [signal(), signal()]
    const plugin = answering(text => {
      if (text === 'again') return plugin.call('echo', 'x').catch(error => error.code)
      hold()
      return released
    }, { instances: 2 })
    const holding = plugin.call('ask', 'hold')
    await held
    assert.equal(String(await plugin.call('ask', 'again')), REENTRANT)
    release('released')
    assert.equal(String(await holding), 'released')
    await plugin.close()
  })

  test('after an await, where a call from elsewhere has the other instance, is rejected or waits for that', async () => {
    const [[held, hold], [released, release]] = [signal(), signal()]
    const plugin = answering(async text => {
      if (text !== 'again') {
        hold()
        return released
      }
      await held
      const waiting = plugin.call('echo', 'x').then(String, error => error.code)
      release('released')
      return waiting
    }, { instances: 2 })
    const calls = [plugin.call('ask', 'again'), plugin.call('ask', 'hold')]
    assert.deepEqual(await outcomes(calls), [KNOWS_AFTER_AWAIT ? REENTRANT : 'x', 'released'])
    await plugin.close()
  })

  test('after an await, without a time for the queue, is rejected or waits as long as its own call may take', async () => {
    let nested
    const plugin = answering(async text => {
      await null
      nested = plugin.call('echo', text)
      return String(await nested)
    }, { timeout_ms: 300 })
    const { code } = await failing(plugin.call('ask', 'x'))
    assert.equal(code, KNOWS_AFTER_AWAIT ? 'ERR_EXTISM_HOST_FUNCTION' : 'ERR_EXTISM_TIMEOUT')
    // Nothing is in its way by then.
    assert.deepEqual(await outcomes([nested]), [KNOWS_AFTER_AWAIT ? REENTRANT : 'x'])
    assert.equal(String(await plugin.call('echo', 'usable')), 'usable')
    await plugin.close()
  })
})

describe('a call from elsewhere is not mistaken for one of a host function', () => {
  test('while the plugin waits for one', async () => {
    const { plugin, question } = holding()
    const running = plugin.call('ask', 'running')
    const { resolve } = await question()
    const calls = [plugin.call('echo', '1')]
    await turn()
    calls.push(plugin.call('echo', '2'))
    await turn()
    resolve()
    assert.deepEqual(await outcomes([running, ...calls]), ['running', '1', '2'])
    await plugin.close()
  })

  test('of another plugin', async () => {
    const { plugin, question } = holding()
    const other = answering(async text => String(await plugin.call('echo', text)))
    const running = plugin.call('ask', 'running')
    const { resolve } = await question()
    const calls = ['1', '2'].map(text => other.call('ask', text))
    await new Promise(setImmediate)
    resolve()
    assert.deepEqual(await outcomes([running, ...calls]), ['running', '1', '2'])
    await Promise.all([plugin.close(), other.close()])
  })

  test('after a host function has made a call that ended', async () => {
    const plugin = answering(async text => {
      const error = await plugin.call('echo', text).catch(error => error)
      return error.code
    })
    assert.equal(String(await plugin.call('ask')), REENTRANT)
    assert.deepEqual(await outcomes(['1', '2'].map(text => plugin.call('echo', text))), ['1', '2'])
    await plugin.close()
  })

  test('nor what a host function left behind, once it has returned', async () => {
    const [[held, hold], [released, release]] = [signal(), signal()]
    let left
    const plugin = answering(text => {
      if (text === 'hold') {
        hold()
        return released
      }
      left = outcomes([held.then(() => plugin.call('echo', text))])
      return text
    })
    assert.equal(String(await plugin.call('ask', 'left')), 'left')
    const running = plugin.call('ask', 'hold')
    await held
    await new Promise(setImmediate)
    release()
    await running
    assert.deepEqual(await left, ['left'])
    await plugin.close()
  })
})

test('1,000 host functions that throw leave a plugin that serves', async () => {
  const plugin = answering(text => {
    const error = new Error(`boom ${text}`)
    if (Number(text) % 2) throw error
    return Promise.reject(error)
  }, { instances: 2 })
  const inputs = Array.from({ length: 1_000 }, (_, i) => `${i}`)
  const errors = await Promise.all(inputs.map(text => failing(plugin.call('ask', text))))
  errors.forEach((error, i) => assert.deepEqual([error.code, error.cause.message], ['ERR_EXTISM_HOST_FUNCTION', `boom ${i}`]))
  assert.deepEqual(plugin.stats().errors, { ERR_EXTISM_HOST_FUNCTION: 1_000 })
  assert.deepEqual(await outcomes(inputs.map(text => plugin.call('echo', text))), inputs)
  await until(() => plugin.stats().replaced === 1_000)
  await plugin.close()
})
