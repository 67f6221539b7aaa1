// The time from nothing loaded to the first answer: `start.js NAME [CACHE]` sends milliseconds.
// CACHE is the directory where the addon keeps compiled code.

const start = performance.now()

const { ANSWER, GREETER, NAME } = await import('../greeter.js')
const [name, cache] = process.argv.slice(2)

const plugin = cache
  ? (await import('../ours.js')).openOurs(GREETER, { cache })
  : await (await import('../peers.js')).openPeer(name, GREETER)
const output = await plugin.call('say_hello', NAME)
const ms = performance.now() - start

if (Buffer.from(output).toString() !== ANSWER) throw new Error(`${name} answers wrongly`)
process.send(ms)
await plugin.close()
