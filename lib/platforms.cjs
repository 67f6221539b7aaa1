'use strict'

/** The platforms whose addon is a package of its own. npm installs the one whose fields fit. */
const platforms = [
  { name: 'linux-x64-gnu', os: 'linux', cpu: 'x64', libc: 'glibc' },
  { name: 'linux-x64-musl', os: 'linux', cpu: 'x64', libc: 'musl' },
  { name: 'linux-arm64-gnu', os: 'linux', cpu: 'arm64', libc: 'glibc' },
  { name: 'darwin-x64', os: 'darwin', cpu: 'x64' },
  { name: 'darwin-arm64', os: 'darwin', cpu: 'arm64' },
  { name: 'win32-x64-msvc', os: 'win32', cpu: 'x64' }
]

/** The name of a platform's package. */
function packageName (platform) {
  return `extism-napi-${platform.name}`
}

/** The platforms that this process may run on. Which C library it has is left open. */
function candidates () {
  return platforms.filter(({ os, cpu }) => os === process.platform && cpu === process.arch)
}

module.exports = { candidates, packageName, platforms }
