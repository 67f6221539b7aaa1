'use strict'

// The one door between plugins and this thread: what other threads have for JavaScript comes
// in here, in bursts.

const { AsyncLocalStorage } = require('node:async_hooks')
// The global one may be a test's, and never come.
const { setImmediate } = require('node:timers')
const { ExtismError, fromNative, messageOf } = require('./errors.cjs')
const { HostCall } = require('./host-call.cjs')
const { Environment } = require('./native.cjs')
const { warn } = require('./warn.cjs')

const environment = new Environment(listen, answerNow)

/**
 * What is known of each core, by its number. The core itself is weak, so that one that nobody
 * has can be collected; the rest stays until its last call has settled.
 */
const known = new Map()
const collected = new FinalizationRegistry(async place => {
  await place.native?.close()
  known.delete(place.id)
})
let nextId = 1

/** What host functions threw, until the call they failed has been rejected. */
const causes = new Map()
let nextCause = 0

/** Host calls whose plugins wait for a promise. */
const pending = new Map()

/**
 * The host function this code runs in: its `call`, and the `core` that waits for it. The host
 * function that the core was called from is `call.from`.
 */
const hostFunction = new AsyncLocalStorage()

/**
 * Makes a core known: its number, and places for its native plugin and for `fail`, which makes
 * errors of its failures. Nothing in these may lead back to the core.
 */
function register (core) {
  const place = { id: nextId++, core: new WeakRef(core), native: undefined, fail: fromNative }
  known.set(place.id, place)
  collected.register(core, place)
  return place
}

/** The error for a failed call. */
function errorOf (rejection) {
  const cause = causes.get(rejection.cause)
  causes.delete(rejection.cause)
  return known.get(rejection.plugin).fail({ ...rejection, cause })
}

/**
 * What a burst has for JavaScript, each null if nothing. Nothing in here may throw: it would
 * strand the rest of the burst.
 */
function listen (rejections, events, forgotten, messages, ask) {
  if (ask) setImmediate(turned)
  if (messages) take(messages)
  if (rejections) for (const rejection of rejections) environment.reject(rejection.ticket, errorOf(rejection))
  if (events) for (const event of events) answer(event)
  if (forgotten) for (const id of forgotten) forget(id)
}

/** Nothing comes in for longer than it should before timers and all else have had their turn. */
function turned () {
  environment.turned()
}

/** Has messages printed, and makes room for more once they are, and the event loop has turned. */
async function take (messages) {
  const [places, writes] = [new Set(), []]
  for (const message of messages) {
    const place = known.get(message.plugin)
    places.add(place)
    const write = print(place, message)
    if (write) writes.push(write)
  }
  await Promise.all(writes)
  setImmediate(() => { for (const place of places) makeRoom(place) })
}

/** Passes a message on to the logger, or output to the stream. Never throws. A collected core logs nothing. */
function print ({ core }, { kind, text, bytes }) {
  if (!bytes) return core.deref()?.print(kind, text)
  const stream = process[kind]
  try {
    return written(stream, bytes)
  } catch (error) {
    warn(stream, `what a plugin wrote to ${kind} cannot be printed`, error)
  }
}

/** A promise that there is room for more: these bytes are written, or cannot be. */
function written (stream, bytes) {
  let done
  const promise = new Promise(resolve => { done = resolve })
  stream.write(bytes, done)
  return promise
}

/** The messages that were taken are gone; there may have been too many. */
function makeRoom (place) {
  const dropped = place.native.makeRoom()
  const isHeard = ['trace', 'debug', 'info', 'warn'].includes(place.native.logLevel)
  if (dropped > 0 && isHeard) print(place, { kind: 'warn', text: `${dropped} messages came too fast and were dropped` })
}

function forget (id) {
  pending.get(id)?.end()
  pending.delete(id)
}

function answer (event) {
  const call = new HostCall(environment, event)
  const fail = error => {
    pending.delete(event.id)
    const { cause, message } = failure(error)
    if (!call.fail(cause, message)) causes.delete(cause)
  }
  const finish = values => {
    pending.delete(event.id)
    call.finish(values)
  }
  try {
    const values = run(event, call)
    if (!isPromise(values)) return finish(values)
    pending.set(event.id, call)
    values.then(finish).catch(fail)
  } catch (error) {
    fail(error)
  }
}

/** The same for a call on this thread, which waits right here. */
function answerNow (event) {
  const call = new HostCall(environment, event)
  try {
    const values = run(event, call)
    if (isPromise(values)) {
      // It goes on by itself; nobody is interested any longer.
      values.then(() => {}, () => {})
      throw new ExtismError('ERR_EXTISM_ASYNC', 'it is asynchronous, which callSync cannot wait for; use call')
    }
    return { values, ...call.blocks() }
  } catch (error) {
    return { values: [], offsets: [], blocks: [], ...failure(error) }
  } finally {
    call.end()
  }
}

function run (event, call) {
  const core = known.get(event.plugin).core.deref()
  call.made = core.callOf(event.call)
  call.from = call.made?.from ?? running()
  return hostFunction.run({ call, core }, core.handler(event.function), call)
}

/** The host function that this code runs in, as long as a plugin waits for it. */
function running () {
  const scope = hostFunction.getStore()
  return scope?.call.over ? undefined : scope
}

function isPromise (value) {
  return typeof value?.then === 'function'
}

function failure (error) {
  const cause = nextCause++
  causes.set(cause, error)
  return { cause, message: messageOf(error) }
}

module.exports = { environment, errorOf, register, running }
