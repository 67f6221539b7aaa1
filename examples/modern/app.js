// Weather reports by a plugin, with all that a host has for one: configuration, variables, a host
// function, HTTP and logs. It runs on @extism/extism 2.0.0-rc13 as well, with only the package's
// name changed, given the plugin in binary. Run it with `node examples/modern/app.js [PLUGIN]`.

import createPlugin from 'extism-napi'
import { once } from 'node:events'
import { createServer } from 'node:http'
import { fileURLToPath } from 'node:url'

const temperatures = { Jena: 21, Oslo: -4 }

const server = createServer((request, response) => {
  const city = decodeURIComponent(request.url.slice(1))
  response.statusCode = city in temperatures ? 200 : 404
  response.end(String(temperatures[city] ?? ''))
}).listen(0, '127.0.0.1')
await once(server, 'listening')
const { port } = server.address()

/** The request that asks for the weather of a city; who asks, the plugin does not know. */
async function station (context, address) {
  const city = context.read(address).text()
  const { user } = context.hostContext()
  const asked = Number(context.getVariable('asked')?.text() ?? 0) + 1
  context.setVariable('asked', String(asked))
  await new Promise(resolve => setTimeout(resolve, 10))
  console.log(`request ${asked}: ${user} asks about ${city}`)
  return context.store(JSON.stringify({ url: `http://127.0.0.1:${port}/${encodeURIComponent(city)}` }))
}

const print = level => message => console.log(`${level}: ${message}`)
const logger = {
  trace: print('trace'),
  debug: print('debug'),
  info: print('info'),
  warn: print('warn'),
  error: print('error')
}

const file = process.argv[2] ?? fileURLToPath(new URL('plugin.wat', import.meta.url))
const plugin = await createPlugin({ wasm: [{ path: file }] }, {
  runInWorker: true, // extism-napi has HTTP and async functions without it, too
  config: { unit: 'degrees' },
  functions: { 'extism:host/user': { station } },
  allowedHosts: ['127.0.0.*'],
  logger,
  logLevel: 'info',
  timeoutMs: 2000
})

const exported = await plugin.getExports()
console.log('exports:', exported.map(({ name }) => name).join(', '))

const nothing = await plugin.call('previous')
console.log('before any report:', nothing)

for (const [city, user] of [['Jena', 'Ada'], ['Oslo', 'Bo'], ['Atlantis', 'Cy']]) {
  try {
    const output = await plugin.call('report', city, { user })
    console.log('report:', output.text())
  } catch (error) {
    console.log('failed:', error.message)
  }
}

const previous = await plugin.call('previous')
console.log('the last one again:', previous.text())
console.log('is there a forecast?', await plugin.functionExists('forecast'))

await plugin.close()
server.close()
server.closeAllConnections()
