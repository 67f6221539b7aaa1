import { describe, test } from 'node:test'
import { prints } from './helpers.js'

/** Host functions of one plugin that make calls which nobody waits for. */
const IMPORT = "{ user: '(import USER \"hear\" (func $hear (param i64)))' }"
const RUN = "'(func (export \"run\") (call $hear (call $input)))'"

/**
 * Whether V8's memory and that outside of its heap stay flat while `count` reaches `until`. Memory
 * outside of the heap is freed after a collection; the next one waits for that.
 */
const flat = script => prints(`
  let count = 0
  const used = () => { gc(); gc(); const { heapUsed, external } = process.memoryUsage(); return heapUsed + external }
  const until = async n => { while (count < n) await new Promise(setImmediate) }
  ${script}
  await until(2_000)
  const before = used()
  await until(6_000)
  console.log(used() - before < 1 << 20)
  process.exit()`, 'true', { flags: ['--expose-gc'] })

describe('a plugin that nobody holds is collected', () => {
  for (const [name, make] of Object.entries({
    'though its host functions refer to it': "const plugin = new Plugin(code, false, [new HostFunction('hear', [ValType.I64], [], () => plugin)]); await plugin.call('run')",
    'though its host functions refer to it, from Plugin.create': "const plugin = await Plugin.create(code, false, [new HostFunction('hear', [ValType.I64], [], () => plugin)]); await plugin.call('run')",
    'though its host functions refer to it, from createPlugin': "const plugin = await createPlugin({ wasm: [{ data: code }] }, { functions: { 'extism:host/user': { hear: () => plugin } } }); await plugin.call('run')"
  })) {
    test(name, () => prints(`
      const code = guest(${RUN}, ${IMPORT})
      let collected = 0
      const registry = new FinalizationRegistry(() => collected++)
      const make = async () => { ${make}; registry.register(plugin) }
      for (let i = 0; i < 10; i++) await make()
      for (let i = 0; i < 200 && collected < 10; i++) { gc(); await new Promise(setImmediate) }
      console.log(collected)`, '10', { flags: ['--expose-gc'] }))
  }
})

describe('memory is flat', () => {
  test('over host functions that call their plugin later', () => flat(`
    const input = 'x'.repeat(10_000)
    const hear = new HostFunction('hear', [ValType.I64], [], () => { count++; setImmediate(() => plugin.call('run', input)) })
    const plugin = new Plugin(guest(${RUN}, ${IMPORT}), false, [hear])
    plugin.call('run', input)`))

  test('over host functions that call another plugin, which calls theirs', () => flat(`
    const input = 'x'.repeat(10_000)
    const plugins = []
    for (const i of [0, 1]) {
      const hear = new HostFunction('hear', [ValType.I64], [], () => { count++; plugins[1 - i].call('run', input) })
      plugins.push(new Plugin(guest(${RUN}, ${IMPORT}), false, [hear]))
    }
    plugins[0].call('run', input)`))

  test('over the host functions of one callSync', () => prints(`
    const resident = () => { gc(); return process.memoryUsage.rss() }
    let [count, before] = [0, 0]
    const hear = new HostFunction('hear', [ValType.I64], [], current => { if (++count === 1_000) before = resident() })
    const plugin = new Plugin(guest(\`(func (export "run") (local $i i32) (local $block i64)
      (local.set $block (call $alloc (i64.const 50000)))
      (loop $next
        (call $hear (local.get $block))
        (local.set $i (i32.add (local.get $i) (i32.const 1)))
        (br_if $next (i32.lt_u (local.get $i) (i32.const 5000)))))\`, ${IMPORT}), false, [hear])
    plugin.callSync('run')
    console.log(count, resident() - before < 64 << 20)`, '5000 true', { flags: ['--expose-gc'] }))
})

describe('the stack of the calling thread', () => {
  const DEEP = `
    const hear = new HostFunction('hear', [ValType.I64], [], () => {})
    const plugin = new Plugin(guest('(func $deep (param i32) (call $deep (i32.add (local.get 0) (i32.const 1)))) (func (export "run") (call $hear (call $input))) (func (export "recurse") (call $deep (i32.const 0)))', ${IMPORT}), false, [hear])
    const codes = new Set()
    let deepest = 0
    const measure = depth => { deepest = depth; measure(depth + 1) }
    try { measure(0) } catch {}
    const calls = left => {
      if (left > 0) return calls(left - 1)
      for (const name of ['run', 'recurse']) {
        try { plugin.callSync(name) } catch (error) { codes.add(error.code ?? error.name) }
      }
    }
    for (let depth = Math.floor(deepest * 0.8); depth < deepest; depth += 40) {
      try { calls(depth) } catch (error) { codes.add(error.name) }
    }
    const known = ['ERR_EXTISM_TRAP', 'ERR_EXTISM_HOST_FUNCTION', 'RangeError']
    console.log([...codes].every(code => known.includes(code)), String(plugin.callSync('run')) === '')`

  test('used up by JavaScript is an error of callSync', () => prints(DEEP, 'true true'))

  test('used up in a worker is one, too', () => prints(`
    const worker = new Worker(\`
      const { workerData } = require('node:worker_threads')
      Promise.all(workerData.map(url => import(url))).then(modules => {
        Object.assign(globalThis, ...modules)
        ${DEEP.replaceAll('`', '\\`').replaceAll('$', '\\$')}
      })\`, { eval: true, execArgv: [], workerData: ${JSON.stringify([new URL('../index.js', import.meta.url), new URL('helpers.js', import.meta.url)])} })
    await once(worker, 'exit')`, 'true true'))
})
