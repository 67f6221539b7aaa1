// Errors, and what concerns the process, as an ES module sees it. It is only type-checked, never run.

import { ExtismError, extismVersion, setLogFile } from 'extism-napi'
import type { AbortError, ExtismErrorCode, ExtismErrorDetails } from 'extism-napi'
import { expectType } from './exact.js'

// Errors

const details: ExtismErrorDetails = { cause: new Error('why'), plugin: 0, function: 'run', exitCode: 1, backtrace: '' }
const error = new ExtismError('ERR_EXTISM_TRAP', 'message', details)
expectType<ExtismErrorCode>()(error.code, true)
expectType<unknown>()(error.cause, true)
expectType<number | undefined>()(error.plugin, true)
expectType<string | undefined>()(error.function, true)
expectType<number | undefined>()(error.exitCode, true)
expectType<string | undefined>()(error.backtrace, true)
expectType<string>()(error.message + error.name, true)

/** What each code means for an HTTP server; a code that is missing here does not compile. */
export function statusOf (reason: unknown): number {
  if (!(reason instanceof ExtismError)) return 500
  switch (reason.code) {
    case 'ERR_EXTISM_TIMEOUT':
      return 504
    case 'ABORT_ERR':
      return 499
    case 'ERR_EXTISM_BUSY':
    case 'ERR_EXTISM_CALL_DEPTH':
    case 'ERR_EXTISM_CANCELLED':
    case 'ERR_EXTISM_CLOSED':
    case 'ERR_EXTISM_QUEUE_FULL':
    case 'ERR_EXTISM_QUEUE_TIMEOUT':
      return 503
    case 'ERR_EXTISM_EXIT':
    case 'ERR_EXTISM_GUEST':
      return 422
    case 'ERR_EXTISM_FUNCTION_NOT_FOUND':
      return 404
    case 'ERR_EXTISM_HOST_FUNCTION':
    case 'ERR_EXTISM_HTTP':
      return 502
    case 'ERR_EXTISM_COMPILE_LIMIT':
    case 'ERR_EXTISM_FUEL':
    case 'ERR_EXTISM_OUT_OF_MEMORY':
      return 507
    case 'ERR_EXTISM_ASYNC':
    case 'ERR_EXTISM_COMPILE_PROCESS':
    case 'ERR_EXTISM_INSTANCE':
    case 'ERR_EXTISM_INTERNAL':
    case 'ERR_EXTISM_LINK':
    case 'ERR_EXTISM_LOG_FILE':
    case 'ERR_EXTISM_MANIFEST':
    case 'ERR_EXTISM_MEMORY':
    case 'ERR_EXTISM_MODULE':
    case 'ERR_EXTISM_REENTRANT':
    case 'ERR_EXTISM_SIGNAL':
    case 'ERR_EXTISM_STALE':
    case 'ERR_EXTISM_TRAP':
    case 'ERR_EXTISM_UNSUPPORTED':
      return 500
    default:
      return reason.code satisfies never
  }
}

export function wasAborted (reason: ExtismError): reason is AbortError {
  return reason.code === 'ABORT_ERR'
}

export const aborted: (error: AbortError) => 'ABORT_ERR' = error => error.code

// @ts-expect-error: its class is not exported
if (error instanceof AbortError) error.cause
// @ts-expect-error: no such code
export const unknownCode = new ExtismError('ERR_EXTISM_OTHER', 'message')
// @ts-expect-error: no such code
export const comparison = error.code === 'ERR_EXTISM_TIMED_OUT'
// @ts-expect-error: the code stays
error.code = 'ERR_EXTISM_EXIT'

// The process

expectType<true>()(setLogFile('plugins.log'), true)
expectType<true>()(setLogFile('plugins.log', 'debug'), true)
expectType<string>()(extismVersion(), true)

// @ts-expect-error: no such level
setLogFile('plugins.log', 'verbose')
// @ts-expect-error: no such export
export type { NumericType } from 'extism-napi'
