// Everything about plugins of the legacy API, as an ES module sees it. It is only type-checked, never run.

import { CancelHandle, Context, Plugin, withContext } from 'extism-napi'
import type {
  CallOptions,
  CallSyncOptions,
  LegacyPlugin,
  Percentiles,
  PluginOptions,
  PluginStats
} from 'extism-napi'
import { expectType } from './exact.js'
import { inferred, functions } from './host-functions.js'
import { bytes, config, snake, camel } from './manifests.js'

const context = new Context()
const running: PluginOptions = { instances: 4, maxQueue: 100, queueTimeoutMs: Infinity, maxCallDepth: 3, maxLogBytes: Infinity, cache: true, compileTimeoutMs: 10_000, maxCompileMemoryBytes: 500e6, runInWorker: true, freshInstance: false }
const plugins: LegacyPlugin[] = [
  context.plugin(bytes),
  context.plugin(snake, true),
  context.plugin(camel, true, functions),
  context.plugin('(module)', false, [], { key: 'value' }),
  new Plugin(bytes),
  new Plugin(bytes, true, functions, config, context),
  new Plugin(bytes, true, functions, null, null),
  new Plugin(bytes, true, functions, config, context, running),
  new Plugin(bytes, false, [], null, null, { cache: false }),
  context.plugin(bytes, false, [], null, { instances: 2, cache: './cache' }),
  context.plugin(bytes, false, [], null, null),
  await Plugin.create(bytes),
  await Plugin.create(snake, true, functions, config, context, running)
]
expectType<Promise<LegacyPlugin>>()(Plugin.create(snake), true)

export const { signal } = new AbortController()
export const calling: CallOptions = { signal, timeoutMs: 100 }
export const callingSync: CallSyncOptions = { timeoutMs: Infinity }

/** What a caller has got may be undefined. */
export async function pass (plugin: LegacyPlugin, signal?: AbortSignal, timeoutMs?: number): Promise<string> {
  await using closing = plugin
  return (await closing.call('run', 'input', { signal, timeoutMs })).toString()
}

for (const plugin of plugins) {
  expectType<number>()(plugin.id, true)
  expectType<Context>()(plugin.ctx, true)
  expectType<boolean>()(plugin.functionExists('run'), true)
  expectType<Promise<Buffer>>()(plugin.call('run'), true)
  expectType<Promise<Buffer>>()(plugin.call('run', 'input'), true)
  expectType<Promise<Buffer>>()(plugin.call('run', Buffer.from('input')), true)
  expectType<Promise<Buffer>>()(plugin.call('run', new ArrayBuffer(1)), true)
  expectType<Promise<Buffer>>()(plugin.call('run', '', calling), true)
  expectType<Promise<Buffer>>()(plugin.call('run', '', { timeoutMs: 10 }), true)
  expectType<Buffer>()(plugin.callSync('run'), true)
  expectType<Buffer>()(plugin.callSync('run', Buffer.from('input'), callingSync), true)
  expectType<true>()(plugin.update(bytes, true, functions, config), true)
  expectType<true>()(plugin.update(bytes, true, functions, config, running), true)
  expectType<PluginStats>()(plugin.stats(), true)
  expectType<Promise<void>>()(plugin.close(), true)
  const handle: CancelHandle = plugin.cancelHandle()
  expectType<boolean>()(handle.cancel(), true)
  plugin.free()
}
for (const stats of plugins.map(plugin => plugin.stats())) {
  const counts: number[] = [stats.calls, stats.active, stats.queued, stats.instances, stats.replaced, stats.moved]
  expectType<number[]>()(counts, true)
  expectType<number | undefined>()(stats.errors.ERR_EXTISM_TIMEOUT, true)
  const times: Percentiles[] = [stats.runMs, stats.waitMs]
  expectType<(number | undefined)[]>()([times[0]?.p50, times[1]?.p99], true)
  // @ts-expect-error: no such code
  stats.errors.ERR_EXTISM_OTHER
}
expectType<void>()(context.reset(), true)
expectType<void>()(context.free(), true)

const output = withContext(async context => await context.plugin(bytes).call('run'))
expectType<Promise<Buffer>>()(output, true)
expectType<Promise<number>>()(withContext(context => context.plugin(bytes).id), true)

// @ts-expect-error: no manifest
plugins.push(new Plugin())
// @ts-expect-error: host functions are not plain functions
plugins.push(context.plugin(bytes, true, [() => {}]))
// @ts-expect-error: one host function is not a list
plugins.push(context.plugin(bytes, true, inferred))
// @ts-expect-error: a context is not a config
plugins.push(new Plugin(bytes, true, [], context))
// @ts-expect-error: an input is a string or bytes
plugins[0]?.call('run', { name: 'value' })
// @ts-expect-error: which function?
plugins[0]?.call()
// @ts-expect-error: a promise is not its output
plugins[0]?.call('run').toString('utf8')
// @ts-expect-error: the number stays
if (plugins[0]) plugins[0].id = 1
// @ts-expect-error: options are no context
plugins.push(new Plugin(bytes, true, [], null, { instances: 2 }))
// @ts-expect-error: misspelled
plugins.push(context.plugin(bytes, true, [], null, { instance: 2 }))
// @ts-expect-error: on or off, or a directory
plugins.push(context.plugin(bytes, true, [], null, { cache: new URL('file:///cache') }))
// @ts-expect-error: a promise is not its plugin
plugins.push(Plugin.create(bytes))
// @ts-expect-error: a controller is not its signal
plugins[0]?.call('run', '', { signal: new AbortController() })
// @ts-expect-error: nothing can abort what blocks this thread
plugins[0]?.callSync('run', '', { signal })
// @ts-expect-error: a time is a number
plugins[0]?.call('run', '', { timeoutMs: '5s' })
// @ts-expect-error: a handle comes from a plugin
export const stray = new CancelHandle()
// @ts-expect-error: a context is to be used by something
withContext()

// The class and the type of a name are different things.
if (plugins[0] instanceof Plugin) expectType<LegacyPlugin>()(plugins[0], true)
class Named extends Plugin {
  readonly title = 'plugin'
}
plugins.push(new Named(bytes))

// @ts-expect-error: what createPlugin gives is of no class
new Plugin(bytes) satisfies Plugin
