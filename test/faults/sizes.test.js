import { describe, test } from 'node:test'
import { prints } from '../helpers.js'

const MIB = 1 << 20

/**
 * Runs a script in a process of its own that has a neighbour, which serves in the end.
 * `ends(manifest, …)` makes a plugin in each API, and calls it: the code it ends with, once.
 */
function survives (script, lines) {
  return prints(`
    const neighbour = new Plugin(pluginBytes('modern.wat'))
    const SERVE = '(func (export "serve") (call $give (call $input)))'
    const text = data => ({ wasm: [{ data: wat(data) }] })
    const running = (body, rest = '') => text('(module (func (export "run") ' + body + ') ' + rest + ')')
    const makers = (manifest, functions = {}) => [
      () => createPlugin(manifest, { cache: false, functions: { 'extism:host/user': functions } }),
      async () => new Plugin(manifest, false, Object.entries(functions).map(([name, f]) => new HostFunction(name, [], [], f)), undefined, null, { cache: false })
    ]
    const codeOf = async f => {
      try {
        await f()
      } catch (error) {
        assert.ok(error.message.length > 10, error)
        return error.code
      }
      return 'no error'
    }
    const ends = async (manifest, { name = 'run', input = '', functions } = {}) => {
      const codes = new Set()
      for (const make of makers(manifest, functions)) {
        codes.add(await codeOf(async () => {
          const plugin = await make()
          try { await plugin.call(name, input) } finally { await plugin.close() }
        }))
      }
      return [...codes].join()
    }
    ${script}
    console.log(String(await neighbour.call('echo', 'served')))`, [...lines, 'served'])
}

test('a chain of as many modules as there may be works, in any order, and one more is refused', () => survives(`
  const link = i => ({ name: 'm' + i, data: wat(i === 0 ? '(module (func (export "run")))' : '(module (import "m' + (i - 1) + '" "run" (func $f)) (func (export "run") (call $f)))') })
  const chain = length => [...Array.from({ length: length - 1 }, (_, i) => link(i)), { ...link(length - 1), name: 'main' }]
  console.log(await ends({ wasm: chain(500) }))
  console.log(await ends({ wasm: chain(500).reverse() }))
  console.log(await ends({ wasm: chain(501) }))`, ['no error', 'no error', 'ERR_EXTISM_LINK']))

describe('a text that is nested 300,000 deep', () => {
  const TEXTS = {
    'of blocks runs': ["'(block '.repeat(N) + ')'.repeat(N)", 'no error'],
    'of operands runs': ["'(drop ' + '(i32.add (i32.const 1) '.repeat(N) + '(i32.const 1)' + ')'.repeat(N) + ')'", 'no error'],
    'of comments and annotations runs': ["'(;'.repeat(N) + ';)'.repeat(N) + '(@a '.repeat(N) + ')'.repeat(N)", 'no error'],
    'that does not end is refused': ["'(block '.repeat(N) + '(if (i32.const 0) (then '.repeat(N)", 'ERR_EXTISM_MODULE'],
    'of comments that do not end is refused': ["'(;'.repeat(N)", 'ERR_EXTISM_MODULE'],
    'of modules, types and nothing at all is refused': ["') ' + '(module '.repeat(N) + '(rec '.repeat(N) + '('.repeat(N) + ')'.repeat(3 * N - 1)", 'ERR_EXTISM_MODULE']
  }
  for (const [what, [body, code]] of Object.entries(TEXTS)) {
    test(what, () => survives(`
      const N = 300_000
      console.log(await ends(running(${body})))`, [code]))
  }

  test('of JSON is refused', () => survives(`
    for (const json of ['{"wasm":' + '['.repeat(300_000) + ']'.repeat(300_000) + '}', '{"wasm":'.repeat(300_000)]) {
      for (const make of [() => createPlugin(json), async () => new Plugin(json)]) console.log(await codeOf(make))
    }`, Array(4).fill('ERR_EXTISM_MANIFEST')))
})

describe('a module that takes long to compile', () => {
  const LOOPS = "const loops = (depth, i) => running('(drop (i32.const ' + i + '))' + 'loop '.repeat(depth) + 'end '.repeat(depth))"

  test('keeps nobody from calling, and the process from nothing', () => prints(`
    const { default: path } = await import('node:path')
    const neighbour = new Plugin(pluginBytes('modern.wat'))
    await neighbour.call('echo', 'first')
    const depth = 300_000
    const data = wat('(module (func (export "run") ' + 'loop '.repeat(depth) + 'end '.repeat(depth) + '))')
    let ended = false
    for (const made of [createPlugin({ wasm: [{ data }] }, { cache: false }), new Plugin(data, false, [], undefined, null, { cache: false }).call('run')]) made.finally(() => { ended = true })
    for (let i = 0; i < 1_000; i++) assert.equal(String(await neighbour.call('echo', String(i))), String(i))
    console.log(ended)
    process.exit()`, 'false'))

  test('keeps nobody else from compiling', () => survives(`
    ${LOOPS}
    const { availableParallelism, cpus } = await import('node:os')
    const count = availableParallelism?.() ?? cpus().length
    const slow = Array.from({ length: count }, async (_, i) => { await createPlugin(loops(10_000, i), { cache: false }); return 'the slow one' })
    console.log(await Promise.race([...slow, ends(running('nop'))]))
    console.log(String(await neighbour.call('echo', 'served')))
    process.exit()`, ['no error']))
})

describe('a module with many', () => {
  const MANY = {
    exports: ["text('(module (func $f) ' + many(i => '(export \"e' + i + '\" (func $f))') + ')'), { name: 'e4999' }", 'no error'],
    locals: ["running('(local' + ' i64'.repeat(5_000) + ')' + many(i => '(local.set ' + i + ' (i64.const ' + i + '))'))", 'no error'],
    'functions, each of which calls the one before': ["running('(call $f4999)', '(func $f0)' + many(i => '(func $f' + (i + 1) + ' (call $f' + i + '))'))", 'no error'],
    'imports of one host function': ["text('(module ' + many(i => '(import \"extism:host/user\" \"f\" (func $f' + i + '))') + '(func (export \"run\") (call $f4999)))'), { functions: { f () {} } }", 'no error'],
    'types, globals and data': ["running('nop', '(memory 1)' + many(i => '(type (func (param' + ' i32'.repeat(i % 50) + '))) (global i32 (i32.const ' + i + ')) (data (i32.const ' + i + ') \"x\")'))", 'no error'],
    'targets of a branch': ["running('(block (br_table' + ' 0'.repeat(5_000) + ' (i32.const 5)))')", 'no error'],
    'more targets than the compiler knows': ["running('(block (br_table' + ' 0'.repeat(100_000) + ' (i32.const 5)))')", 'ERR_EXTISM_INSTANCE'],
    'more locals than there may be': ["running('(local' + ' i64'.repeat(50_001) + ')')", 'ERR_EXTISM_MODULE'],
    parameters: ["running('nop', '(func (param' + ' i32'.repeat(5_000) + '))')", 'ERR_EXTISM_MODULE'],
    tables: ["running('nop', many(() => '(table 1 funcref)'))", 'ERR_EXTISM_MODULE'],
    memories: ["running('nop', many(() => '(memory 0)'))", 'ERR_EXTISM_MODULE']
  }
  for (const [what, [manifest, code]] of Object.entries(MANY)) {
    test(`${what} ${code === 'no error' ? 'runs' : 'is refused'}`, () => survives(`
      const many = f => Array.from({ length: 5_000 }, (_, i) => f(i)).join('\\n')
      console.log(await ends(${manifest}))`, [code]))
  }
})

describe('a name of 1 MiB', () => {
  const NAMES = {
    'of an export, an import or a namespace is refused': [`
      running('nop', '(func (export "' + LONG + '"))'),
      text('(module (import "extism:host/user" "' + LONG + '" (func)) (func (export "run")))'),
      text('(module (import "' + LONG + '" "f" (func)) (func (export "run")))')`, Array(3).fill('ERR_EXTISM_MODULE')],
    'within a text is none of the module': ["text('(module $' + LONG + ' (func $' + LONG + ' (export \"run\")))')", ['no error']],
    'of another module is one that nobody can import': ["{ wasm: [{ name: LONG, data: wat('(module)') }, { data: wat('(module (func (export \"run\")))') }] }", ['no error']]
  }
  for (const [what, [manifests, codes]] of Object.entries(NAMES)) {
    test(what, () => survives(`
      const LONG = 'x'.repeat(${MIB})
      for (const manifest of [${manifests}]) console.log(await ends(manifest))`, codes))
  }

  test('of a host function, a configuration, a variable or an entry of a store is one as any', () => survives(`
    const LONG = 'x'.repeat(${MIB})
    const body = '(func (export "run") (call $var_set (call $input) (call $input)) (call $give (call $get (call $config_get (call $var_get (call $input))))))'
    const data = guest(body, { user: '(import USER "get" (func $get (param i64) (result i64)))' })
    const get = memoryGet('get', new Store([[LONG, 'found']]))
    const config = { [LONG]: LONG }
    for (const plugin of [
      await createPlugin(data, { config, functions: { 'extism:host/user': { get, [LONG]: () => {} } } }),
      new Plugin({ wasm: [{ data }], memory: { max_var_bytes: ${2 * MIB} } }, false, [get, new HostFunction(LONG, [], [], () => {})], config)
    ]) {
      const output = await plugin.call('run', LONG)
      console.log(asText(output))
      console.log(await codeOf(() => plugin.call(LONG)))
    }`, ['found', 'ERR_EXTISM_FUNCTION_NOT_FOUND', 'found', 'ERR_EXTISM_FUNCTION_NOT_FOUND']))
})

describe('a guest that hoards', () => {
  const hoards = (body, end) => survives(`
    const data = guest(SERVE + \`${body}\`)
    for (const plugin of [await createPlugin(data, { memory: { maxTotalPages: 1_000 } }), new Plugin({ wasm: [{ data }], memory: { max_pages: 1_000 } })]) {
      for (let i = 0; i < 2; i++) {
        console.log(await plugin.call('run').then(() => 'no error', ({ code, message }) => code + ' ' + message.match(/for names|reached its memory limit/)))
        const output = await plugin.call('serve', 'next')
        assert.equal(asText(output), 'next')
      }
      await plugin.close()
    }`, Array(4).fill(end))

  for (const size of [1, 100_000, 2_000_000_000]) {
    test(`objects of ${size} bytes that are never garbage gets no more of them`, () => hoards(`
      (rec (type $list (struct (field (ref null $list)) (field (ref $bytes)))) (type $bytes (array (mut i8))))
      (global $all (mut (ref null $list)) (ref.null $list))
      (func (export "run") (loop $again
        (global.set $all (struct.new $list (global.get $all) (array.new $bytes (i32.const 7) (i32.const ${size}))))
        (br $again)))`, 'ERR_EXTISM_OUT_OF_MEMORY reached its memory limit'))
  }

  test('objects that are garbage gets all of them', () => hoards(`
    (type $bytes (array (mut i8)))
    (func (export "run") (local $i i32) (loop $again
      (drop (array.new $bytes (i32.const 7) (i32.const 10000)))
      (br_if $again (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 1))) (i32.const 100000)))))`, 'no error'))

  test('names of variables gets no more of them', () => hoards(`
    (func (export "run") (local $i i64) (local $name i64) (loop $again
      (local.set $name (call $alloc (i64.const 8)))
      (call $store_u64 (local.get $name) (local.get $i))
      (call $var_set (local.get $name) (call $alloc (i64.const 1)))
      (br_if $again (i64.lt_u (local.tee $i (i64.add (local.get $i) (i64.const 1))) (i64.const 125000)))))`, 'ERR_EXTISM_GUEST for names'))
})
