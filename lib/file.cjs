'use strict'

const fs = require('node:fs')
const { describe } = require('./check.cjs')
const { MAX_BYTES, refused } = require('./download.cjs')

/** A pipe that nobody writes to is opened, too, without waiting. */
const FLAGS = fs.constants.O_RDONLY | fs.constants.O_NONBLOCK

/** No system has longer ones. */
const MAX_PATH = 64 << 10

/** The bytes of a file, which is one that ends. */
async function read (path) {
  const file = await fs.promises.open(checkPath(path), FLAGS)
  try {
    check(path, await file.stat())
    return await file.readFile()
  } finally {
    await file.close()
  }
}

/** The same, while this thread waits. */
function readSync (path) {
  const file = fs.openSync(checkPath(path), FLAGS)
  try {
    check(path, fs.fstatSync(file))
    return fs.readFileSync(file)
  } finally {
    fs.closeSync(file)
  }
}

/** Node.js itself cannot take a path of any length. */
function checkPath (path) {
  if (typeof path !== 'string' || path.length <= MAX_PATH) return path
  throw Object.assign(new Error(`ENAMETOOLONG: name too long, open ${describe(path)}`), { code: 'ENAMETOOLONG' })
}

function check (path, stats) {
  if (stats.size > MAX_BYTES) throw refused(`${describe(String(path))} is larger than ${MAX_BYTES} bytes`)
  // Of a directory, the system says so itself.
  if (!stats.isFile() && !stats.isDirectory()) throw refused(`${describe(String(path))} is a device or a pipe, not a file`)
}

module.exports = { read, readSync }
