import { test } from 'node:test'
import { survives } from './attack.js'

/** The longest text that V8 has: any more around it is too much. */
const LONGEST = "const LONGEST = 'x'.repeat(2 ** 29 - 24)"

test('the longest text as an error of a host function, or for its error, fails the call', t => survives(t, `
  ${LONGEST}
  let fail = () => { throw LONGEST }
  const first = legacy(() => fail())
  const error = await first.call('tell').catch(error => error)
  console.log(error.code, error.cause === LONGEST, error.message.length < 1 << 20)
  const second = await modern(context => { context.setError(LONGEST) })
  const other = await second.call('tell').catch(error => error)
  console.log(other.code, other.message.length < 1 << 20)`, {
  lines: ['ERR_EXTISM_HOST_FUNCTION true true', 'ERR_EXTISM_GUEST true']
}))

test('the longest text as a path, a host or a name is refused', t => survives(t, `
  ${LONGEST}
  const codeOf = async f => (await f().catch(error => error)).code
  console.log(await codeOf(() => createPlugin(LONGEST)))
  console.log(await codeOf(() => Plugin.create({ wasm: [{ path: LONGEST }] })))
  console.log(await codeOf(async () => new Plugin({ wasm: [{ path: LONGEST }] })))
  console.log(await codeOf(() => createPlugin(SMALL, { allowedHosts: [LONGEST] })))
  assert.throws(() => legacy().callSync(LONGEST), Error)
  await assert.rejects(legacy().call(LONGEST), Error)`, {
  lines: ['ENAMETOOLONG', 'ERR_EXTISM_MANIFEST', 'ERR_EXTISM_MANIFEST', 'ERR_INVALID_ARG_VALUE']
}))

test('the longest text as the name of a module that is refused is cut in the message', t => survives(t, `
  ${LONGEST}
  const bad = { wasm: [{ name: LONGEST, data: Buffer.from('(module bad') }, { data: Buffer.from('(module)') }] }
  const twice = { wasm: [...bad.wasm, { name: 'main', data: Buffer.from('(module)') }].map(item => ({ ...item, data: Buffer.from('(module)') })) }
  twice.wasm[1].name = LONGEST
  const codeOf = async f => { try { await f() } catch (error) { return error.code + ' ' + (error.message.length < 1 << 20) } }
  console.log(await codeOf(() => createPlugin(bad)))
  console.log(await codeOf(() => new Plugin(bad)))
  console.log(await codeOf(() => Plugin.create(twice)))`, {
  lines: ['ERR_EXTISM_MODULE true', 'ERR_EXTISM_MODULE true', 'ERR_EXTISM_LINK true']
}))

test('an input of 256 MiB fails where there may not be so much, and the plugin serves on', t => survives(t, `
  const input = 'x'.repeat(2 ** 28)
  const plugin = new Plugin({ wasm: [{ data: CODE }], memory: { max_pages: 100 } }, false, [hostFunction(() => {})])
  await assert.rejects(plugin.call('echo', input), { code: 'ERR_EXTISM_OUT_OF_MEMORY' })
  assert.throws(() => plugin.callSync('echo', input), { code: 'ERR_EXTISM_OUT_OF_MEMORY' })
  console.log(String(await plugin.call('echo', 'usable')))`, { lines: ['usable'] }))
