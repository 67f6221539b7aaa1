import { describe, test } from 'node:test'
import { prints } from './helpers.js'

/**
 * Runs attacks in a process of their own. Each is the text of a function that makes a plugin,
 * of either era, whose `run` is called. The error that comes of it must have the code `expected`,
 * or there must be none; the plugin and its neighbour must serve the next calls, and the process
 * must end by itself with 0.
 */
function survives (attacks, expected = 'no error') {
  return prints(`
    const neighbour = new Plugin(pluginBytes('modern.wat'))
    const input = 'the input'
    const manifest = data => ({ wasm: [{ data }], timeout_ms: 5_000, memory: { max_pages: 1_000 } })
    const hostFunctions = Object.entries({
      see: (current, inputs, outputs) => { outputs[0].v.i64 = current.inputBytes(inputs[0]).length },
      edit: (current, inputs) => {
        current.memory(inputs[0].v.i64).fill(0x78)
        current.memoryFree(inputs[0].v.i64)
      }
    }).map(([name, body]) => new HostFunction(name, [ValType.I64], [ValType.I64], body))
    hostFunctions.push(memoryGet('get', new Store()))
    const imports = hostFunctions.map(({ name }) => '(import USER "' + name + '" (func $' + name + ' (param i64) (result i64)))').join('')
    const hostile = (body, era) => {
      const http = '(import "' + ERAS[era].env + '" "' + ERAS[era].prefix + 'http_request" (func $http (param i64 i64) (result i64)))'
      const data = guest('(func (export "echo") (call $give (call $input)))' + body, { era, user: imports + http })
      return new Plugin(manifest(data), false, hostFunctions)
    }
    for (const attack of [${attacks}]) for (const era of Object.keys(ERAS)) {
      const plugin = attack(era)
      let error
      for (let i = 0; i < 3; i++) await plugin.call('run', input).catch(thrown => { error = thrown })
      assert.ok(error === undefined || error instanceof ExtismError, String(error))
      console.log(error?.code ?? 'no error')
      assert.equal((await plugin.call('echo', input)).toString(), input)
      assert.equal((await neighbour.call('echo', input)).toString(), input)
      plugin.free()
    }`, [attacks].flat().flatMap(() => [expected, expected]))
}

/** A plugin whose `run` does this, with the block $p of 8 bytes at hand. */
function running (body) {
  return `era => hostile(\`(func (export "run") (local $p i64) (local $q i64)
    (local.set $p (call $alloc (i64.const 8))) (local.set $q (call $alloc (i64.const 8))) ${body})\`, era)`
}

describe('a forged block header', () => {
  const FORGED = `
    (call $store_u64 (i64.sub (local.get $p) (i64.const 8)) (i64.const 0x7fffffff7fffffff))`
  const USES = {
    error_set: '(call $error_set (local.get $p))',
    output_set: '(call $output_set (local.get $p) (i64.const 0x7fffffff))',
    config_get: '(drop (call $config_get (local.get $p)))',
    var_get: '(drop (call $var_get (local.get $p)))',
    var_set: '(call $var_set (local.get $p) (local.get $p))',
    log: '(call $log_error (local.get $p))',
    'a host function': '(drop (call $see (local.get $p)))',
    memoryGet: '(drop (call $get (local.get $p)))',
    'a request': '(drop (call $http (local.get $p) (i64.const 0)))',
    'the body of a request': '(drop (call $http (local.get $q) (local.get $p)))'
  }
  for (const [name, use] of Object.entries(USES)) {
    test(`never reaches ${name}`, () => survives(running(FORGED + use), 'ERR_EXTISM_MEMORY'))
  }

  test('cannot be written byte by byte, before a block or behind it', () => {
    const places = ['(i64.sub (local.get $q) (i64.const 1))', '(i64.sub (local.get $p) (i64.const 12))', '(i64.add (local.get $p) (i64.const 8))']
    return survives(places.map(place => running(`(call $store_u8 ${place} (i32.const 255)) (call $error_set (local.get $q))`)), 'ERR_EXTISM_MEMORY')
  })

  test('inside a block is no block', async () => {
    const fake = `
      (local.set $p (call $alloc (i64.const 100)))
      (call $store_u8 (local.get $p) (i32.const 1))
      (call $store_u64 (i64.add (local.get $p) (i64.const 4)) (i64.const 0x7fffffff7fffffff))
      (local.set $q (i64.add (local.get $p) (i64.const 12)))`
    await survives([
      running(fake + '(call $error_set (local.get $q))'),
      running(fake + '(call $output_set (local.get $q) (i64.const 0x7fffffff))')
    ], 'ERR_EXTISM_MEMORY')
    await survives([
      running(fake + '(drop (call $see (local.get $q))) (drop (call $edit (local.get $q))) (call $log_info (local.get $q))'),
      running(fake + '(call $free (local.get $q)) (drop (call $alloc (i64.const 5000))) (call $output_set (local.get $p) (i64.const 100))')
    ])
  })

  test('cannot be left behind in a freed block', () => survives(running(`
    (call $free (local.get $q))
    (call $store_u64 (local.get $q) (i64.const -1))`), 'ERR_EXTISM_MEMORY'))
})

describe('an output', () => {
  const OUTPUTS = {
    'of -1 bytes': '(local.get $p) (i64.const -1)',
    'of 2^32 bytes': '(local.get $p) (i64.const 0x100000000)',
    'of one byte too many': '(local.get $p) (i64.const 9)',
    'that ends behind its block': '(i64.add (local.get $p) (i64.const 1)) (i64.const 8)',
    'that begins before its block': '(i64.sub (local.get $p) (i64.const 1)) (i64.const 4)',
    'at 0': '(i64.const 0) (i64.const 5)',
    'at -1': '(i64.const -1) (i64.const 1)',
    'that wraps around': '(i64.const -4) (i64.const 100)',
    'beyond all memory': '(i64.const 0x10000000000) (i64.const 1)'
  }
  for (const [name, output] of Object.entries(OUTPUTS)) {
    test(`${name} fails the call`, () => survives(running(`(call $output_set ${output})`), 'ERR_EXTISM_MEMORY'))
  }

  test('in a block that is freed after it is set is refused or given, as the block is', () =>
    survives(running('(call $output_set (local.get $p) (i64.const 8)) (call $free (local.get $p))')))
})

describe('a store', () => {
  const PLACES = {
    'at 0': '(i64.const 0)',
    'at -1': '(i64.const -1)',
    'before a block': '(i64.sub (local.get $p) (i64.const 1))',
    'behind a block': '(i64.add (local.get $q) (i64.const 8))',
    'beyond all memory': '(i64.const 0x10000000000)',
    'at an address that is a block in its low half': '(i64.or (local.get $p) (i64.const 0x100000000))'
  }
  for (const [name, place] of Object.entries(PLACES)) {
    test(`${name} fails the call`, () => survives([
      running(`(call $store_u8 ${place} (i32.const 1))`),
      running(`(call $store_u64 ${place} (i64.const 1))`)
    ], 'ERR_EXTISM_MEMORY'))
  }

  test('of eight bytes across the end of a block fails the call', () => survives([
    running('(call $store_u64 (i64.add (local.get $q) (i64.const 1)) (i64.const 1))'),
    running('(call $store_u64 (i64.sub (local.get $q) (i64.const 7)) (i64.const 1))'),
    running('(call $store_u64 (call $alloc (i64.const 7)) (i64.const 1))')
  ], 'ERR_EXTISM_MEMORY'))

  test('into any block of the plugin\'s own is allowed, and reaches no other', () => survives(running(`
    (call $store_u64 (local.get $q) (i64.const 1))
    (call $store_u64 (i64.sub (local.get $q) (i64.sub (local.get $q) (local.get $p))) (i64.const 2))
    (if (i64.ne (call $load_u64 (local.get $p)) (i64.const 2)) (then unreachable))
    (if (i64.ne (call $load_u64 (local.get $q)) (i64.const 1)) (then unreachable))`)))

  test('into a block is allowed up to its last byte', () => survives(running(`
    (call $store_u8 (i64.add (local.get $p) (i64.const 7)) (i32.const 1))
    (call $store_u64 (local.get $q) (i64.const 1))`)))
})

describe('handles that are none', () => {
  const handles = ['(i64.const 1)', '(i64.const -1)', '(i64.const 64)', '(i64.add (local.get $p) (i64.const 1))', '(i64.sub (local.get $p) (i64.const 12))', '(i64.const 0x10000000000)', '(i64.const 0xffffffff)']

  test('can be freed, which does nothing', () => survives(handles.map(handle =>
    running(`(call $free ${handle}) (call $store_u64 (local.get $p) (i64.const 1)) (call $output_set (local.get $p) (i64.const 8))`))))

  test('are no errors', () => survives(handles.map(handle => running(`(call $error_set ${handle})`)), 'ERR_EXTISM_MEMORY'))

  test('are no messages, and no bytes for host functions', async () => {
    const calls = handles.filter(handle => !handle.includes('-1'))
      .map(handle => `(call $log_error ${handle}) (drop (call $see ${handle})) (drop (call $edit ${handle}))`)
    await survives(running('(call $log_error (i64.const -1))' + calls.join('')))
    await survives(running('(drop (call $see (i64.const -1)))'), 'ERR_EXTISM_HOST_FUNCTION')
  })

  test('are no keys', async () => {
    await survives([
      running('(drop (call $config_get (i64.const -1)))'),
      running('(drop (call $var_get (i64.const -1)))'),
      running('(call $var_set (i64.const 1) (i64.const -1))')
    ], 'ERR_EXTISM_MEMORY')
    await survives(running('(drop (call $get (i64.const -1)))'), 'ERR_EXTISM_HOST_FUNCTION')
  })

  test('are no requests', () => survives(handles.flatMap(handle => [
    running(`(drop (call $http ${handle} (i64.const 0)))`),
    running(`(drop (call $http (local.get $p) ${handle}))`)
  ]), 'ERR_EXTISM_HOST_FUNCTION'))

  test('freed twice are freed once', () => survives(running(`
    (call $free (local.get $p)) (call $free (local.get $p))
    (local.set $p (call $alloc (i64.const 8))) (call $output_set (local.get $p) (i64.const 8))`)))
})
