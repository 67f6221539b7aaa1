import { describe, test } from 'node:test'
import assert from 'node:assert/strict'
import { signal } from '../helpers.js'
import { ask, asking } from './asking.js'

describe('what is kept after f has returned is dead', () => {
  const METHODS = {
    memory: (current, input) => current.memory(input.v.i64),
    memoryAlloc: current => current.memoryAlloc(1),
    memoryFree: (current, input) => current.memoryFree(input.v.i64),
    memoryLength: (current, input) => current.memoryLength(input.v.i64),
    returnString: (current, input) => current.returnString(input, 'x'),
    returnBytes: (current, input) => current.returnBytes(input, Buffer.from('x')),
    inputBytes: (current, input) => current.inputBytes(input),
    inputString: (current, input) => current.inputString(input)
  }
  for (const [name, use] of Object.entries(METHODS)) {
    for (const touched of [false, true]) {
      test(`CurrentPlugin.${name} throws ERR_EXTISM_STALE${touched ? ', also for a block it has given before' : ''}`, async () => {
        let kept
        await ask((current, [input]) => {
          kept = [current, { ...input, v: { ...input.v } }]
          if (touched) current.memory(input.v.i64)
        })
        assert.throws(() => use(...kept), { name: 'ExtismError', code: 'ERR_EXTISM_STALE' })
      })
    }
  }

  test('a CurrentPlugin is dead once an async f has settled, not before', async () => {
    let kept
    await ask(async (current, [input]) => {
      kept = current
      await new Promise(setImmediate)
      assert.equal(current.inputString(input), 'input')
    })
    assert.throws(() => kept.memoryAlloc(1), { code: 'ERR_EXTISM_STALE' })
  })

  test('a CurrentPlugin is dead once f has thrown', async () => {
    let kept
    await assert.rejects(ask(current => {
      kept = current
      throw new Error('boom')
    }))
    assert.throws(() => kept.memoryAlloc(1), { code: 'ERR_EXTISM_STALE' })
  })

  test('a CurrentPlugin is dead once its call was cancelled, while f still waits', async () => {
    const [started, start] = signal()
    const [released, release] = signal()
    let staleError
    const [checked, check] = signal()
    const plugin = asking(async current => {
      start()
      await released
      try { current.memoryAlloc(1) } catch (error) { staleError = error }
      check()
    })
    const call = plugin.call('ask', 'x')
    await started
    plugin.cancelHandle().cancel()
    await assert.rejects(call, { code: 'ERR_EXTISM_CANCELLED' })
    release()
    await checked
    assert.equal(staleError?.code, 'ERR_EXTISM_STALE')
    plugin.free()
  })

  test('writing to a kept Buffer changes nothing for the plugin', async () => {
    let kept
    const plugin = asking((current, [input]) => {
      if (kept) kept.fill('!')
      else kept = current.memory(input.v.i64)
    })
    assert.equal((await plugin.call('twice', 'input')).toString(), 'input')
    kept.fill('?')
    assert.equal((await plugin.call('through', 'later')).toString(), 'later')
    plugin.free()
  })

  test('writing to the kept Buffer of a plugin that is gone harms nothing', async () => {
    let kept
    await ask((current, [input]) => { kept = current.memory(input.v.i64) })
    kept.fill('!')
    assert.equal(kept.toString(), '!!!!!')
  })
})
