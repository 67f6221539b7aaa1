'use strict'

const { typeError, valueError } = require('./check.cjs')
const { ExtismError } = require('./errors.cjs')
const native = require('./native.cjs')

const LEVELS = ['trace', 'debug', 'info', 'warn', 'error']

/** Appends what plugins of this process log from now on, at this level or above, to a file. */
function setLogFile (filename, givenLevel) {
  const level = givenLevel ?? 'info'
  if (typeof filename !== 'string') throw typeError('filename', 'a string', filename)
  if (!LEVELS.includes(level)) throw valueError('level', `one of ${LEVELS.join(', ')}`, level)
  try {
    native.setLogFile(filename, level)
  } catch (cause) {
    throw new ExtismError('ERR_EXTISM_LOG_FILE', `the log file ${filename} cannot be opened: ${cause.message}`, { cause })
  }
  return true
}

module.exports = { setLogFile }
