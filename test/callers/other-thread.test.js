import { describe, test } from 'node:test'
import { survives } from './attack.js'

/**
 * In a worker: what becomes of what it is given, and of each use that it could be for. Says
 * whether it is an empty object, and how the uses end, each once.
 */
const WORK = `
  const { parentPort, workerData } = require('node:worker_threads')
  const loaded = Promise.all(workerData.urls.map(url => import(url)))
  const tell = async thing => {
    const [{ CancelHandle, Context, CurrentPlugin, Plugin, Store, createPlugin, memoryGet }, { CODE, USER }] = await loaded
    const USES = [
      ...['call', 'callSync', 'update', 'cancel', 'plugin', 'get', 'set', 'memory', 'memoryAlloc', 'alloc', 'read', 'setVariable'].map(method => () => thing[method]('key', 'value')),
      () => Plugin.prototype.call.call(thing, 'echo'),
      () => Plugin.prototype.callSync.call(thing, 'echo'),
      () => Plugin.prototype.close.call(thing),
      () => Context.prototype.plugin.call(thing, CODE),
      () => CancelHandle.prototype.cancel.call(thing),
      () => CurrentPlugin.prototype.memory.call(thing, 1),
      () => Store.prototype.get.call(thing, 'key'),
      () => Store.prototype.set.call(thing, 'key', 'value'),
      () => memoryGet('get', thing),
      () => new Store([thing]),
      () => new Plugin(thing),
      () => new Plugin(CODE, false, [thing]),
      () => createPlugin(thing),
      () => createPlugin(CODE, { functions: { [USER]: { answer: thing } } })
    ]
    const ends = new Set()
    for (const use of USES) ends.add(await (async () => use())().then(() => 'nothing: ' + use, error => error instanceof Error && error.message !== '' ? 'an error' : error))
    return [Object.getPrototypeOf(thing) === Object.prototype && Object.keys(thing).length === 0, ...ends].join()
  }
  const answer = async thing => parentPort.postMessage(await tell(thing))
  parentPort.on('message', ({ thing }) => answer(thing))
  if ('thing' in workerData) answer(workerData.thing)`

const START = `
  const urls = ${JSON.stringify(['../../index.js', '../modern/making.js'].map(file => new URL(file, import.meta.url)))}
  const start = (data, work = ${JSON.stringify(WORK)}) => new Worker(work, { eval: true, execArgv: [], workerData: { urls, ...data } })
  const heard = async worker => (await once(worker, 'message'))[0]`

const GIVEN = `
  const store = new Store([['key', 'value']])
  const plugin = legacy()
  const other = await modern()
  const given = [plugin, other, store, Store.native(store), new Context(), hostFunction(), memoryGet('answer', store), plugin.cancelHandle()]`

const TOLD = 'true,an error'

describe('what belongs to one thread is an empty object in another, which is good for nothing', () => {
  test('by postMessage', t => survives(t, `
    ${START}
    ${GIVEN}
    const worker = start({})
    for (const thing of given) {
      worker.postMessage({ thing })
      assert.equal(await heard(worker), '${TOLD}')
    }
    await worker.terminate()
    console.log(String(await plugin.call('echo', 'usable')), await textOf(other.call('echo', 'usable')), store.get('key'))`, { lines: ['usable usable value'] }))

  test('by workerData', t => survives(t, `
    ${START}
    ${GIVEN}
    for (const thing of given) {
      const worker = start({ thing })
      assert.equal(await heard(worker), '${TOLD}')
      await worker.terminate()
    }
    console.log(String(await plugin.call('echo', 'usable')), await textOf(other.call('echo', 'usable')), store.get('key'))`, { lines: ['usable usable value'] }))

  test('in the middle of a host function, be it that the plugin waits for the other thread', t => survives(t, `
    ${START}
    const worker = start({})
    const tell = async thing => {
      worker.postMessage({ thing })
      console.log(await heard(worker))
    }
    const plugin = legacy(async (current, inputs, outputs) => {
      await tell(current)
      current.returnString(outputs[0], 'answered')
    })
    const other = await modern(async context => {
      await tell(context)
      return context.store('answered')
    })
    console.log(String(await plugin.call('ask')))
    console.log(await textOf(other.call('ask')))
    for (const sync of [legacy(current => worker.postMessage({ thing: current })), await modern(context => { worker.postMessage({ thing: context }); return 0n })]) {
      sync.callSync('tell')
      console.log(await heard(worker))
    }
    await worker.terminate()`, { lines: [TOLD, 'answered', TOLD, 'answered', TOLD, TOLD] }))
})

test('what belongs to one thread cannot be handed over, nor can a call or an iteration be given at all', t => survives(t, `
  ${START}
  ${GIVEN}
  const { port1 } = new MessageChannel()
  for (const thing of given) assert.throws(() => port1.postMessage(thing, [thing]))
  const call = plugin.call('echo', 'settled')
  for (const thing of [call, store.entries(), () => plugin, { plugin, f: other.call }]) {
    assert.throws(() => port1.postMessage(thing), { name: 'DataCloneError' })
    assert.throws(() => start({ thing }), { name: 'DataCloneError' })
  }
  port1.close()
  console.log(String(await call), String(await plugin.call('echo', 'usable')))`, { lines: ['settled usable'] }))

test('an error that is given keeps its text, and an output its bytes', t => survives(t, `
  ${START}
  const work = "const { parentPort, workerData: { thing } } = require('node:worker_threads'); parentPort.postMessage(thing instanceof Error ? thing.message : Buffer.from(thing.buffer, thing.byteOffset, thing.byteLength).toString())"
  const [plugin, other] = [legacy(), await modern()]
  const error = await plugin.call('absent').catch(error => error)
  console.log(await heard(start({ thing: error }, work)) === error.message)
  for (const thing of [await plugin.call('echo', 'output'), await other.call('echo', 'output')]) console.log(await heard(start({ thing }, work)))`, { lines: ['true', 'output', 'output'] }))

describe('bytes that another thread writes to all the time', () => {
  const WRITING = `
    ${START}
    const work = "const { parentPort, workerData: { bytes, values } } = require('node:worker_threads'); parentPort.postMessage('ready'); for (let i = 0; ; i++) bytes.fill(values[i % 2])"
    const writing = async (bytes, values) => {
      const worker = start({ bytes, values }, work)
      await heard(worker)
      return worker
    }`

  test('are an input, a value and a variable of some moment', t => survives(t, `
    ${WRITING}
    const bytes = new Uint8Array(new SharedArrayBuffer(10_000)).fill(0x61)
    const worker = await writing(bytes, [0x61, 0xff])
    const store = new Store()
    const [plugin, other] = [legacy(), await modern(context => { context.setVariable('name', bytes); return context.store(bytes) })]
    for (let i = 0; i < 200; i++) {
      const seen = [await plugin.call('echo', bytes), plugin.callSync('echo', bytes), (await other.call('echo', bytes)).bytes(), (await other.call('ask')).bytes(), (await other.call('get')).bytes(), store.set('key', bytes).get('key')]
      for (const each of seen) {
        assert.equal(each.length, bytes.length)
        assert.ok(each.every(byte => byte === 0x61 || byte === 0xff))
      }
    }
    await worker.terminate()
    console.log('done')`, { lines: ['done'] }))

  test('are a module, or none', t => survives(t, `
    ${WRITING}
    const module = Buffer.from('0061736d01000000010401600000030201000707010372756e00000a040102000b', 'hex')
    const bytes = new Uint8Array(new SharedArrayBuffer(module.length))
    bytes.set(module)
    // What follows the code: the end of it, or an instruction without one.
    const worker = await writing(bytes.subarray(-1), [0x0b, 0x01])
    for (let i = 0; i < 200; i++) {
      for (const make of [() => new Plugin(bytes), () => Plugin.create(bytes), () => createPlugin({ wasm: [{ data: bytes }] })]) {
        const end = await (async () => {
          const plugin = await make()
          try { await plugin.call('run') } finally { await plugin.close() }
        })().catch(error => error.code)
        assert.ok(end === undefined || end === 'ERR_EXTISM_MODULE', end)
      }
    }
    await worker.terminate()
    console.log('done')`, { lines: ['done'] }))
})
