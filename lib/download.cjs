'use strict'

const { MessageChannel, Worker, receiveMessageOnPort } = require('node:worker_threads')
const { ExtismError } = require('./errors.cjs')
const { chunksOf, isSuccess } = require('./response.cjs')

const MAX_BYTES = 256 << 20
const TIMEOUT_MS = 60_000
/** How long a worker may take to start: one that cannot does not say so while its parent waits. */
const START_TIMEOUT_MS = 5_000

/** The bytes at a URL. */
function download (url) {
  return timely(async signal => {
    const response = await fetch(url, { redirect: 'follow', signal }).catch(error => {
      // What fetch rejects with says no more than that it failed.
      throw error.cause instanceof Error ? error.cause : error
    })
    return body(response)
  })
}

/** What `f` gives, which is to end with the signal, after a minute. */
async function timely (f) {
  const signal = AbortSignal.timeout(TIMEOUT_MS)
  try {
    return await f(signal)
  } catch (cause) {
    throw signal.aborted ? refused(`it took longer than ${TIMEOUT_MS / 1000} s to download`, cause) : cause
  }
}

/** The bytes of a response. */
async function body (response) {
  if (!isSuccess(response)) throw refused(`the server answered ${response.status}`)
  const chunks = []
  let length = 0
  for await (const chunk of chunksOf(response, refused)) {
    length += chunk.length
    if (length > MAX_BYTES) throw refused(`it is larger than ${MAX_BYTES} bytes`)
    chunks.push(chunk)
  }
  return Buffer.concat(chunks)
}

function refused (message, cause) {
  return new ExtismError('ERR_EXTISM_MANIFEST', message, { cause })
}

const STARTED = 1
const ENDED = 2

const WORKER = `
const { workerData: { file, url, port, progress } } = require('node:worker_threads')
function report (step) {
  Atomics.store(progress, 0, step)
  Atomics.notify(progress, 0)
}
report(${STARTED})
Promise.resolve().then(() => require(file).download(url))
  .then(bytes => port.postMessage({ bytes }), error => port.postMessage({ error: error.message }))
  .finally(() => {
    report(${ENDED})
    port.close()
  })
`

/**
 * The same, while this thread waits. The legacy constructors are synchronous and take URLs, so
 * there is no other way.
 */
function downloadSync (url) {
  const { port1, port2 } = new MessageChannel()
  const progress = new Int32Array(new SharedArrayBuffer(4))
  const worker = new Worker(WORKER, {
    eval: true,
    execArgv: [],
    workerData: { file: __filename, url, port: port2, progress },
    transferList: [port2]
  })
  worker.unref()
  // It is known by then, and would be an uncaught exception.
  worker.on('error', () => {})
  const started = Atomics.wait(progress, 0, 0, START_TIMEOUT_MS) !== 'timed-out'
  if (started) Atomics.wait(progress, 0, STARTED, TIMEOUT_MS + 5_000)
  const { bytes, error = started ? 'it took too long' : 'no thread can be started for it' } = receiveMessageOnPort(port1)?.message ?? {}
  port1.close()
  if (bytes === undefined) throw new Error(error)
  return bytes
}

module.exports = { MAX_BYTES, body, download, downloadSync, refused, timely }
