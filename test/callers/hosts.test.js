import { test } from 'node:test'
import { survives } from './attack.js'

const PLUGIN = `
  const code = guest('(func (export "run") (drop (call $request (call $input) (i64.const 0))))', {
    user: '(import "extism:host/env" "http_request" (func $request (param i64 i64) (result i64)))'
  })
  const requesting = async (pattern, host) => {
    const plugin = await createPlugin(code, { allowedHosts: [pattern], fetch: async () => new Response('answer') })
    const error = await plugin.call('run', JSON.stringify({ url: 'http://' + host + '/' })).catch(error => error)
    await plugin.close()
    return error?.code ?? 'allowed'
  }`

test('no pattern of allowed hosts takes for ever to compare, whatever the host', t => survives(t, `
  ${PLUGIN}
  const attempts = [
    ['*a'.repeat(30) + 'b', 'a'.repeat(200)],
    ['*'.repeat(500) + 'b', 'a'.repeat(250)],
    ['{a,aa}'.repeat(80) + 'b', 'a'.repeat(250)],
    ['*[a-c]'.repeat(80), 'a'.repeat(100_000)],
    ['*a'.repeat(30), 'a'.repeat(200)],
    ['{ab,a}{b,c}?*[x-z]', 'abbtoz']
  ]
  for (const [pattern, host] of attempts) console.log(await requesting(pattern, host))`, {
  lines: [...new Array(4).fill('ERR_EXTISM_HTTP'), 'allowed', 'allowed']
}))

test('a pattern that is too long for any host is refused', t => survives(t, `
  ${PLUGIN}
  await assert.rejects(requesting('a'.repeat(5_000), 'a'), { code: 'ERR_INVALID_ARG_VALUE' })`))
