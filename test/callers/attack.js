import { prints } from '../helpers.js'
import { directory } from '../modern/making.js'

const MODULES = ['values.js', 'sweeping.js', '../modern/making.js'].map(file => new URL(file, import.meta.url))

/**
 * Runs a script in a process and a directory of its own, with values.js, sweeping.js and making.js
 * at hand. The process must end by itself with 0, after its other plugins have served a call.
 */
export function survives (t, script, { lines = [], ...options } = {}) {
  return prints(`
    Object.assign(globalThis, ...await Promise.all(${JSON.stringify(MODULES)}.map(url => import(url))))
    process.chdir(${JSON.stringify(directory(t))})
    ${script}
    await serve()`, [...lines, 'served legacy,modern'], options)
}
