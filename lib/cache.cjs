'use strict'

const fs = require('node:fs')
const os = require('node:os')
const path = require('node:path')
const { typeError } = require('./check.cjs')

/** Directories, and whether they can be used. */
const usable = new Map()

/**
 * Where to keep compiled code, for `true` (the user's cache directory), `false` (nowhere) or a
 * directory. A cache that cannot be used is not an error: it only costs the time to compile.
 */
function cacheDirectory (given) {
  const cache = given ?? true
  if (cache === false) return undefined
  if (cache !== true && (typeof cache !== 'string' || cache === '')) throw typeError('cache', 'true, false or a directory', cache)
  const directory = cache === true ? defaultDirectory() : path.resolve(cache)
  if (!usable.has(directory)) usable.set(directory, prepare(directory))
  return usable.get(directory) ? directory : undefined
}

function defaultDirectory () {
  const { platform, env } = process
  if (env.XDG_CACHE_HOME) return path.join(env.XDG_CACHE_HOME, 'extism-napi')
  const home = homeDirectory()
  if (platform === 'darwin') return path.join(home, 'Library', 'Caches', 'extism-napi')
  if (platform === 'win32') return path.join(env.LOCALAPPDATA ?? path.join(home, 'AppData', 'Local'), 'extism-napi')
  return path.join(home, '.cache', 'extism-napi')
}

/** Not every user has one. */
function homeDirectory () {
  try {
    return os.homedir()
  } catch {
    return ''
  }
}

function prepare (directory) {
  // The home directory may be unknown.
  if (!path.isAbsolute(directory)) return false
  try {
    makeDirectory(directory)
    return isPrivate(directory)
  } catch {
    return false
  }
}

/** With its parents. Node's own way to do so never ends in places such as /proc. */
function makeDirectory (directory) {
  if (fs.existsSync(directory)) return
  makeDirectory(path.dirname(directory))
  try {
    fs.mkdirSync(directory, { mode: 0o700 })
  } catch (error) {
    // Another process may have been faster.
    if (error.code !== 'EEXIST') throw error
  }
}

/** What is in there is run as native code: nobody else may write to it. */
function isPrivate (directory) {
  if (process.getuid === undefined) return true
  const { mode, uid } = fs.statSync(directory)
  return uid === process.getuid() && (mode & 0o022) === 0
}

module.exports = { cacheDirectory }
