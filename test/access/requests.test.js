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
      await refused(get(plugin, base + '/'.repeat(8192)), /longer than 8192/)
      await refused(get(plugin, base, { headers: { a: 'x'.repeat(1 << 20) } }), /more than 1048576 bytes/)
      assert.equal(await get(plugin, base.padEnd(8192, '/')), 'answered')
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
