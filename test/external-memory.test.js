import { test } from 'node:test'
import { prints } from './helpers.js'

test('V8 knows what plugins cost, and collects those that nobody holds before they fill the memory', () => prints(`
  // 4 MiB of a module that does next to nothing: in V8's heap a plugin is as small as any.
  const large = wat('(module (memory (export "memory") 64) (func (export "run")) (data (i32.const 0) "' + 'x'.repeat(4 << 20) + '"))')
  let collected = 0
  const registry = new FinalizationRegistry(() => collected++)
  for (let i = 0; i < 100 && collected === 0; i++) {
    await (() => {
      const plugin = new Plugin(large, false, [], undefined, null, { cache: false })
      registry.register(plugin, i)
      return plugin.call('run')
    })()
    await new Promise(setImmediate)
  }
  console.log(collected > 0)`, 'true'))
