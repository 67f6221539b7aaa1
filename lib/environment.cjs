'use strict'

// The loop that JavaScript's thread turns for plugins: it runs the calls of a turn of the event
// loop together, at its end, calls their host functions, and settles what has ended. JavaScript
// pulls: the addon calls nothing but `ring`, once for a burst of other threads.

const { nextTick } = require('node:process')
const { setImmediate } = require('node:timers')
const { ExtismError, messageOf } = require('./errors.cjs')
const { HostCall } = require('./host-call.cjs')
const { currentHostFunction, runHostFunction } = require('./host-scope.cjs')
const box = require('./mailbox.cjs')
const { Environment, Event, signalsChanged } = require('./native.cjs')
const { isMainThread } = require('node:worker_threads')
const { warn } = require('./warn.cjs')

/** Handles of plugins by number, weak, so that one that nobody has can be collected. */
const handles = new Map()
const collected = new FinalizationRegistry(id => { handles.delete(id) })
let nextHandle = 1

/** What has not ended, by number: see `begin`. Its handle is kept for as long. */
const operations = new Map()
let nextOperation = 1

/** What host functions threw, until the call they failed has been rejected. */
const causes = new Map()
let nextCause = 0

/** Host calls whose plugins wait for a promise. */
const pending = new Map()

const environment = new Environment(box.mailbox, () => { if (!armed) drain() })
const [turn, resume, step, stepNative, callNative, callSyncNative, finish, finishStep, finishStepSync, alloc, store] = environment.crossings()

/** What a host call needs of the addon. */
const natives = { environment, alloc, store }

/** Whether there will be a turn of the loop. */
let armed = false
/** Whether code runs that waited for calls of this turn, and whether it has made further ones. */
let following = false
let followed = false
const resolved = Promise.resolve()
/** Whether the event loop goes on for what is pending. */
let keptAlive = false

/** Only the main thread has listeners for signals. */
let watchesSignals = !isMainThread

/**
 * A listener for a signal can take the place of the handler that tells the runtime of traps. Once
 * there is a plugin, the addon is told of each, through listeners that everyone can see.
 */
function watchSignals () {
  if (watchesSignals) return
  watchesSignals = true
  for (const event of ['newListener', 'removeListener']) {
    process.on(event, name => { if (/^SIG(SEGV|ILL|BUS|FPE)$/.test(String(name))) signalsChanged() })
  }
}

/** Makes a handle known: its number. */
function register (handle) {
  watchSignals()
  const id = nextHandle++
  handles.set(id, new WeakRef(handle))
  collected.register(handle, id)
  return id
}

/** Makes an operation known: its number. `settle` is called with an error or a result, once. */
function begin (operation) {
  const id = nextOperation++
  operations.set(id, operation)
  return id
}

/** Sees to it that the loop turns. */
function arm () {
  if (armed || followed) return
  if (following) followed = true
  else nextTurn()
}

function nextTurn () {
  armed = true
  setImmediate(drain)
}

/** One turn. */
function drain () {
  armed = false
  work(turn())
}

/** Nothing in here may throw: it would strand the rest. */
function work (first) {
  let event = first
  while (event !== Event.Idle && event !== Event.TurnOver) event = attend(event, false) ?? step()
  if (event === Event.TurnOver) return nextTurn()
  if ((operations.size > 0) !== keptAlive) {
    keptAlive = !keptAlive
    environment.keepAlive(keptAlive)
  }
  follow()
}

/**
 * Whoever awaits one call after another makes the next one before the event loop turns. Such calls
 * do not wait for that: they run once all that code has, as long as the turn has time left.
 */
function follow () {
  following = true
  afterThisCode(() => {
    following = false
    if (followed) afterThisCode(goOn)
  })
}

function goOn () {
  followed = false
  if (!armed) work(resume())
}

/** Has `f` called after all ticks and microtasks that are queued, or that those queue. */
function afterThisCode (f) {
  resolved.then(() => nextTick(f))
}

/** Puts a call in the queue. `length`: see `putInput`. */
function call (plugin, id, index, length, timeoutMs) {
  callNative(plugin, id, index, length, timeoutMs)
  arm()
}

/** Runs a call to its end on this thread, which waits. */
function callSync (plugin, id, index, length, timeoutMs) {
  let event = callSyncNative(plugin, id, index, length, timeoutMs)
  for (;;) {
    const next = event === Event.Waiting ? undefined : attend(event, true)
    if (!operations.has(id)) return
    event = next ?? stepSync()
  }
}

/** A function of its own, so that a thread which is to end does so between two steps. */
function stepSync () {
  return stepNative()
}

/** Makes bytes or a text the input of the next call: how many bytes of the mailbox it has. */
function putInput (input) {
  const length = typeof input === 'string' ? box.putText(input) : box.putBytes(input)
  if (length >= 0) return length
  environment.putInput(input)
  return 0
}

/** Does what an event asks for. The next event, if it is known. */
function attend (event, isSync) {
  switch (event) {
    case Event.Output: return settleOutput(box.operation(), box.outputLength)
    case Event.NoOutput: return settleOutput(box.operation(), () => null)
    case Event.HostCall: return answer(box.hostCall(), isSync)
    case Event.Message: return print(box.message())
    case Event.LargeOutput: return settleOutput(box.operation(), () => environment.takeBytes())
    case Event.Failure: return settle(box.operation(), environment.takeFailure())
    case Event.Forget: return forget(box.operation())
  }
}

function settle (id, failure, output) {
  const operation = operations.get(id)
  operations.delete(id)
  if (failure === undefined) return operation?.settle(undefined, output)
  const { cause } = failure
  const error = { ...failure, cause: causes.has(cause) ? causes.get(cause) : operation?.late }
  causes.delete(cause)
  operation?.settle(error)
}

/** Node.js may have no room for an output, see PluginHandle; its call fails then, and no other one. */
function settleOutput (id, take) {
  let output
  try {
    output = operations.get(id)?.handle.output(take())
  } catch (error) {
    return settle(id, { code: 'ERR_EXTISM_OUT_OF_MEMORY', message: `Node.js has no room for the output: ${messageOf(error)}` })
  }
  return settle(id, undefined, output)
}

function forget (id) {
  pending.get(id)?.end()
  pending.delete(id)
}

function answer (event, isSync) {
  const operation = operations.get(event.operation)
  const call = new HostCall(natives, event, operation)
  call.from = operation?.from ?? currentHostFunction()
  try {
    const values = runHostFunction(operation, call, event.function)
    if (typeof values?.then !== 'function') return call.finish(values, isSync ? finishStepSync : finishStep)
    if (isSync) {
      // It goes on by itself; nobody is interested any longer.
      values.then(() => {}, () => {})
      throw new ExtismError('ERR_EXTISM_ASYNC', 'it is asynchronous, which callSync cannot wait for; use call')
    }
    pending.set(event.id, call)
    values.then(values => { pending.delete(event.id); call.finish(values, finish) }).catch(error => { pending.delete(event.id); fail(call, error) }).then(arm)
  } catch (error) {
    fail(call, error)
  }
}

function fail (call, error) {
  const cause = nextCause++
  causes.set(cause, error)
  if (call.fail(cause, messageOf(error))) return
  causes.delete(cause)
  // The call has been stopped. If it has not settled yet, this may be why it took too long.
  if (call.operation !== undefined) call.operation.late = error
}

const KINDS = ['trace', 'debug', 'info', 'warn', 'error', undefined, 'stdout', 'stderr']

/** Passes a message on to the logger, or output to the stream. A collected plugin logs nothing. */
function print ({ operation, plugin, kind, length }) {
  const name = KINDS[kind]
  if (kind <= 4) {
    handles.get(plugin)?.deref()?.print(name, box.text(length), operations.get(operation), operation)
    return
  }
  const stream = process[name]
  try {
    stream.write(box.copy(length), () => environment.printed())
  } catch (error) {
    environment.printed()
    warn(stream, `what a plugin wrote to ${name} cannot be printed`, error)
  }
}

module.exports = { arm, begin, call, callSync, environment, operations, putInput, register }
