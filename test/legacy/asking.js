import { HostFunction, Plugin, ValType } from '../../index.js'
import { guest } from '../helpers.js'

const { I64 } = ValType

/** A plugin whose `ask` gives the block that `f` makes of the block with the input. */
export function asking (f, era = 'modern') {
  const code = guest(`
    (func (export "ask") (call $give (call $answer (call $input))))
    (func (export "through") (local $block i64)
      (local.set $block (call $input))
      (drop (call $answer (local.get $block)))
      (call $give (local.get $block)))
    (func (export "twice") (local $block i64)
      (local.set $block (call $input))
      (drop (call $answer (local.get $block)))
      (drop (call $answer (call $alloc (i64.const 1))))
      (call $give (local.get $block)))`, {
    user: '(import USER "answer" (func $answer (param i64) (result i64)))', era
  })
  return new Plugin(code, false, [new HostFunction('answer', [I64], [I64], f)])
}

/** Calls `ask` once with `input`: the output, and what `f` returned. */
export async function ask (f, input = 'input', name = 'ask') {
  let returned
  const plugin = asking((current, inputs, outputs) => {
    returned = f(current, inputs, outputs)
    return returned
  })
  const output = await plugin.call(name, input)
  plugin.free()
  return { output, returned: await returned }
}
