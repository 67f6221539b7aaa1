'use strict'

// Each package is named in a call of `require` that bundlers, and what copies an application's
// files for a server, can read.

/** The platforms whose addon is a package of its own. npm installs the one whose fields fit. */
const platforms = [
  { name: 'linux-x64-gnu', os: 'linux', cpu: 'x64', libc: 'glibc', load: () => require('extism-napi-linux-x64-gnu') },
  { name: 'linux-x64-musl', os: 'linux', cpu: 'x64', libc: 'musl', load: () => require('extism-napi-linux-x64-musl') },
  { name: 'linux-arm64-gnu', os: 'linux', cpu: 'arm64', libc: 'glibc', load: () => require('extism-napi-linux-arm64-gnu') },
  { name: 'darwin-x64', os: 'darwin', cpu: 'x64', load: () => require('extism-napi-darwin-x64') },
  { name: 'darwin-arm64', os: 'darwin', cpu: 'arm64', load: () => require('extism-napi-darwin-arm64') },
  { name: 'win32-x64-msvc', os: 'win32', cpu: 'x64', load: () => require('extism-napi-win32-x64-msvc') }
]

/** The platforms that this process may run on. Which C library it has is left open. */
function candidates () {
  return platforms.filter(({ os, cpu }) => os === process.platform && cpu === process.arch)
}

module.exports = { candidates, platforms }
