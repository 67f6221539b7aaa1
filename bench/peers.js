// The two SDKs in JavaScript that npm has as contenders, each in the foreground and with a
// worker. Their host function is in JavaScript, over a Map: there is no other.

import { MESSAGES } from './greeter.js'

export const PEERS = {
  '1.0.3': { package: '@extism/extism', worker: false },
  '1.0.3 worker': { package: '@extism/extism', worker: true },
  '2.0.0-rc13': { package: 'extism-js-rc', worker: false },
  '2.0.0-rc13 worker': { package: 'extism-js-rc', worker: true }
}

export const ALL = Object.keys(PEERS)
export const FOREGROUND = ALL.filter(name => !PEERS[name].worker)
export const WORKERS = ALL.filter(name => PEERS[name].worker)

const messages = new Map(MESSAGES)

const answer = (plugin, key) => plugin.store(messages.get(plugin.read(key).text()))
const asyncAnswer = async (plugin, key) => answer(plugin, key)

/**
 * A plugin of a peer. Its calls are put in a row here: in a worker, two at a time are an error,
 * and in the foreground of 2.0.0-rc13 the second one takes the output of the first away.
 *
 * Without a reset a peer runs out of blocks at 16,384 calls, sooner with host functions. The
 * workers get slower with every block, so that they do best with a reset after each call; in
 * the foreground one in a hundred calls is hardly noticed.
 */
export async function openPeer (name, { wasm, wasi = false }, options = {}) {
  const { isAsync = false, resetEvery = PEERS[name].worker ? 1 : 100 } = options
  const { createPlugin } = await import(PEERS[name].package)
  const plugin = await createPlugin({ wasm: [{ data: wasm }] }, {
    useWasi: wasi,
    runInWorker: PEERS[name].worker,
    functions: { 'extism:host/user': { hostMemoryGet: isAsync ? asyncAnswer : answer } }
  })
  let calls = 0
  const call = async (name, input) => {
    if (++calls % resetEvery === 0) await plugin.reset()
    return (await plugin.call(name, input)).bytes()
  }
  let last = Promise.resolve()
  return {
    call: (name, input) => (last = last.then(() => call(name, input))),
    close: () => plugin.close()
  }
}

/** Plugins of the peers with these names, by name. */
export async function openPeers (names, guest, options) {
  const peers = {}
  for (const name of names) peers[name] = await openPeer(name, guest, options)
  return peers
}
