// What runs in the process that is attacked, see attack.js.

import { HostFunction, Plugin, ValType, createPlugin } from '../../index.js'
import { wat } from '../helpers.js'
import { CODE, USER } from '../modern/making.js'
import { BOOM, VALUES } from './values.js'

/** A plugin of `CODE` in each API; `ask` and `tell` run `f`. */
export const legacy = (f = () => {}) => new Plugin(CODE, false, [hostFunction(f)])
export const modern = (f = () => 0n, options = {}) => createPlugin(CODE, { functions: { [USER]: { answer: f } }, ...options })
export const hostFunction = (f = () => {}) => new HostFunction('answer', [ValType.I64], [ValType.I64], f)

/** What is made many times is made of little. */
export const SMALL = wat('(module (func (export "run")))')

const neighbours = [legacy(), await modern()]

/** Says so if the neighbours of what was attacked still serve. */
export async function serve () {
  const outputs = [await neighbours[0].call('echo', 'legacy'), (await neighbours[1].call('echo', 'modern')).text()]
  console.log('served', outputs.map(String).join())
}

/** Bad values in each place of the good arguments, one at a time. `coded`: see `attempt`. */
export async function sweep (good, f, coded = true) {
  for (const place of good.keys()) {
    for (const [name, make] of VALUES) {
      const value = make()
      await attempt(`${name} as argument ${place} of ${f}`, () => f(...good.with(place, value)), coded && isPrimitive(value))
    }
  }
}

/** Bad values as each of these properties. */
export async function sweepProperties (properties, f, coded = true) {
  for (const property of properties) {
    for (const [name, make] of VALUES) {
      const value = make()
      await attempt(`${name} as ${property} of ${f}`, () => f({ [property]: value }), coded && isPrimitive(value))
    }
  }
}

function isPrimitive (value) {
  return value === null || (typeof value !== 'object' && typeof value !== 'function')
}

/**
 * What comes of it is anything, or what the caller's own code threw, or an Error with a text.
 * That has a code, unless it is a TypeError of the language's own; where `coded`, that will not do.
 */
export async function attempt (what, f, coded = false) {
  try {
    const made = await f()
    if (made instanceof Plugin) made.free()
  } catch (error) {
    if (error === BOOM) return
    const isGood = error instanceof Error && typeof error.message === 'string' && error.message !== ''
      && error.code !== 'ERR_EXTISM_INTERNAL' && (typeof error.code === 'string' || (!coded && error instanceof TypeError))
    if (!isGood) throw new Error(`${what}: it ended with ${error?.stack ?? String(error)}`, { cause: error })
  }
}
