import assert from 'node:assert/strict'
import { HostFunction, Plugin, ValType } from '../index.js'
import { guest } from './helpers.js'

const { I64 } = ValType

const CODE = guest(`
  (global $calls (mut i64) (i64.const 48))
  (func (export "ask") (call $give (call $answer (call $input))))
  (func (export "spin") (drop (call $answer (call $input))) (loop $again (br $again)))
  (func (export "work") (local $i i64)
    (loop $again
      (local.set $i (i64.add (local.get $i) (i64.const 1)))
      (br_if $again (i64.lt_u (local.get $i) (i64.const 5000000))))
    (call $give (call $input)))
  (func (export "echo") (call $give (call $input)))
  (func (export "count")
    (local $block i64)
    (global.set $calls (i64.add (global.get $calls) (i64.const 1)))
    (local.set $block (call $alloc (i64.const 1)))
    (call $store_u8 (local.get $block) (i32.wrap_i64 (global.get $calls)))
    (call $give (local.get $block)))
  (func (export "trap") unreachable)`, {
  user: '(import USER "answer" (func $answer (param i64) (result i64)))'
})

/**
 * A plugin whose `ask` gives what `f` makes of the input, at once or in a promise. `spin` asks
 * as well, and then never ends. `work` echoes after some milliseconds, `echo` at once; `count`
 * gives "1" on a fresh instance, and one more each time.
 */
export function answering (f, { timeout_ms: timeout = 20_000, ...options } = {}) {
  const answer = (current, [input], [output]) => {
    const give = text => current.returnString(output, text ?? '')
    const text = f(current.inputString(input), current)
    return typeof text?.then === 'function' ? text.then(give) : give(text)
  }
  const functions = [new HostFunction('answer', [I64], [I64], answer)]
  return new Plugin({ wasm: [{ data: CODE }], timeout_ms: timeout }, false, functions, undefined, null, options)
}

/**
 * The same, and what waits for its questions: each has a `text`, and `resolve` and `reject` to
 * answer it. Given the call that is to ask, it fails if that fails.
 */
export function holding (options) {
  const questions = []
  const waiting = []
  const plugin = answering(text => new Promise((resolve, reject) => {
    const question = { text, resolve: (answer = text) => resolve(answer), reject }
    if (waiting.length > 0) waiting.shift()(question)
    else questions.push(question)
  }), options)
  const question = call => new Promise((resolve, reject) => {
    if (questions.length > 0) return resolve(questions.shift())
    waiting.push(resolve)
    call?.catch(reject)
  })
  return { plugin, question }
}

/** How promises ended, as text: their output, or the code of their error. */
export async function outcomes (promises) {
  const settled = await Promise.allSettled(promises)
  return settled.map(({ value, reason }) => reason === undefined ? String(value) : reason.code ?? String(reason))
}

/** Waits for what another thread is about to bring about and nothing tells of. */
export async function until (condition) {
  const start = Date.now()
  while (!condition()) {
    if (Date.now() - start > 10_000) throw new Error(`it never came to ${condition}`)
    await new Promise(setImmediate)
  }
}

/** Whether a promise has settled by now. */
export function watch (promise) {
  const watched = { settled: false }
  const settle = () => { watched.settled = true }
  promise.then(settle, settle)
  return watched
}

/** The error that a function throws. */
export function thrownBy (f) {
  try { f() } catch (error) { return error }
  assert.fail('nothing was thrown')
}

/** The error that a call rejects with. */
export function failing (call) {
  return call.then(output => assert.fail(`it gave ${output}`), error => error)
}

/** The codes of an error and of those behind it. */
export function codes (error) {
  return error === undefined ? [] : [error.code, ...codes(error.cause)]
}
