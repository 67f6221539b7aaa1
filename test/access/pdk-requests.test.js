import { describe, test } from 'node:test'
import assert from 'node:assert/strict'
import { serving } from '../modern/making.js'
import { asText } from '../helpers.js'
import { APIS } from './requesting.js'

/** A server that tells the method, the headers `x-name` and `x-count`, and the body of a request. */
const telling = t => serving(t, async (request, response) => {
  const body = Buffer.concat(await request.toArray())
  const { 'x-name': name = '-', 'x-count': count = '-' } = request.headers
  response.end(`${request.method} ${name} ${count} ${body.length > 0 ? 'body' : '-'}`)
})

/**
 * Requests as plugins write them: the text for `URL`, and what the server hears of it. `post` sends
 * a body along. Each has the order of keys, the spelling and the escapes of its PDK.
 */
const REQUESTS = {
  'Rust, without a method or headers': ['{"url":"URL","headers":{},"method":null}', 'GET - - -'],
  'Rust, with both': ['{"url":"URL","headers":{"X-Name":"n"},"method":"PUT"}', 'PUT n - body', 'post'],
  'Rust, as a body without a method': ['{"url":"URL","headers":{},"method":null}', 'GET - - -', 'post'],
  'Go, with a method and headers': ['{"url":"URL","method":"POST","headers":{"X-Name":"a \\u0026 b"}}', 'POST a & b - body', 'post'],
  'Go, with a nil map of headers': ['{"url":"URL","method":"GET","headers":null}', 'GET - - -'],
  'Go, with a method of no name': ['{"url":"URL","method":"","headers":{}}', 'GET - - -'],
  'Go before 1.0, with headers': ['{"header":{"X-Name":"n"},"url":"URL","method":"POST"}', 'POST n - body', 'post'],
  'Go before 1.0, without headers': ['{"url":"URL","method":"DELETE"}', 'DELETE - - -'],
  'JavaScript, with Http.request': ['{"url":"URL","headers":{"X-Name":"n"},"method":"PATCH"}', 'PATCH n - body', 'post'],
  'JavaScript, with fetch': ['{"url":"URL","headers":{"x-name":"n, m"},"method":"GET"}', 'GET n, m - -'],
  'C, with the URL alone': ['{"url": "URL"}', 'GET - - -'],
  'C, with white space and a number': ['{\n\t"method": "post",\n\t"url": "URL",\n\t"headers": { "X-Count": 5 }\n}\n', 'POST - 5 body', 'post'],
  'AssemblyScript, with an absent header': ['{"url":"URL","method":"GET","headers":{"X-Name":null,"X-Count":"1"}}', 'GET - 1 -'],
  'Zig, with an empty map of headers': ['{"url":"URL","method":"GET","headers":{}}', 'GET - - -'],
  'Zig, with a method and headers': ['{"url":"URL","method":"PUT","headers":{"X-Name":"n"}}', 'PUT n - body', 'post'],
  'Haskell, with headers': ['{"url":"URL","headers":{"X-Name":"n"},"method":"GET"}', 'GET n - -'],
  'Haskell, with everything that is nullable null': ['{"url":"URL","headers":null,"method":null}', 'GET - - -'],
  'Haskell, with pairs for headers': ['{"url":"URL","headers":[["X-Name","n"]],"method":"GET"}', 'GET n - -'],
  '.NET, with a method and headers': ['{"url":"URL","headers":{"X-Name":"\\u0027n\\u0027"},"method":"POST"}', "POST 'n' - body", 'post'],
  'no PDK, with null headers beside a header': ['{"url":"URL","method":null,"headers":null,"header":{"X-Name":"n"}}', 'GET n - -'],
  'no PDK, with null for either': ['{"url":"URL","header":null,"headers":null}', 'GET - - -']
}

for (const [api, made] of Object.entries(APIS)) {
  describe(`an HTTP request of a plugin of ${api}`, () => {
    for (const [manner, [request, heard, name = 'get']] of Object.entries(REQUESTS)) {
      test(`arrives in the manner of ${manner}`, async t => {
        const url = await telling(t)
        const plugin = await made(t, ['127.0.0.1'])
        assert.equal(asText(await plugin.call(name, request.replace('URL', url))), heard)
      })
    }

    test('fails if its method or its headers are of a wrong type or not valid', async t => {
      const plugin = await made(t, ['127.0.0.1'])
      for (const bad of [{ method: 5 }, { method: false }, { method: {} }, { method: 'a b' }, { headers: 5 }, { headers: 'x' }, { headers: { 'a b': 'c' } }, { headers: [['a']] }]) {
        const failing = plugin.call('get', JSON.stringify({ url: 'http://127.0.0.1:9/', ...bad }))
        await assert.rejects(failing, error => [error, error.cause].some(each => each?.code === 'ERR_EXTISM_HTTP'), JSON.stringify(bad))
      }
    })
  })
}
