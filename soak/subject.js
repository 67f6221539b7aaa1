// A plugin of either API, called in the same way.

import { HostFunction, Plugin, ValType, createPlugin } from 'extism-napi'
import { ERAS } from '../test/helpers.js'

/** How a plugin can be made. */
export const MAKERS = ['new Plugin', 'Plugin.create', 'createPlugin']

const { I64 } = ValType
/** More than a promise is given before it counts as lost: this is to end nothing. */
const LONG_MS = 100_000
const MOST_INSTANCES = 3

/**
 * What any plugin is made with: `answer(text, subject)` is the host function of that name, a
 * text or a promise of one; `functions` are host functions as the legacy API has them; `maxPages`,
 * `maxQueue` and so on are the options of the two.
 */
export async function make (maker, data, settings = {}) {
  const place = {}
  const subject = maker === 'createPlugin'
    ? await Modern.make(data, settings, place)
    : await Legacy.make(maker, data, settings, place)
  // Weak, as the native side has the host functions, and they must not keep their plugin.
  place.subject = new WeakRef(subject)
  return subject
}

/**
 * Has all instances of plugins built, which otherwise happens whenever calls happen to meet, and
 * would look like growth. Gives the plugins.
 */
export async function filled (subjects, name) {
  const most = Array.from({ length: MOST_INSTANCES })
  for (const subject of subjects) await Promise.allSettled(most.map(() => subject.call(name, '')))
  return subjects
}

class Subject {
  #plugin

  constructor (plugin) {
    this.#plugin = plugin
  }

  get plugin () {
    return this.#plugin
  }

  close () {
    return this.#plugin.close()
  }

  stats () {
    return this.#plugin.stats()
  }
}

class Legacy extends Subject {
  isLegacy = true

  static async make (maker, data, settings, place) {
    const args = Legacy.#arguments(data, settings, place)
    const [manifest, wasi, functions, config, options] = args
    const plugin = maker === 'new Plugin'
      ? new Plugin(manifest, wasi, functions, config, null, options)
      : await Plugin.create(manifest, wasi, functions, config, null, options)
    return new Legacy(plugin)
  }

  call (name, input, options) {
    return this.plugin.call(name, input, options)
  }

  callSync (name, input, options) {
    return this.plugin.callSync(name, input, options)
  }

  async update (data, settings = {}) {
    this.plugin.update(...Legacy.#arguments(data, settings, { subject: new WeakRef(this) }))
  }

  static #arguments (data, settings, place) {
    const { answer, functions = [], wasi, config, timeoutMs = LONG_MS, maxPages, allowedHosts, hash, ...options } = settings
    const manifest = { wasm: [{ data, hash }], timeoutMs, allowedHosts, memory: { maxPages } }
    return [manifest, wasi, [...functions, ...answering(answer, place)], config, options]
  }
}

class Modern extends Subject {
  isLegacy = false

  static async make (data, settings, place) {
    return new Modern(await createPlugin(...Modern.#arguments(data, settings, place)))
  }

  async call (name, input, options) {
    return bytes(await this.plugin.call(name, input, null, options))
  }

  callSync (name, input, options) {
    return bytes(this.plugin.callSync(name, input, null, options))
  }

  async update (data, settings = {}) {
    await this.plugin.update(...Modern.#arguments(data, settings, { subject: new WeakRef(this) }))
  }

  static #arguments (data, settings, place) {
    const { answer, functions = [], wasi, timeoutMs = LONG_MS, maxPages, hash, ...options } = settings
    const own = Object.fromEntries(functions.map(each => [each.name, each]))
    if (answer) own.answer = (context, address) => after(answer(context.read(address)?.text() ?? '', place.subject?.deref()), text => context.store(text))
    const namespaces = Object.fromEntries(Object.values(ERAS).map(({ user }) => [user, own]))
    return [{ wasm: [{ data, hash }] }, { useWasi: wasi, timeoutMs, memory: { maxPages }, functions: namespaces, ...options }]
  }
}

function answering (answer, place) {
  if (answer === undefined) return []
  return [new HostFunction('answer', [I64], [I64], (current, [input], [output]) =>
    after(answer(current.inputString(input), place.subject?.deref()), text => current.returnString(output, text)))]
}

function after (value, then) {
  return typeof value?.then === 'function' ? value.then(then) : then(value)
}

function bytes (output) {
  return Buffer.from(output?.bytes() ?? [])
}
