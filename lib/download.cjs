'use strict'

const { MessageChannel, Worker, receiveMessageOnPort } = require('node:worker_threads')

const MAX_BYTES = 256 << 20
const TIMEOUT_MS = 60_000

/** The bytes at a URL. */
async function download (url) {
  const response = await fetch(url, { redirect: 'follow', signal: AbortSignal.timeout(TIMEOUT_MS) }).catch(error => {
    // What fetch rejects with says no more than that it failed.
    throw error.cause instanceof Error ? error.cause : error
  })
  return body(response)
}

/** The bytes of a response. */
async function body (response) {
  if (!response.ok) throw refused(`the server answered ${response.status}`)
  const chunks = []
  let length = 0
  for await (const chunk of response.body ?? []) {
    length += chunk.length
    if (length > MAX_BYTES) throw refused(`it is larger than ${MAX_BYTES} bytes`)
    chunks.push(chunk)
  }
  return Buffer.concat(chunks)
}

function refused (message) {
  return Object.assign(new Error(message), { code: 'ERR_EXTISM_MANIFEST' })
}

const WORKER = `
const { workerData: { file, url, port, signal } } = require('node:worker_threads')
require(file).download(url)
  .then(bytes => port.postMessage({ bytes }), error => port.postMessage({ error: error.message }))
  .finally(() => {
    Atomics.store(signal, 0, 1)
    Atomics.notify(signal, 0)
    port.close()
  })
`

/**
 * The same, while this thread waits. The legacy constructors are synchronous and take URLs, so
 * there is no other way.
 */
function downloadSync (url) {
  const { port1, port2 } = new MessageChannel()
  const signal = new Int32Array(new SharedArrayBuffer(4))
  const worker = new Worker(WORKER, {
    eval: true,
    execArgv: [],
    workerData: { file: __filename, url, port: port2, signal },
    transferList: [port2]
  })
  worker.unref()
  Atomics.wait(signal, 0, 0, TIMEOUT_MS + 5_000)
  const { bytes, error = 'it took too long' } = receiveMessageOnPort(port1)?.message ?? {}
  port1.close()
  if (bytes === undefined) throw new Error(error)
  return bytes
}

module.exports = { body, download, downloadSync }
