// One module that does what it likes, only here: whatever it does ends in a result or an error
// with a code, and a neighbour goes on.

import { createPlugin } from '../../index.js'

const ECHO = `(module
  (import "extism:host/env" "input_offset" (func $input_offset (result i64)))
  (import "extism:host/env" "input_length" (func $input_length (result i64)))
  (import "extism:host/env" "output_set" (func $output_set (param i64 i64)))
  (func (export "echo") (call $output_set (call $input_offset) (call $input_length))))`

const known = (context, address) => address
const any = () => 7
const functions = {
  env: { known },
  'extism:host/user': { known, any },
  mine: { get: known }
}

const neighbour = await createPlugin(Buffer.from(ECHO))

export async function attack (module) {
  const result = { calls: 0, outcomes: [] }
  let plugin
  const note = error => {
    const coded = /^ERR_EXTISM_/.test(error.code) && error.code !== 'ERR_EXTISM_INTERNAL'
    if (!coded) result.finding ??= `an error without a code of ours: ${error.stack}`
    result.outcomes.push(String(error.code))
  }
  try {
    plugin = await createPlugin({ wasm: [{ data: module }], memory: { maxPages: 1_000 } }, {
      cache: false, functions, logLevel: 'trace', logger: {}, timeoutMs: 5_000, useWasi: true
    })
  } catch (error) {
    note(error)
    return result
  }
  try {
    const exports = await plugin.getExports()
    for (const { name, kind } of [...exports, ...exports]) {
      if (kind !== 'function') continue
      result.calls++
      await plugin.call(name, 'the input').then(() => result.outcomes.push('result'), note)
    }
    const answer = await neighbour.call('echo', 'alive')
    if (answer.text() !== 'alive') result.finding ??= `the neighbour said ${answer.text()}`
  } finally {
    await plugin.close()
  }
  return result
}
