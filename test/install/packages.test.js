import assert from 'node:assert/strict'
import { execFile, execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { cpSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { after, before, describe, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { platforms } from '../../lib/platforms.cjs'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))
const WASM = path.join(ROOT, 'plugin/simple.wasm')

const ANSWER = `👋 Hello Jane Doe
key: hello, value: 👋 Hello World 🌍
key: message, value: I 💜 Extism 😍`

/** The server of serve.cjs from both module systems. */
const SERVERS = {
  'an ECMAScript module': ['--input-type=module', '-e', `
    import * as extism from 'extism-napi'
    import serve from './serve.cjs'
    serve(extism, ${JSON.stringify(WASM)})`],
  'a CommonJS module': ['-e', `require('./serve.cjs')(require('extism-napi'), ${JSON.stringify(WASM)})`]
}

const folder = mkdtempSync(path.join(tmpdir(), 'extism-napi-install-'))
after(() => rmSync(folder, { recursive: true }))

// No cargo, and nothing that an earlier install or run has left: npm's cache, compiled plugins.
const bin = path.join(folder, 'bin')
const env = { PATH: bin, HOME: folder }

/** The packages that are published, as files. */
let main, platform

before(() => {
  mkdirSync(bin)
  symlinkSync(process.execPath, path.join(bin, 'node'))
  symlinkSync('/bin/sh', path.join(bin, 'sh'))
  symlinkSync(realpathSync(execFileSync('/bin/sh', ['-c', 'command -v npm'], { encoding: 'utf8' }).trim()), path.join(bin, 'npm'))

  const packages = path.join(folder, 'packages')
  execFileSync(process.execPath, [path.join(ROOT, 'scripts/pack.cjs'), packages])
  const folders = readdirSync(packages).map(name => path.join(packages, name))
  execFileSync('npm', ['pack', ...folders, '--pack-destination', folder], { env, stdio: 'ignore' })
  const files = readdirSync(folder).filter(name => name.endsWith('.tgz')).map(name => path.join(folder, name))
  main = files.find(name => /extism-napi-\d/.test(name))
  platform = files.find(name => name !== main)
})

/** A new folder in which these packages are installed. */
async function install (name, files) {
  const cwd = path.join(folder, name)
  mkdirSync(cwd)
  await promisify(execFile)('npm', ['install', '--offline', ...files], { cwd, env })
  return cwd
}

/** What the server in a folder answers to the article's request. */
async function answer (cwd, args) {
  const server = spawn('node', args, { cwd, env, stdio: ['ignore', 'pipe', 'inherit'] })
  try {
    const [port] = await Promise.race([
      once(server.stdout, 'data'),
      once(server, 'exit').then(([code]) => assert.fail(`the server exited with ${code}`))
    ])
    const response = await fetch(`http://127.0.0.1:${String(port).trim()}`, {
      method: 'POST',
      headers: { 'content-type': 'text/plain; charset=utf-8' },
      body: 'Jane Doe'
    })
    return await response.text()
  } finally {
    server.kill()
  }
}

/** The error that the package fails to load with: its message and whether it has a cause. */
async function loadError (cwd) {
  const script = 'try { require("extism-napi") } catch ({ message, cause }) { console.log(JSON.stringify([message, Boolean(cause)])) }'
  const { stdout } = await promisify(execFile)('node', ['-e', script], { cwd, env })
  return JSON.parse(stdout)
}

describe('the packages, installed without cargo and without a registry', () => {
  test('have no Rust in the main package, and no script that runs when it is installed', async () => {
    const cwd = await install('content', [main])
    const installed = path.join(cwd, 'node_modules/extism-napi')
    const files = readdirSync(installed, { recursive: true })
    assert.deepEqual(files.filter(name => /\.rs$|Cargo|\.node$/.test(name)), [])
    assert.ok(files.includes('index.d.cts'))
    const manifest = JSON.parse(readFileSync(path.join(installed, 'package.json')))
    assert.equal(manifest.scripts, undefined)
    assert.equal(manifest.optionalDependencies[path.basename(platform).replace(/-\d.*/, '')], manifest.version)
  })

  for (const [from, args] of Object.entries(SERVERS)) {
    test(`answer the article's request from ${from}`, async t => {
      const start = performance.now()
      const cwd = await install(from, [main, platform])
      cpSync(new URL('serve.cjs', import.meta.url), path.join(cwd, 'serve.cjs'))
      assert.equal(await answer(cwd, args), ANSWER)
      t.diagnostic(`from npm install to the answer: ${((performance.now() - start) / 1000).toFixed(1)} s`)
    })
  }

  test('are loaded by their own names', () => {
    for (const { name, load } of platforms) assert.ok(String(load).includes(`'extism-napi-${name}'`), name)
  })

  test('are those that the workflow builds', () => {
    const workflow = readFileSync(path.join(ROOT, '.github/workflows/addons.yml'), 'utf8')
    const built = [...workflow.matchAll(/platform: ([\w-]+),/g)].map(([, name]) => name)
    assert.deepEqual(built.sort(), platforms.map(({ name }) => name).sort())
  })

  test('say in one sentence where there is an addon, and how to build one, when none is installed', async () => {
    const cwd = await install('none', [main])
    assert.deepEqual(await loadError(cwd), [
      `The native addon of extism-napi cannot be loaded on ${process.platform}-${process.arch} (none is installed): `
      + 'npm installs it for linux-x64-gnu, linux-x64-musl, linux-arm64-gnu, darwin-x64, darwin-arm64, win32-x64-msvc '
      + 'unless it omits optional packages, and "npm install" in a clone of the repository builds it, which needs Rust 1.95 or newer',
      false
    ])
  })

  test('say why an addon that is installed cannot be loaded', async () => {
    const cwd = await install('damaged', [main, platform])
    const [name] = readdirSync(path.join(cwd, 'node_modules')).filter(name => name.startsWith('extism-napi-'))
    writeFileSync(path.join(cwd, 'node_modules', name, 'extism-napi.node'), 'not an addon')
    const [message, caused] = await loadError(cwd)
    assert.match(message, /^The native addon of extism-napi cannot be loaded on \S+ \(.*extism-napi\.node.*\): npm installs it for [^\n]*$/)
    assert.ok(caused)
  })
})
