import { execFileSync } from 'node:child_process'
import { describe, test } from 'node:test'
import { guest, prints } from '../helpers.js'
import { directory } from '../modern/making.js'

/**
 * A plugin whose `run` does `forever` unless `go` gives 0, and so does its start code, if `start`
 * makes it some. `wait`, `sleep` and `spin` are what its neighbours do meanwhile.
 */
const code = (forever, start) => guest(`
  (table 1 funcref)
  (func $sleep (param $nanoseconds i64)
    (i64.store (i32.const 1024) (local.get $nanoseconds))
    (drop (call $poll (i32.const 1000) (i32.const 1064) (i32.const 1) (i32.const 1128))))
  (func $forever (local $block i64) (local $i i64) ${forever})
  (func $begin (if (call $go) (then (call $forever))))
  ${start}
  (func (export "run") (call $begin))
  (func (export "serve") (call $give (call $input)))
  (func (export "trap") unreachable)
  (func (export "wait") (drop (call $go)) (call $give (call $input)))
  (func (export "sleep")
    (loop $again (call $sleep (i64.const 1000000)) (br_if $again (call $go)))
    (call $give (call $input)))
  (func (export "spin") (drop (call $go)) (loop $again (br $again)))`, {
  user: `
    (import USER "go" (func $go (result i32)))
    (import "extism:host/env" "http_request" (func $request (param i64 i64) (result i64)))
    (import "wasi_snapshot_preview1" "fd_write" (func $print (param i32 i32 i32 i32) (result i32)))
    (import "wasi_snapshot_preview1" "poll_oneoff" (func $poll (param i32 i32 i32 i32) (result i32)))`
})

/** Both APIs: how a plugin is made whose `go` is this function, and how it is called. */
const FACES = `
  const [allowedHosts, maxLogBytes, maxVarBytes] = [['127.0.0.1'], 1_000_000, 1_000_000]
  const FACES = [{
    make (go, timeoutMs) {
      const f = async (current, inputs, [output]) => { output.v.i32 = await go() }
      const manifest = { wasm: [{ data }], timeoutMs, allowedHosts, memory: { maxPages: 200, maxVarBytes } }
      return Plugin.create(manifest, true, [new HostFunction('go', [], [ValType.I32], f)], null, null, { maxLogBytes })
    },
    call: async (plugin, name, input, options) => String(await plugin.call(name, input, options)),
    cancel: plugin => plugin.cancelHandle().cancel()
  }, {
    make (go, timeoutMs) {
      const logging = { logger: { info () {} }, logLevel: 'info', maxLogBytes }
      const limits = { timeoutMs, allowedHosts, memory: { maxTotalPages: 200, maxVarBytes } }
      return createPlugin(data, { useWasi: true, functions: { 'extism:host/user': { go } }, ...limits, ...logging })
    },
    call: async (plugin, name, input, options) => (await plugin.call(name, input, null, options))?.text()
  }]
  const outcome = calling => calling.catch(({ code }) => code)`

/**
 * Makes neighbours of the same code: one that is idle and was never called, and others that are
 * in the middle of a call. Gives what has all of them serve to the end.
 */
const NEIGHBOURS = `
  async function busy (name, { make, call }) {
    const [started, start] = signal()
    const [released, release] = signal()
    const controller = new AbortController()
    const answers = { wait: () => released, sleep: () => Number(!controller.signal.aborted), spin: () => 0 }
    const options = name === 'spin' ? { signal: controller.signal } : {}
    let go = () => 0
    const plugin = await make(() => go(), 0)
    assert.equal(await call(plugin, 'serve', 'first'), 'first')
    go = () => {
      start()
      return answers[name]()
    }
    let ended = false
    const calling = outcome(call(plugin, name, name, options)).finally(() => { ended = true })
    await started
    return async () => {
      assert.equal(ended, false, name)
      controller.abort()
      release(0)
      assert.equal(await calling, name === 'spin' ? 'ABORT_ERR' : name)
      assert.equal(await call(plugin, 'serve', 'next'), 'next')
    }
  }

  async function neighbours (face) {
    const idle = await face.make(() => 0)
    const ends = await Promise.all(['wait', 'sleep', 'spin'].map(name => busy(name, face)))
    return async () => {
      assert.equal(await face.call(idle, 'serve', 'first'), 'first')
      for (const end of ends) await end()
    }
  }`

/** Ends what never ends in each of these ways, in either API, and prints what came of it. */
const ENDING = `
  // What the plugin prints is nothing to be read.
  process.stderr.write = () => true
  let reach = () => {}
  const server = createServer(() => reach()).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const input = JSON.stringify({ url: 'http://127.0.0.1:' + server.address().port })

  for (const face of FACES) {
    const { make, call, cancel } = face
    const end = await neighbours(face)
    let endless = isStart
    const go = () => {
      if (!isRequest) reach()
      return endless ? answer() : 0
    }
    if (isStart) console.log('made', await outcome(make(go, 50).then(plugin => call(plugin, 'serve'))))
    endless = false
    const plugin = await make(go)
    for (const way of ways) {
      if (way === 'cancel' && !cancel) continue
      const controller = new AbortController()
      const [options, stop] = {
        limit: [{}, () => {}],
        timeout: [{ timeoutMs: 50 }, () => {}],
        signal: [{ signal: controller.signal }, () => controller.abort()],
        cancel: [{}, () => assert.equal(cancel(plugin), true)]
      }[way]
      // The next call finds a fresh instance, and runs start code again.
      assert.equal(await outcome(call(plugin, 'trap')), 'ERR_EXTISM_TRAP')
      endless = true
      const [reached, arrive] = signal()
      reach = arrive
      // By then the guest has gone on from there.
      reached.then(() => setImmediate(stop))
      console.log(way, await outcome(call(plugin, isStart ? 'serve' : 'run', input, options)))
      endless = false
      assert.equal(await call(plugin, 'serve', 'next'), 'next')
    }
    await end()
  }
  // fetch connects anew where a request was given up.
  server.closeAllConnections()
  server.close()`

const CODES = {
  made: 'ERR_EXTISM_TIMEOUT',
  timeout: 'ERR_EXTISM_TIMEOUT',
  signal: 'ABORT_ERR',
  cancel: 'ERR_EXTISM_CANCELLED',
  limit: 'ERR_EXTISM_OUT_OF_MEMORY'
}

/**
 * Asserts that what never ends is ended in each of these ways, in a process of its own. `answer`
 * is what it gets from JavaScript first.
 */
function ends (t, forever, { start = '', answer = '1', ways = ['timeout', 'timeout', 'timeout', 'signal', 'cancel'] } = {}) {
  const isStart = start !== ''
  const given = {
    ways, isStart, isRequest: forever.includes('$request'),
    text: String(code(forever, start)), logFile: `${directory(t)}/log`
  }
  const lines = [...isStart ? ['made'] : [], ...ways].map(way => `${way} ${CODES[way]}`)
  return prints(`
    const { createServer } = await import('node:http')
    const { ways, isStart, isRequest, text, logFile } = ${JSON.stringify(given)}
    const answer = () => ${answer}
    const data = wat(text)
    setLogFile(logFile)
    ${FACES}
    ${NEIGHBOURS}
    ${ENDING}`, [...lines, ...lines.filter(line => !line.startsWith('cancel'))], { env: { EXTISM_ENABLE_WASI_OUTPUT: '1' } })
}

const again = body => `(loop $again ${body} (br $again))`
const block = length => `(local.tee $block (call $alloc (i64.const ${length})))`

const LOOP = again('')
const HOUR = '(call $sleep (i64.const 3600000000000))'

describe('a stop ends nothing but a call', { concurrency: 2 }, () => {
  const CALLS = {
    'that loops for ever': LOOP,
    'that sleeps for an hour in WASI': HOUR,
    'that waits for a server that never answers': '(drop (call $request (call $input) (i64.const 0)))',
    'that logs for ever': again('(call $log_info (call $alloc (i64.const 100)))'),
    'that prints for ever': `
      (i32.store (i32.const 12) (i32.const 4096))
      ${again('(drop (call $print (i32.const 2) (i32.const 8) (i32.const 1) (i32.const 16)))')}`,
    'that calls JavaScript for ever': again('(drop (call $go))'),
    'that grows a table for ever': again('(drop (table.grow (ref.null func) (i32.const 1000)))'),
    'that sets one variable after another for ever': again(`
      (call $store_u64 ${block(8)} (local.tee $i (i64.add (local.get $i) (i64.const 1))))
      (call $var_set (local.get $block) (call $alloc (i64.const 65536)))`),
    'that gives outputs for ever, and takes each back': again(`(call $give ${block(65_536)}) (call $free (local.get $block))`)
  }
  for (const [name, forever] of Object.entries(CALLS)) test(name, t => ends(t, forever))

  test('that waits for a promise that never settles', t => ends(t, LOOP, { answer: 'new Promise(() => {})' }))
})

test('a limit ends nothing but a call that gives outputs for ever, and keeps them', t => ends(t, again(`(call $give ${block(65_536)})`), { ways: ['limit', 'limit', 'limit'] }))

describe('a stop ends nothing but start code', { concurrency: 2 }, () => {
  const FORMS = {
    'a start section': '(start $begin)',
    _initialize: '(export "_initialize" (func $begin))',
    __wasm_call_ctors: '(export "__wasm_call_ctors" (func $begin))',
    hs_init: '(func (export "hs_init") (param i32 i32) (call $begin))'
  }
  for (const [name, start] of Object.entries(FORMS)) {
    test(`in ${name} that loops for ever`, t => ends(t, LOOP, { start }))
  }

  test('in a start section that sleeps for an hour in WASI', t => ends(t, HOUR, { start: FORMS['a start section'] }))

  test('in a start section that waits for a promise that never settles', t => ends(t, LOOP, { start: FORMS['a start section'], answer: 'new Promise(() => {})' }))
})

test('a stop ends nothing but a call that logs for ever, into a file that takes no more', t => {
  const place = directory(t)
  execFileSync('mkfifo', [`${place}/pipe`])
  return prints(`
    const { openSync } = await import('node:fs')
    const data = guest(\`
      (func (export "flood") ${again('(call $log_info (call $alloc (i64.const 1000)))')})
      (func (export "whisper") (call $log_debug (call $input)) (call $give (call $input)))
      (func (export "log") (call $log_info (call $input)) (call $give (call $input)))\`)
    // There is a reader, who does not read.
    openSync('${place}/pipe', 'r+')
    setLogFile('${place}/pipe')
    const [plugin, neighbour] = await Promise.all([1, 2].map(() => Plugin.create({ wasm: [{ data }] })))
    console.log(await plugin.call('flood', '', { timeoutMs: 100 }).catch(error => error.code))
    // Before what would hold up the event loop.
    assert.equal(await neighbour.call('whisper', 'below the level').then(String, error => error.code), 'below the level')
    setLogFile('${place}/log')
    for (const each of [plugin, neighbour]) console.log(String(await each.call('log', 'elsewhere')))`,
  ['ERR_EXTISM_TIMEOUT', 'elsewhere', 'elsewhere'])
})
