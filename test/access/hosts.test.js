import { describe, test } from 'node:test'
import assert from 'node:assert/strict'
import { prints } from '../helpers.js'
import { APIS, get } from './requesting.js'

/** Of some URLs, those that a plugin with these allowed hosts asks for, as they are asked for. */
async function asked (t, allowedHosts, urls) {
  const asked = []
  const fetch = async url => {
    asked.push(url)
    return new Response('answered')
  }
  const plugin = await APIS.createPlugin(t, allowedHosts, { fetch })
  for (const url of urls) {
    const before = asked.length
    const outcome = await get(plugin, url).catch(error => error)
    if (outcome !== 'answered') assert.deepEqual([outcome.code, asked.length], ['ERR_EXTISM_HTTP', before], url)
  }
  return asked
}

/** Asserts that a pattern allows the first URLs, and none of the others. */
function allows (pattern, allowed, others) {
  return async t => {
    assert.equal((await asked(t, [pattern], allowed)).length, allowed.length)
    assert.deepEqual(await asked(t, [pattern], others), [])
  }
}

describe('an allowed host', () => {
  test('is that host, with any port, user, path and case, and with a dot behind it', allows('example.com', [
    'http://example.com/', 'https://example.com/path?query#hash', 'http://EXAMPLE.com', 'http://example.com.', 'http://example.com:99/', 'http://user:word@example.com/',
    'http:example.com', 'http:\\\\example.com', ' http://example.com ', 'http://exam\tple.com', 'http://example%2ecom', 'http://example。com', 'http://ｅxample.com'
  ], []))

  test('is no other host, whatever is around its name', allows('example.com', [], [
    'http://example.com@evil/', 'http://example.com:80@evil/', 'http://evil@evil.test@evil/', 'http://example.com%40evil@evil/', 'http://evil/example.com', 'http://evil?example.com',
    'http://evil#example.com', 'http://evil#@example.com', 'http://evil\\@example.com', 'http://evil;example.com', 'http://example.com.evil', 'http://example.com%2eevil', 'http://example.com..',
    'http://sub.example.com', 'http://notexample.com', 'http://example.co', 'http://example.com\0.evil', 'http://example.com%00.evil', '//example.com', 'example.com', ''
  ]))

  test('can be an address, of which odd spellings are the same', allows('127.0.0.1', [
    'http://127.0.0.1', 'http://0x7f.1', 'http://2130706433', 'http://0177.0.0.1', 'http://127.1', 'http://127.0.0.1.', 'http://0x7f000001:8080'
  ], [
    'http://localhost', 'http://0', 'http://0.0.0.0', 'http://127.0.0.2', 'http://[::1]', 'http://[::]', 'http://[::ffff:127.0.0.1]', 'http://[::ffff:7f00:1]', 'http://127.0.0.1.evil', 'http://1270.0.1'
  ]))

  for (const pattern of ['::1', '[::1]']) {
    test(`can be an address of IPv6: ${pattern}`, allows(pattern, ['http://[::1]', 'http://[0:0:0:0:0:0:0:1]:8080', 'http://[::0001]'], ['http://[::2]', 'http://[::ffff:0.0.0.1]', 'http://0.0.0.1', 'http://1']))
  }

  for (const pattern of ['bücher.example', 'xn--bcher-kva.example', 'BÜCHER.example.']) {
    test(`can have other letters: ${pattern}`, allows(pattern, ['http://bücher.example', 'http://xn--bcher-kva.example', 'http://BÜCHER.example', 'http://bu\u0308cher.example'], ['http://bucher.example', 'http://xn--bcher.example']))
  }

  test('is none where it has more than a name', async t => {
    for (const pattern of ['', ' ', ' example.com ', 'example.com:80', 'http://example.com', 'user@example.com', '//example.com', '\\example.com', 'example.com\0']) {
      assert.deepEqual(await asked(t, [pattern], ['http://example.com', 'http://example.com:80', 'http://user@example.com']), [], pattern)
    }
  })
})

describe('a pattern for allowed hosts', () => {
  test('with a star is for all hosts of a domain, and not for the domain', allows('*.example.com', ['http://a.example.com', 'http://a.b.example.com:1', 'http://A.Example.Com.'], [
    'http://example.com', 'http://a.example.com.evil', 'http://evil-example.com', 'http://a.example.com@evil', 'http://aexample.com', 'http://a.example.comm', 'http://evil/.example.com', 'http://evil#.example.com'
  ]))

  test('has stars anywhere, as many as it likes', async t => {
    await allows('a*c*e', ['http://abcde', 'http://ace', 'http://accee', 'http://a.c.e.c.e'], ['http://abcd', 'http://aec', 'http://xace', 'http://acex'])(t)
    await allows('**', ['http://a', 'http://[::1]'], [])(t)
  })

  test('has texts, of which one can be the start of another', allows('{a,ab,}*{bc,c}', ['http://abc', 'http://bc', 'http://ac', 'http://c', 'http://axc'], ['http://ab', 'http://a', 'http://b']))

  test('has characters', allows('[a-c]?[x]', ['http://abx', 'http://c-x'], ['http://dbx', 'http://abxx', 'http://ax', 'http://-bx']))

  test('is no regular expression', async t => {
    for (const pattern of ['exa.ple.com', '(example|x).com', 'e+xample.com', '^example.com$', 'example\\.com', '[^x]xample.com', '.*', '|', '{*}', '[.*]', 'example.com|x', '[', ']', '{', '}', '[]', '{}']) {
      assert.deepEqual(await asked(t, [pattern], ['http://example.com', 'http://exaxple.com', 'http://x']), [], pattern)
    }
  })

  test('that is none is refused, by either API', async t => {
    for (const made of Object.values(APIS)) await assert.rejects(async () => made(t, ['[z-a].com']), { name: 'RangeError', code: 'ERR_INVALID_ARG_VALUE', message: /\[z-a\]/ })
  })

  test('takes no time to compare, whatever host a plugin makes up', () => prints(`
    const { APIS, get } = await import(${JSON.stringify(new URL('requesting.js', import.meta.url))})
    const t = { after: () => {} }
    for (const [pattern, host] of [['*-*.example.com', '-'.repeat(200_000)], ['*a*a*a*a*a*a*a*a*a*b', 'a'.repeat(250)], ['{a,a}'.repeat(100) + 'b', 'a'.repeat(250)]]) {
      const plugin = await APIS.createPlugin(t, [pattern], { fetch: () => new Response() })
      console.log(await get(plugin, 'http://' + host).catch(error => error.code))
      await plugin.close()
    }`, Array(3).fill('ERR_EXTISM_HTTP')))

  test('that is for any host is for hosts only, and for http and https', async t => {
    const never = ['file:///etc/hostname', 'data:text/plain,x', 'blob:http://example.com/x', 'blob:nodedata:x', 'ftp://example.com', 'ws://example.com', 'javascript:1', 'about:blank', 'node:fs', 'http:', 'http://', 'x']
    assert.deepEqual(await asked(t, ['*'], never), [])
    assert.deepEqual(await asked(t, [], ['http://example.com', 'http://[::1]', 'http://.']), [])
    assert.deepEqual(await asked(t, ['*'], [`http://${'a.'.repeat(126)}a`, `http://${'a.'.repeat(127)}a`]), [`http://${'a.'.repeat(126)}a/`])
  })
})
