'use strict'

const fs = require('node:fs')
const os = require('node:os')
const path = require('node:path')
const { typeError } = require('./check.cjs')

/**
 * Each engine has a thread of low priority that keeps statistics of the cache. It has to be
 * through with them before it goes, so it gets little to do.
 */
const HOUSEKEEPING = [
  'worker-event-queue-size = "1"',
  'optimized-compression-usage-counter-threshold = "1000000000"'
]

/** By directory; undefined where it cannot be used. */
const files = new Map()

/**
 * The file that tells the runtime where to keep compiled code, for `true` (the user's cache
 * directory), `false` (nowhere) or a directory. A cache that cannot be used is not an error: it
 * only costs the time to compile.
 */
function cacheFile (cache = true) {
  if (cache === false) return undefined
  if (cache !== true && (typeof cache !== 'string' || cache === '')) throw typeError('cache', 'true, false or a directory', cache)
  const directory = cache === true ? defaultDirectory() : path.resolve(cache)
  if (!files.has(directory)) files.set(directory, prepare(directory))
  return files.get(directory)
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
  if (!path.isAbsolute(directory)) return undefined
  try {
    makeDirectory(directory)
    if (!isPrivate(directory)) return undefined
    const file = path.join(directory, 'extism-napi.toml')
    const content = [
      '[cache]',
      `directory = ${JSON.stringify(path.join(directory, 'modules'))}`,
      ...HOUSEKEEPING,
      ''
    ].join('\n')
    // Renamed into place: another process may be reading it.
    const draft = `${file}.${process.pid}.${files.size}`
    fs.writeFileSync(draft, content)
    fs.renameSync(draft, file)
    return file
  } catch {
    return undefined
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

module.exports = { cacheFile }
