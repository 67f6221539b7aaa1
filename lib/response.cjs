'use strict'

const { bytesOf } = require('./check.cjs')

// The option `fetch` may be a wrapper or a test double, whose responses have only some of the
// properties of a `Response`.

/**
 * The body of a response in chunks: from its stream, or else from `arrayBuffer()`. `refuse` makes the
 * error for a response that has neither.
 */
async function * chunksOf (response, refuse) {
  const { body } = response
  if (typeof body?.[Symbol.asyncIterator] === 'function') {
    for await (const chunk of body) yield bytesOfChunk(chunk, refuse)
  } else if (typeof response.arrayBuffer === 'function') {
    yield bytesOfChunk(await response.arrayBuffer(), refuse)
  } else if (body !== null) {
    throw refuse('the response of fetch has neither a body that is a stream nor arrayBuffer()')
  }
}

function bytesOfChunk (chunk, refuse) {
  const bytes = typeof chunk === 'string' ? Buffer.from(chunk) : bytesOf(chunk)
  if (bytes === undefined) throw refuse('the body of the response of fetch is not made of bytes')
  return bytes
}

/** The headers of a response; none where it has no such property. */
function headersOf ({ headers }) {
  return headers instanceof Headers ? headers : new Headers(headers ?? undefined)
}

/** Whether the server answered with success. */
function isSuccess ({ ok, status = 200 }) {
  return ok ?? (status >= 200 && status < 300)
}

/** Frees the connection of a response whose body is not going to be read. */
async function discard ({ body }) {
  // A Node.js stream has no cancel().
  if (typeof body?.cancel === 'function') await body.cancel()
  else body?.destroy?.()
}

module.exports = { chunksOf, discard, headersOf, isSuccess }
