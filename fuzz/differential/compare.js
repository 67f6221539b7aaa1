// One module in two hosts, and here once more with callSync: the same calls have to give the same,
// and to leave the same behind.

import { createPlugin as createHere } from '../../index.js'
import { createPlugin as createPeer } from 'extism-js-rc'

const INPUT = 'the input'
const CONFIG = { a: 'one', b: 'two' }

/**
 * What may differ. Whatever follows such a difference is not compared.
 *
 * - A feature that this version of V8 lacks.
 * - Errors: one is read when the plugin sets it, there when the call is over. By then its block may
 *   have been freed or overwritten.
 * - The stack: how deep a function may call differs, and so does what a frame takes.
 */
const EXCUSES = {
  feature: 'V8 does not know a feature',
  error: 'an error was gone or changed when the call was over',
  stack: 'the stack was used up'
}

/** The compiler has one trap for what are two in V8. */
const WORDS = [
  [/divide result unrepresentable|float unrepresentable in integer range/, 'unrepresentable'],
  [/remainder by zero/, 'divide by zero']
]

/** Resolves with how many calls there were, what they came to, and a finding or an excuse. */
export async function compare (slots, smith, main) {
  const result = { calls: 0, outcomes: [] }
  if (!WebAssembly.validate(smith)) return { ...result, excuse: EXCUSES.feature }
  const parts = Object.entries({ slots, smith, main })
  const manifest = { wasm: parts.map(([name, data]) => ({ name, data: new Uint8Array(data) })), config: CONFIG }
  const here = await outcome(() => createHere(manifest, { cache: false, timeoutMs: 20_000 }))
  const sync = await outcome(() => createHere(manifest, { cache: false, timeoutMs: 20_000 }))
  const peer = await outcome(() => createPeer(manifest, { config: CONFIG }))
  try {
    if (here.kind !== 'result' || peer.kind !== 'result') {
      // That it fails is alike; with which words is not.
      result.outcomes.push('not made')
      return here.kind === peer.kind || (here.kind !== 'result' && peer.kind !== 'result')
        ? result
        : { ...result, finding: differing('making it', here, peer) }
    }
    return await calls(here.value, sync.value, peer.value, main, result)
  } finally {
    await here.value?.close()
    await sync.value?.close()
    await peer.value?.close()
  }
}

async function calls (here, sync, peer, main, result) {
  const names = WebAssembly.Module.exports(new WebAssembly.Module(main)).map(({ name }) => name)
  const runs = names.filter(name => name !== 'state')
  for (const name of [...runs, ...runs].flatMap(run => [run, 'state'])) {
    const ours = await outcome(() => here.call(name, INPUT))
    const synchronous = await outcome(() => sync.callSync(name, INPUT))
    const theirs = await outcome(() => peer.call(name, INPUT))
    result.calls++
    if (ours.text !== synchronous.text) return { ...result, finding: `${name}: ${ours.text}, with callSync ${synchronous.text}` }
    if (ours.kind === 'stack' || theirs.kind === 'stack') return { ...result, excuse: EXCUSES.stack }
    result.outcomes.push(ours.kind)
    if (ours.kind === 'guest' && ['guest', 'result'].includes(theirs.kind) && ours.text !== theirs.text) return { ...result, excuse: EXCUSES.error }
    if (ours.text !== theirs.text) return { ...result, finding: differing(name, ours, theirs) }
    // A host may go on with other memory after a call that broke off.
    if (ours.kind === 'trap') return result
  }
  return result
}

const differing = (what, here, peer) => `${what}: here ${here.text}, in V8 ${peer.text}`

/** What a call comes to: its kind, and a text that has to be the same. */
async function outcome (call) {
  try {
    const value = await call()
    const bytes = value?.bytes?.()
    return { kind: 'result', value, text: bytes ? Buffer.from(bytes).toString('hex') : 'nothing' }
  } catch (error) {
    const kind = kindOf(error)
    const message = WORDS.reduce((text, [word, same]) => text.replace(word, same), error.message)
    return { kind, text: `${kind}: ${message}` }
  }
}

function kindOf (error) {
  if (/call stack/i.test(error.message)) return 'stack'
  if (error instanceof WebAssembly.RuntimeError) return 'trap'
  if (error.message.startsWith('Plugin-originated error')) return 'guest'
  return 'other'
}
