import { after, before, describe, test } from 'node:test'
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { cpSync, mkdtempSync, rmSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { prints } from '../helpers.js'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))

/** This package with an addon that can be made to panic. */
let copy

before(() => {
  copy = mkdtempSync(path.join(tmpdir(), 'extism-napi-'))
  for (const part of ['index.cjs', 'lib']) cpSync(path.join(ROOT, part), path.join(copy, part), { recursive: true })
  const build = [path.join(ROOT, 'scripts/build.cjs'), path.join(copy, 'extism-napi.node'), '--features', 'faults']
  execFileSync(process.execPath, build, { stdio: 'ignore' })
})
after(() => rmSync(copy, { recursive: true, force: true }))

/**
 * Runs `body` in a process of its own. There `panicking(point, f)` gives the code of what `f`
 * fails with when code panics at that point, and "none" where it does not fail; `open` makes a
 * plugin, whose start every call of `served` must find in order. Resolves with what went to stderr.
 */
function survives (body, lines, options) {
  return prints(`
    const { createRequire } = await import('node:module')
    const require = createRequire(${JSON.stringify(path.join(copy, 'x.cjs'))})
    const { Plugin, HostFunction, ValType, createPlugin } = require('./index.cjs')
    const { panicAt } = require('./extism-napi.node')
    const data = guest(\`
      (func (export "echo") (call $give (call $input)))
      (func (export "ask") (call $give (call $answer)))
      (func (export "spin") (loop $again (br $again)))
      (func (export "log") (call $log_info (call $input)))\`, { user: '(import USER "answer" (func $answer (result i64)))' })
    const answer = new HostFunction('answer', [], [ValType.I64], (current, inputs, [output]) => current.returnString(output, 'answered'))
    const open = () => new Plugin({ wasm: [{ data }], timeout_ms: 1000 }, false, [answer])
    const plugin = open()
    const neighbour = open()
    const served = async () => {
      for (const each of [plugin, neighbour]) for (let i = 0; i < 2; i++) {
        assert.equal(String(await each.call('echo', 'served')), 'served')
        assert.equal(String(await each.call('ask')), 'answered')
      }
    }
    await served()
    const panicking = async (point, f) => {
      panicAt(point)
      try {
        await f()
        return 'none'
      } catch (error) {
        assert.match(error.message, /on purpose|was lost|has no thread/)
        return error.code
      } finally {
        await served()
      }
    }
    ${body}
    await plugin.close()
    await neighbour.close()`, lines, { env: { RUST_BACKTRACE: '0' }, ...options })
}

const INTERNAL = 'ERR_EXTISM_INTERNAL'

describe('a panic is the error of one call, and nothing else,', () => {
  const REPLACED = { done: 3, settle: 3, output: 0, submit: 0, serve: 3 }
  for (const [point, replaced] of Object.entries(REPLACED)) {
    test(`at "${point}"`, () => survives(`
      for (let i = 0; i < 3; i++) { console.log(await panicking('${point}', () => plugin.call('echo', 'x'))) }
      console.log(plugin.stats().replaced, neighbour.stats().replaced)`, [...Array(3).fill(INTERNAL), `${replaced} 0`]))
  }

  for (const point of ['answer', 'finish']) {
    test(`at "${point}" of a host function`, () => survives(`
      console.log((await panicking('${point}', () => plugin.call('ask'))).replace('HOST_FUNCTION', 'INTERNAL'))`, INTERNAL))
  }

  test('in a lookup, or where a store is filled', () => survives(`
    const { Store, memoryGet } = require('./index.cjs')
    const store = new Store([['key', 'found']])
    const find = guest('(func (export "find") (call $give (call $find (call $input))))', { user: '(import USER "find" (func $find (param i64) (result i64)))' })
    const looking = await createPlugin(find, { functions: { 'extism:host/user': { find: memoryGet('find', store) } } })
    console.log(await panicking('lookup', () => looking.call('find', 'key')))
    console.log((await looking.call('find', 'key')).text(), looking.stats().replaced)
    await assert.rejects(async () => { panicAt('set'); store.set('key', 'lost') }, /on purpose/)
    console.log((await looking.call('find', 'key')).text())
    await looking.close()`, [INTERNAL, 'found 1', 'found']))

  test('in callSync', () => survives(`
    for (let i = 0; i < 3; i++) console.log(await panicking('settle', () => plugin.callSync('echo', 'x')))`, Array(3).fill(INTERNAL)))

  test('where a logger gets its messages', () => survives(`
    const logging = await createPlugin(data, { logLevel: 'info', logger: { info () {} }, functions: { 'extism:host/user': { answer: () => 0n } } })
    for (let i = 0; i < 3; i++) console.log(await panicking('log', () => logging.call('log', 'text')))
    await logging.call('log', 'text')
    await logging.close()`, Array(3).fill(INTERNAL)))
})

describe('a panic is the error of a plugin that is being made,', () => {
  test('where there is no thread to compile it on', () => survives(`
    console.log(await panicking('thread', () => Plugin.create(data, false, [answer])))
    console.log(await panicking('thread', open))`, [INTERNAL, INTERNAL]))

  for (const point of ['open', 'compile', 'instantiate']) {
    test(`at "${point}"`, () => survives(`
      console.log(await panicking('${point}', () => Plugin.create(data, false, [answer])))
      panicAt('${point}')
      try {
        const made = open()
        // It may have failed before there was a call, and is made anew then.
        await made.call('echo', 'made').catch(({ code }) => assert.equal(code, '${INTERNAL}'))
        console.log(String(await made.call('echo', 'made')))
        await made.close()
      } catch (error) {
        console.log(error.code)
      }
      await served()`, [INTERNAL, point === 'instantiate' ? 'made' : INTERNAL]))
  }

  test('or of the calls of one whose broken instance cannot be replaced', () => survives(`
    panicAt('instantiate')
    const calls = ['spin', 'echo', 'echo'].map(name => plugin.call(name, 'x').then(String, error => error.code))
    console.log((await Promise.all(calls)).join(' '))
    await served()`, `ERR_EXTISM_TIMEOUT ${INTERNAL} x`))
})

describe('a panic that is nobody\'s', () => {
  test('where timeouts are watched lets them come all the same', () => survives(`
    panicAt('watchdog')
    console.log(await plugin.call('spin').catch(error => error.code))
    await served()`, 'ERR_EXTISM_TIMEOUT'))

  test('where idle instances are dropped holds nothing up', () => survives(`
    panicAt('drop')
    await open().close()
    const closing = open()
    await closing.call('echo', 'x')
    await closing.close()
    await served()
    console.log('closed')`, 'closed'))

  test('where a worker ends lets it end', async () => {
    const stderr = await survives(`
      panicAt('cleanup')
      const opening = \`
        import { workerData } from 'node:worker_threads'
        const { default: { Plugin } } = await import(workerData.index)
        new Plugin(workerData.data)\`
      const worker = new Worker(opening, { eval: true, workerData: { index: require.resolve('./index.cjs'), data: guest('') } })
      console.log(...await once(worker, 'exit'))
      await served()`, '0')
    assert.match(stderr, /on purpose, at "cleanup"/)
  })

  test('where a plugin is collected holds nothing up', async () => {
    const stderr = await survives(`
      panicAt('finalize')
      for (let i = 0; i < 10; i++) open()
      for (let i = 0; i < 50; i++) { gc(); await served() }
      console.log('served')`, 'served', { flags: ['--expose-gc'] })
    assert.match(stderr, /on purpose, at "finalize"/)
  })
})

test('no other build can be made to panic', () => {
  const { panicAt } = createRequire(import.meta.url)(path.join(ROOT, 'extism-napi.node'))
  assert.equal(panicAt, undefined)
})
