import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import net from 'node:net'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { after, before, describe, it } from 'node:test'
import { fileURLToPath } from 'node:url'
import autocannon from 'autocannon'

const SERVER = fileURLToPath(new URL('../server.js', import.meta.url))

const ANSWER = `👋 Hello Jane Doe
key: hello, value: 👋 Hello World 🌍
key: message, value: I 💜 Extism 😍`

const PLUGIN = `(module
  (import "extism:host/env" "input_offset" (func $input_offset (result i64)))
  (import "extism:host/env" "input_length" (func $input_length (result i64)))
  (import "extism:host/env" "output_set" (func $output_set (param i64 i64)))
  (import "extism:host/env" "error_set" (func $error_set (param i64)))
  (func (export "echo") (call $output_set (call $input_offset) (call $input_length)))
  (func (export "fail") (result i32) (call $error_set (call $input_offset)) (i32.const 3))
  (func (export "trap") unreachable)
  (func (export "spin") (loop $l (br $l))))`

/** Starts the server on a free port: its address, and what it logs. */
async function start (env = {}) {
  const child = spawn(process.execPath, [SERVER], {
    env: { ...process.env, PORT: '0', HOST: '127.0.0.1', ...env },
    stdio: ['ignore', 'pipe', 'pipe']
  })
  const logs = []
  let text = ''
  const waiting = []
  const read = chunk => {
    text += chunk
    const lines = text.split('\n')
    text = lines.pop()
    logs.push(...lines)
    for (const check of [...waiting]) check()
  }
  child.stdout.setEncoding('utf8').on('data', read)
  child.stderr.setEncoding('utf8').on('data', read)
  const exited = once(child, 'exit')

  /** Waits for a log line that matches. */
  function logged (pattern) {
    return new Promise((resolve, reject) => {
      const check = () => {
        const match = logs.map(line => pattern.exec(line)).find(Boolean)
        if (match) {
          waiting.splice(waiting.indexOf(check), 1)
          resolve(match)
        }
      }
      waiting.push(check)
      exited.then(() => reject(new Error(`the server exited; it logged ${logs.join('\n')}`)))
      check()
    })
  }

  const listening = logged(/Server listening at (http:[^"]+)/)
  listening.catch(() => {})
  return { child, exited, logged, logs, listening: async () => (await listening)[1] }
}

async function post (url, body, headers = { 'content-type': 'text/plain; charset=utf-8' }) {
  const response = await fetch(url, { method: 'POST', body, headers })
  return { status: response.status, body: Buffer.from(await response.arrayBuffer()) }
}

describe('the server', () => {
  let server, url

  before(async () => {
    server = await start()
    url = await server.listening()
  })

  after(() => server.child.kill())

  it('gives the answer to the byte', async () => {
    const response = await fetch(url, { method: 'POST', body: 'Jane Doe' })
    assert.equal(response.status, 200)
    assert.equal(response.headers.get('content-type'), 'text/plain; charset=utf-8')
    assert.equal(await response.text(), ANSWER)
  })

  it('passes any content type on as bytes', async () => {
    for (const type of ['text/plain', 'application/json', 'application/x-www-form-urlencoded', 'image/png', 'nonsense/x; y=z']) {
      const { status, body } = await post(url, 'Jane Doe', { 'content-type': type })
      assert.equal(status, 200, type)
      assert.equal(body.toString(), ANSWER, type)
    }
  })

  it('takes an empty body as an empty input', async () => {
    for (const body of [undefined, '']) {
      const { status, body: answer } = await post(url, body, {})
      assert.equal(status, 200)
      assert.ok(answer.toString().startsWith('👋 Hello \n'), answer.toString())
    }
  })

  it('answers 10,000 requests at concurrency 32 without an error', async () => {
    const result = await autocannon({ url, method: 'POST', body: 'Jane Doe', connections: 32, amount: 10_000, expectBody: ANSWER })
    const { '2xx': good, non2xx, errors, timeouts, mismatches } = result
    assert.deepEqual({ good, non2xx, errors, timeouts, mismatches }, { good: 10_000, non2xx: 0, errors: 0, timeouts: 0, mismatches: 0 })
  })
})

describe('the server with a plugin that fails', () => {
  let folder, wasm

  before(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'server-'))
    wasm = path.join(folder, 'plugin.json')
    const data = Buffer.from(PLUGIN).toString('base64')
    await writeFile(wasm, JSON.stringify({ wasm: [{ data }], timeout_ms: 300 }))
  })

  after(() => rm(folder, { recursive: true }))

  async function serving (name, f) {
    const server = await start({ WASM_FILE: wasm, FUNCTION: name })
    try {
      return await f(await server.listening(), server)
    } finally {
      server.child.kill()
    }
  }

  it('changes no byte of input and output', async () => {
    const bytes = Buffer.from(Array.from({ length: 256 }, (_, i) => i))
    const { body } = await serving('echo', url => post(url, bytes, {}))
    assert.deepEqual(body, bytes)
  })

  for (const [name, status, code, message] of [
    ['fail', 500, 'ERR_EXTISM_GUEST', /^Plugin error: reason .*, code: 3$/],
    ['trap', 500, 'ERR_EXTISM_TRAP', /unreachable/],
    ['spin', 504, 'ERR_EXTISM_TIMEOUT', /300 ms/]
  ]) {
    it(`answers ${status} with ${code} when the function is ${name}`, async () => {
      const { status: actual, body } = await serving(name, url => post(url, 'reason'))
      assert.equal(actual, status)
      const error = JSON.parse(body)
      assert.equal(error.code, code)
      assert.match(error.message, message)
    })
  }

  it('does not start when the function is missing, and says so', async () => {
    await assert.rejects(serving('missing', () => {}), /has no function "missing" that can be called/)
  })

  it('answers others while a plugin spins', async () => {
    await serving('spin', async (url, server) => {
      const spinning = post(url, 'x')
      await server.logged(/incoming request/)
      let answered = 0
      while (await Promise.race([spinning.then(() => false), fetch(`${url}/elsewhere`).then(response => response.status === 404)])) answered++
      assert.equal((await spinning).status, 504)
      assert.ok(answered > 10, `only ${answered} requests were answered meanwhile`)
    })
  })

  it('refuses a body that is too large with a JSON error', async () => {
    const { status, body } = await serving('echo', url => post(url, Buffer.alloc(2 << 20)))
    assert.equal(status, 413)
    assert.equal(JSON.parse(body).code, 'FST_ERR_CTP_BODY_TOO_LARGE')
  })
})

describe('the server, stopped', () => {
  for (const signal of ['SIGINT', 'SIGTERM']) {
    it(`finishes the requests in flight on ${signal} and exits 0`, async () => {
      const server = await start()
      const { hostname, port } = new URL(await server.listening())
      const socket = net.connect(Number(port), hostname)
      socket.setEncoding('utf8')
      let answer = ''
      socket.on('data', chunk => { answer += chunk })
      socket.write('POST / HTTP/1.1\r\nHost: x\r\nContent-Type: text/plain\r\nContent-Length: 8\r\n\r\nJane')
      await server.logged(/incoming request/)
      server.child.kill(signal)
      await refused(Number(port), hostname)
      socket.write(' Doe')
      await once(socket, 'close')
      assert.match(answer, /^HTTP\/1\.1 200 OK/)
      assert.ok(answer.endsWith(ANSWER), answer)
      assert.deepEqual(await server.exited, [0, null])
    })
  }

  it('says what is wrong when the port is taken, and exits 1', async () => {
    const taken = net.createServer().listen(0, '127.0.0.1')
    await once(taken, 'listening')
    const server = await start({ PORT: String(taken.address().port) })
    assert.deepEqual(await server.exited, [1, null])
    assert.ok(server.logs.some(line => line.includes('EADDRINUSE')), server.logs.join('\n'))
    taken.close()
  })

  it('says what is wrong when the plugin is missing, and exits 1', async () => {
    const server = await start({ WASM_FILE: 'nowhere.wasm' })
    assert.deepEqual(await server.exited, [1, null])
    assert.ok(server.logs.some(line => line.includes('nowhere.wasm')), server.logs.join('\n'))
  })
})

/** Resolves when nobody listens there any longer. */
async function refused (port, host) {
  for (;;) {
    const socket = net.connect(port, host)
    const [event] = await Promise.race([
      once(socket, 'connect').then(() => ['connect']),
      once(socket, 'error').then(() => ['error'])
    ]).catch(() => ['error'])
    socket.destroy()
    if (event === 'error') return
  }
}
