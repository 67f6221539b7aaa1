import { prints } from '../helpers.js'

/** The same as `prints`, in a process that has less of something: `limit` is for `ulimit`. */
export function printsWithin (limit, script, lines, env = {}) {
  return prints(script, lines, { limit, env })
}
