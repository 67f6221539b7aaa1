import { describe, test } from 'node:test'
import { prints } from './helpers.js'

/**
 * Runs a script in a process of its own that has `start(work)`, which runs the text of `work`
 * in a worker. There, `post(value)` reaches the parent. The parent must serve a call afterwards,
 * and the process print these lines and end by itself.
 */
function withWorkers (script, lines) {
  return prints(`
    const ends = new Map()
    // Listened for from the start: it may be over before a message of it is read.
    const start = work => {
      const worker = begun(work)
      ends.set(worker, new Promise(resolve => worker.once('exit', resolve)))
      return worker
    }
    const begun = work => new Worker(\`
      const { parentPort, workerData, threadId } = require('node:worker_threads')
      const post = value => parentPort.postMessage(value)
      Promise.all(workerData.map(url => import(url))).then(modules => {
        Object.assign(globalThis, ...modules)
        return (async () => {\${work}})()
      })\`, { eval: true, execArgv: [], workerData: [${JSON.stringify(new URL('../index.js', import.meta.url))}, ${JSON.stringify(new URL('helpers.js', import.meta.url))}] })
    const ended = worker => ends.get(worker)
    const parent = new Plugin(pluginBytes('modern.wat'))
    assert.equal((await parent.call('count')).toString(), '1')
    ${script}
    assert.equal((await parent.call('count')).toString(), '2')`, lines)
}

/** Work that says so when its plugin spins. */
const SPIN = `
  const started = new HostFunction('started', [], [], () => post('spinning'))
  const code = guest('(func (export "spin") (call $started) (loop $again (br $again)))', { user: '(import USER "started" (func $started))' })
  await new Plugin(code, false, [started]).call('spin')`

/** Work that says so when its plugin waits for a host function. */
const WAIT = `
  const wait = new HostFunction('wait', [], [], () => { post('waiting'); return new Promise(() => {}) })
  await new Plugin(guest('(func (export "wait") (call $wait))', { user: '(import USER "wait" (func $wait))' }), false, [wait]).call('wait')`

/** Work that never stops calling. */
const CALL = `
  const hear = new HostFunction('hear', [ValType.I64], [ValType.I64], async (current, inputs, outputs) => { outputs[0] = inputs[0] })
  const code = guest('(func (export "run") (call $give (call $hear (call $input)))) (func (export "trap") unreachable)', { user: '(import USER "hear" (func $hear (param i64) (result i64)))' })
  const plugin = new Plugin(code, false, [hear])
  for (let i = 0; ; i++) {
    await Promise.allSettled([plugin.call('run', 'x'), plugin.call('trap'), plugin.call('run', 'y')])
    if (i === 3) post('calling')
  }`

/** Work that never stops calling synchronously. */
const CALL_SYNC = `
  const hear = new HostFunction('hear', [], [], () => {})
  const plugin = new Plugin(guest('(func (export "run") (call $hear))', { user: '(import USER "hear" (func $hear))' }), false, [hear])
  for (let i = 0; ; i++) {
    plugin.callSync('run')
    if (i === 3) post('calling')
  }`

describe('in a worker', () => {
  test('a plugin is made and called, and the worker ends by itself with it left open', () => withWorkers(`
    const worker = start("const plugin = new Plugin(pluginBytes('modern.wat')); post((await plugin.call('echo', 'from the worker')).toString())")
    const exit = ended(worker)
    console.log((await once(worker, 'message'))[0])
    console.log(await exit)`, ['from the worker', '0']))

  test('host functions run on its own thread, synchronous and async', () => withWorkers(`
    const worker = start(\`
      const name = (current, inputs, outputs) => current.returnString(outputs[0], 'thread ' + threadId + '\\\\n')
      const later = async (...args) => { await new Promise(setImmediate); name(...args) }
      for (const body of [name, later]) {
        const name = new HostFunction('name', [], [ValType.I64], body)
        const plugin = new Plugin(guest('(func (export "name") (call $give (call $name)))', { user: '(import USER "name" (func $name (result i64)))' }), false, [name])
        post(((await plugin.call('name')).toString().trim() === 'thread ' + threadId))
      }\`)
    const exit = ended(worker)
    worker.on('message', message => console.log(message))
    console.log(await exit)`, ['true', 'true', '0']))

  test('errors are errors of its own realm, with code and cause', () => withWorkers(`
    const worker = start(\`
      const fail = new HostFunction('fail', [], [], () => { throw new RangeError('boom') })
      const plugin = new Plugin(guest('(func (export "run") (call $thrown))', { user: '(import USER "fail" (func $thrown))' }), false, [fail])
      const error = await plugin.call('run').catch(error => error)
      post([error instanceof ExtismError, error.code, error.cause instanceof RangeError])\`)
    console.log(String((await once(worker, 'message'))[0]))
    await ended(worker)`, 'true,ERR_EXTISM_HOST_FUNCTION,true'))

  test('a store fills and reads', () => withWorkers(`
    const worker = start(\`
      const plugin = new Plugin(guest('(func (export "get") (call $give (call $get (call $input))))', { user: '(import USER "get" (func $get (param i64) (result i64)))' }), false, [memoryGet('get', new Store([['key', 'value']]))])
      post((await plugin.call('get', 'key')).toString())\`)
    console.log((await once(worker, 'message'))[0])
    await ended(worker)`, 'value'))
})

describe('several workers at once', () => {
  test('each get their own answers, while the parent calls, too', () => withWorkers(`
    const work = \`
      const plugins = [new Plugin(pluginBytes('modern.wat')), new Plugin(pluginBytes('2023.wat'))]
      let right = 0
      for (let i = 0; i < 50; i++) {
        const input = threadId + ' ' + i
        const outputs = await Promise.all(plugins.map(plugin => plugin.call('echo', input)))
        right += outputs.filter(output => output.toString() === input).length
      }
      post(right)\`
    const workers = Array.from({ length: 6 }, () => start(work))
    const results = workers.map(async worker => (await once(worker, 'message'))[0])
    const exits = workers.map(ended)
    for (let i = 0; i < 100; i++) assert.equal((await parent.call('echo', String(i))).toString(), String(i))
    console.log(String(await Promise.all(results)))
    console.log(String(await Promise.all(exits)))`, ['100,100,100,100,100,100', '0,0,0,0,0,0']))

  test('one that fails to start harms none', () => withWorkers(`
    const bad = start("throw new Error('on purpose')")
    const good = start("post((await new Plugin(pluginBytes('modern.wat')).call('echo', 'good')).toString())")
    const [message, exit] = [once(good, 'message'), ended(good)]
    console.log((await once(bad, 'error'))[0].message)
    console.log((await message)[0])
    await exit`, ['on purpose', 'good']))
})

describe('a worker is terminated', () => {
  for (const [name, work] of Object.entries({ 'while its plugin spins': SPIN, 'while its plugin waits for a host function': WAIT, 'while it calls and calls': CALL, 'while it calls synchronously': CALL_SYNC })) {
    test(`${name}, 50 times, and the parent goes on`, () => withWorkers(`
      for (let i = 0; i < 50; i++) {
        const worker = start(${JSON.stringify(work)})
        await once(worker, 'message')
        await worker.terminate()
      }
      console.log('terminated')`, 'terminated'))
  }

  test('many at the same time', () => withWorkers(`
    const workers = Array.from({ length: 8 }, (_, i) => start(${JSON.stringify([SPIN, WAIT, CALL])}[i % 3]))
    await Promise.all(workers.map(worker => once(worker, 'message')))
    await Promise.all(workers.map(worker => worker.terminate()))
    console.log('terminated')`, 'terminated'))

  test('at any moment of its start, 20 times', () => withWorkers(`
    for (let i = 0; i < 20; i++) {
      const worker = start(${JSON.stringify(CALL)})
      await once(worker, 'online')
      for (let tick = 0; tick < i * 5; tick++) await new Promise(resolve => setTimeout(resolve, 1))
      await worker.terminate()
    }
    console.log('terminated')`, 'terminated'))

  test('or exits in the middle of a call', () => withWorkers(`
    const worker = start(${JSON.stringify(SPIN.replace("post('spinning')", 'setImmediate(() => process.exit(4))'))})
    console.log(await ended(worker))`, '4'))
})
