// Makes the packages that are published, each a folder in FOLDER: pack.cjs FOLDER [ADDONS]. The
// addon of each platform is its own package, and the main package needs no Rust to be installed.
// ADDONS has the addons as PLATFORM/extism-napi.node; without it, the one that was built in this
// checkout is packed, for this platform.

const { cpSync, existsSync, mkdirSync, rmSync, writeFileSync } = require('node:fs')
const path = require('node:path')
const manifest = require('../package.json')
const { candidates, platforms } = require('../lib/platforms.cjs')

const ADDON = 'extism-napi.node'
const FILES = ['index.js', 'index.cjs', 'index.d.ts', 'index.d.cts', 'lib', 'README.md', 'LICENSE', 'CHANGELOG.md', 'SECURITY.md', 'docs']
/** What only a checkout needs. npm needs no script to install the package: the addon comes built. */
const CHECKOUT = ['private', 'files', 'scripts', 'devDependencies', 'overrides']

const root = path.join(__dirname, '..')
const [folder, addons] = process.argv.slice(2)

function fail (sentence) {
  console.error(`pack.cjs: ${sentence}`)
  process.exit(1)
}

function packageName (platform) {
  return `${manifest.name}-${platform.name}`
}

/** The platform of this process, with its C library. */
function thisPlatform () {
  const libc = process.report.getReport().header.glibcVersionRuntime ? 'glibc' : 'musl'
  return candidates().find(platform => platform.libc === undefined || platform.libc === libc)
}

/** The addons to pack: a platform and a file. */
function builtAddons () {
  if (addons) return platforms.map(platform => [platform, path.join(addons, platform.name, ADDON)])
  return [[thisPlatform() ?? fail(`${process.platform}-${process.arch} has no package`), path.join(root, ADDON)]]
}

function writePackage (name, json, files) {
  const target = path.join(folder, name)
  rmSync(target, { recursive: true, force: true })
  mkdirSync(target, { recursive: true })
  writeFileSync(path.join(target, 'package.json'), `${JSON.stringify(json, null, 2)}\n`)
  for (const [file, source] of files) cpSync(source, path.join(target, file), { recursive: true })
  console.log(target)
}

if (!folder) fail('usage: pack.cjs FOLDER [ADDONS]')

const built = builtAddons()
for (const [, file] of built) {
  if (!existsSync(file)) fail(`${file} is missing`)
}
const { version, license, engines } = manifest
for (const [platform, file] of built) {
  const name = packageName(platform)
  writePackage(name, {
    name,
    version,
    description: `The native addon of extism-napi for ${platform.name}`,
    license,
    main: ADDON,
    engines,
    os: [platform.os],
    cpu: [platform.cpu],
    libc: platform.libc && [platform.libc]
  }, [[ADDON, file]])
}

const published = Object.fromEntries(Object.entries(manifest).filter(([field]) => !CHECKOUT.includes(field)))
published.optionalDependencies = Object.fromEntries(platforms.map(platform => [packageName(platform), version]))
writePackage(manifest.name, published, FILES.map(file => [file, path.join(root, file)]))
