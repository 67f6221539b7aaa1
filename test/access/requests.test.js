import { describe, test } from 'node:test'
import assert from 'node:assert/strict'
import { serving } from '../modern/making.js'
import { APIS, get } from './requesting.js'

for (const [api, made] of Object.entries(APIS)) {
  describe(`a request, for a plugin of ${api},`, () => {
    const refused = (request, message) => assert.rejects(request, error => {
      const own = [error, error.cause].find(each => each?.code === 'ERR_EXTISM_HTTP')
      assert.ok(own, error)
      assert.match(own.message, message)
      assert.ok(own.message.length < 20_000)
      return true
    })

    test('that takes long to read is refused before it is', async t => {
      const base = await serving(t, (request, response) => response.end('answered'))
      const plugin = await made(t, ['127.0.0.1'])
      const rare = Array.from({ length: 5_000 }, (_, i) => String.fromCodePoint(0x20000 + i)).join('')
      await refused(get(plugin, `http://${rare}/`), /longer than 8192/)
      await refused(get(plugin, `http://${rare.slice(0, 1_200)}/`), /before its path than 1024/)
      await refused(get(plugin, base + '/'.repeat(8192)), /longer than 8192/)
      await refused(get(plugin, base, { headers: { a: 'x'.repeat(64 << 10) } }), /more than 65536 bytes/)
      assert.equal(await get(plugin, base.padEnd(8192, '/')), 'answered')
    })

    test('has a body of memory.maxHttpResponseBytes at most', async t => {
      const base = await serving(t, async (request, response) => response.end(String(Buffer.concat(await request.toArray()).length)))
      const plugin = await made(t, ['127.0.0.1'], { memory: { maxHttpResponseBytes: 100 } })
      const sized = length => get(plugin, base, { function: 'post', method: 'POST', x: 'x'.repeat(length - JSON.stringify({ url: base, method: 'POST', x: '' }).length) })
      assert.equal(await sized(100), '100')
      await refused(sized(101), /body of 101 bytes is larger than 100/)
    })

    test('is not led to a place that takes long to read', async t => {
      const base = await serving(t, (request, response) => response.writeHead(302, { location: `/${'x'.repeat(9_000)}` }).end())
      await refused(get(await made(t, ['127.0.0.1']), base), /longer than 8192/)
    })

    test('with a method or headers that there cannot be is the plugin\'s mistake', async t => {
      const plugin = await made(t, ['*'])
      for (const request of [{ method: 'A B' }, { method: 'TRACE' }, { headers: { 'a b': 'c' } }, { headers: { a: 'b\nc' } }, { headers: 5 }]) {
        await refused(get(plugin, 'http://127.0.0.1:1/', request), /method or the headers/)
      }
    })
  })
}
