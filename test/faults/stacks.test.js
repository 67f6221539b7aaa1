import { describe, test } from 'node:test'
import { prints } from '../helpers.js'

const INDEX = JSON.stringify(new URL('../../index.cjs', import.meta.url).pathname)
const CODE = '(module (func $f (export "recurse") (call $f) (call $f)) (func (export "run")))'

/** Calls in every way, each with recursion that does not end; what is printed for it. */
const CALLS = `
  const plugin = new Plugin(Buffer.from('${CODE}'))
  const codes = new Set()
  for (let i = 0; i < 20; i++) {
    try { plugin.callSync('recurse') } catch (error) { codes.add(error.code) }
    await plugin.call('recurse').catch(error => codes.add(error.code))
    await plugin.call('run')
  }
  await plugin.close()`

describe('a plugin that uses up its stack is an error', () => {
  for (const stackSizeMb of [0.5, 1, 4, 16]) {
    test(`in a worker with ${stackSizeMb} MiB of it`, () => prints(`
      const work = \`(async () => {
        const { Plugin } = require(${INDEX})
        ${CALLS}
        require('node:worker_threads').parentPort.postMessage([...codes].join())
      })()\`
      const worker = new Worker(work, { eval: true, execArgv: [], resourceLimits: { stackSizeMb: ${stackSizeMb} } })
      const [[message]] = await Promise.all(['message', 'exit'].map(event => once(worker, event)))
      console.log(message)
      console.log(String(await new Plugin(pluginBytes('modern.wat')).call('echo', 'served')))`, ['ERR_EXTISM_TRAP', 'served']))
  }

  for (const kib of [984, 2048]) {
    test(`in a process whose first thread has ${kib} KiB of it`, () => prints(`
      ${CALLS}
      console.log([...codes].join())`, 'ERR_EXTISM_TRAP', { limit: `-s ${kib}` }))
  }
})
