import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'

const INDEX = new URL('../../index.js', import.meta.url)
const HELPERS = new URL('../helpers.js', import.meta.url)

/**
 * Asserts that a module script, which finds the package's exports and the helpers as globals, ends
 * with 0 after printing these lines, in a process that has less of something: `limit` is for `ulimit`.
 */
export async function printsWithin (limit, script, lines, env = {}) {
  const prelude = `
    import * as extism from ${JSON.stringify(INDEX)}
    import * as helpers from ${JSON.stringify(HELPERS)}
    import assert from 'node:assert/strict'
    Object.assign(globalThis, extism, helpers, { assert })
    ${script}`
  const { code, signal, stdout, stderr } = await new Promise(resolve => {
    const options = { timeout: 60_000, killSignal: 'SIGKILL', env: { ...process.env, ...env } }
    const child = execFile('/bin/sh', ['-c', `ulimit ${limit} && exec "$0" "$@"`, process.execPath, '--input-type=module', '-e', prelude], options, (_, stdout, stderr) => {
      resolve({ code: child.exitCode, signal: child.signalCode, stdout, stderr })
    })
  })
  assert.deepEqual({ code, signal, stdout: stdout.trim().split('\n') }, { code: 0, signal: null, stdout: [lines].flat() }, stderr || undefined)
}
