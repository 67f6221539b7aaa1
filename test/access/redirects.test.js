import { describe, test } from 'node:test'
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { serving } from '../modern/making.js'
import { asText } from '../helpers.js'
import { APIS, get } from './requesting.js'

/** A server that redirects `/to/<status>/<url>` there, and else tells what was asked of it. */
async function redirecting (t) {
  const seen = []
  const base = await serving(t, async (request, response) => {
    const body = Buffer.concat(await request.toArray()).toString()
    const [, status, location] = /^\/to\/(\d+)\/(.*)$/.exec(request.url) ?? []
    if (status !== undefined) return response.writeHead(Number(status), { location: decodeURIComponent(location) }).end('moved')
    const { authorization = '-', cookie = '-', 'proxy-authorization': proxy = '-', 'x-own': own = '-', 'content-type': type = '-' } = request.headers
    seen.push(request.url)
    response.end(JSON.stringify({ method: request.method, body: body !== '', authorization, cookie, proxy, own, type }))
  })
  return { base, seen, to: (url, status = 302) => `${base}/to/${status}/${encodeURIComponent(url)}` }
}

const STATUSES = [301, 302, 303, 307, 308]

for (const [api, made] of Object.entries(APIS)) {
  describe(`a redirect, for a plugin of ${api},`, () => {
    test('leads to allowed hosts only, whatever its status', async t => {
      const server = await redirecting(t)
      const plugin = await made(t, ['127.0.0.1'])
      for (const status of STATUSES) {
        for (const secret of [server.base.replace('127.0.0.1', 'localhost'), server.base.replace('127.0.0.1', '[::1]'), 'http://127.0.0.2/', server.base.replace('//127.0.0.1', '//127.0.0.1@localhost')]) {
          await assert.rejects(get(plugin, server.to(secret, status)), /not allowed/)
          await assert.rejects(get(plugin, server.to(secret, status), { method: 'POST', function: 'post' }), /not allowed/)
          await assert.rejects(get(plugin, server.to(server.to(server.to(secret), status), 307)), /not allowed/)
          await assert.rejects(get(plugin, server.to(secret.replace('http:', ''), status)), /not allowed/)
        }
      }
      assert.deepEqual(server.seen, [])
      assert.match(await get(plugin, server.to('/here')), /GET/)
    })

    test('leads to no other scheme', async t => {
      const server = await redirecting(t)
      const plugin = await made(t, ['*'])
      for (const url of ['file:///etc/hostname', 'data:text/plain,x', 'blob:nodedata:x', 'javascript:1', 'ftp://127.0.0.1/', 'about:blank']) {
        await assert.rejects(get(plugin, server.to(url)), /only http and https/)
      }
      await assert.rejects(get(plugin, server.to('http://[')), /not a URL/)
    })

    test('is followed a number of times, and not in a circle', async t => {
      const server = await redirecting(t)
      const plugin = await made(t, ['127.0.0.1'])
      let circles = 0
      const circle = await serving(t, (request, response) => {
        circles++
        response.writeHead(302, { location: request.url }).end()
      })
      await assert.rejects(get(plugin, circle), /more than 20 redirects/)
      assert.equal(circles, 21)
      assert.match(await get(plugin, server.to(server.to(server.to('/end')))), /GET/)
    })

    test('has the status 301, 302, 303, 307 or 308: the plugin gets any other answer, location or not', async t => {
      const server = await redirecting(t)
      const plugin = await made(t, ['127.0.0.1'])
      for (const status of [300, 304, 305, 306, 309, 399]) {
        const { buffer, byteOffset } = await plugin.call('status', JSON.stringify({ url: server.to('/elsewhere', status), headers: { 'If-None-Match': '"a"' } }))
        assert.equal(new DataView(buffer, byteOffset).getUint32(0, true), status)
      }
      assert.deepEqual(server.seen, [])
      assert.equal(await get(plugin, server.to('/elsewhere', 300)), 'moved')
    })

    test('to another origin takes along no credentials, and nothing later brings them back', async t => {
      const [one, other] = [await redirecting(t), await redirecting(t)]
      const plugin = await made(t, ['127.0.0.1'])
      const request = { headers: { Authorization: 'Basic eDp5', Cookie: 'a=b', 'Proxy-Authorization': 'Basic eDp5', 'X-Own': 'own' } }
      const got = async url => JSON.parse(await get(plugin, url, request))
      for (const status of STATUSES) {
        const { authorization, cookie, own } = await got(one.to('/here', status))
        assert.deepEqual([authorization, cookie, own], ['Basic eDp5', 'a=b', 'own'])
        for (const url of [one.to(other.base, status), one.to(other.to(one.base), status)]) {
          const { authorization, cookie, proxy, own } = await got(url)
          assert.deepEqual([authorization, cookie, proxy, own], ['-', '-', '-', 'own'])
        }
      }
    })

    test('keeps the method and the body only where its status says so', async t => {
      const server = await redirecting(t)
      const plugin = await made(t, ['127.0.0.1'])
      for (const [status, method] of [[301, 'GET'], [302, 'GET'], [303, 'GET'], [307, 'POST'], [308, 'POST']]) {
        const got = JSON.parse(await get(plugin, server.to('/here', status), { function: 'post', method: 'POST', headers: { 'Content-Type': 'text/x' } }))
        assert.deepEqual([got.method, got.body, got.type], [method, method === 'POST', method === 'POST' ? 'text/x' : '-'])
      }
    })
  })

  describe(`a server, for a plugin of ${api},`, () => {
    /** A server of `respond`, and a promise that the connection of a request is gone. */
    async function abandoned (t, respond) {
      let leave
      const left = new Promise(resolve => { leave = resolve })
      const base = await serving(t, (request, response) => {
        once(response, 'close').then(leave)
        respond(response, request)
      })
      return { base, left }
    }

    const SERVERS = {
      'that never answers': () => {},
      'that never ends its answer': response => {
        response.writeHead(200)
        const more = () => { if (!response.destroyed) response.write('x', () => setImmediate(more)) }
        more()
      },
      'that stops in the middle of its answer': response => response.write('x')
    }
    for (const [name, respond] of Object.entries(SERVERS)) {
      test(`${name} is left with the timeout of the call`, async t => {
        const { base, left } = await abandoned(t, respond)
        const plugin = await made(t, ['127.0.0.1'], { timeoutMs: 100 })
        await assert.rejects(get(plugin, base), { code: 'ERR_EXTISM_TIMEOUT' })
        await left
        assert.equal(asText(await plugin.call('echo', 'served')), 'served')
      })
    }

    for (const name of ['that never answers', 'that stops in the middle of its answer']) {
      test(`${name} is left with the signal of the call`, async t => {
        const { base, left } = await abandoned(t, (response, request) => {
          SERVERS[name](response)
          controller.abort()
        })
        const controller = new AbortController()
        const plugin = await made(t, ['127.0.0.1'])
        const options = { signal: controller.signal }
        const input = JSON.stringify({ url: base })
        await assert.rejects(api === 'createPlugin' ? plugin.call('get', input, null, options) : plugin.call('get', input, options), { name: 'AbortError', code: 'ABORT_ERR' })
        await left
      })
    }

    test('that breaks off fails the call, and no other', async t => {
      const plugin = await made(t, ['127.0.0.1'])
      const SERVERS = [response => response.destroy(), response => { response.writeHead(200, { 'content-length': 100 }); response.write('x', () => response.destroy()) }, response => response.socket.end('nonsense')]
      for (const respond of SERVERS) {
        const { base } = await abandoned(t, respond)
        await assert.rejects(get(plugin, base), Error)
      }
      assert.match(await get(plugin, (await redirecting(t)).base), /GET/)
    })

    test('that is larger than memory.maxHttpResponseBytes is not read to its end', async t => {
      for (const memory of [{ maxHttpResponseBytes: 100_000 }, { max_http_response_bytes: 100_000 }]) {
        let leave
        const left = new Promise(resolve => { leave = resolve })
        const base = await serving(t, (request, response) => {
          if (request.url === '/most') return response.end('x'.repeat(100_000))
          response.on('close', leave)
          const more = () => { if (!response.destroyed) response.write('x'.repeat(10_000), () => setImmediate(more)) }
          more()
        })
        const plugin = await made(t, ['127.0.0.1'], { memory })
        const endless = plugin.call('get', JSON.stringify({ url: base }))
        await (api === 'createPlugin'
          ? endless.then(output => assert.equal(output, null))
          : assert.rejects(endless, { code: 'ERR_EXTISM_HOST_FUNCTION', message: /larger than 100000 bytes/ }))
        await left
        assert.equal((await get(plugin, `${base}/most`)).length, 100_000)
      }
    })
  })
}
