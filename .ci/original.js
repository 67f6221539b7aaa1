// Runs a server that was written for @extism/extism 0.5 against this package, with only its
// plugin's path changed, and compares its answer to the byte.

import { spawn } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'

const ANSWER = `👋 Hello Jane Doe
key: hello, value: 👋 Hello World 🌍
key: message, value: I 💜 Extism 😍`

const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '..')
const folder = mkdtempSync(path.join(tmpdir(), 'original-'))
const modules = path.join(folder, 'node_modules')

mkdirSync(path.join(modules, '@extism'), { recursive: true })
symlinkSync(root, path.join(modules, '@extism', 'extism'))
symlinkSync(path.join(root, 'node_modules', 'fastify'), path.join(modules, 'fastify'))
writeFileSync(path.join(folder, 'package.json'), '{ "type": "module" }')

const wasmFile = JSON.stringify(path.join(root, 'plugin', 'simple.wasm'))
const source = readFileSync(process.argv[2], 'utf8')
const changed = source.replace(/^let wasmFile = .*$/m, `let wasmFile = ${wasmFile}`)
if (changed === source) throw new Error('the original has no line that sets wasmFile')
writeFileSync(path.join(folder, 'server.js'), changed)

const server = spawn(process.execPath, ['server.js'], { cwd: folder, stdio: ['ignore', 'pipe', 'inherit'] })
try {
  let output = ''
  const url = await new Promise((resolve, reject) => {
    server.on('exit', code => reject(new Error(`the original server exited with ${code}: ${output}`)))
    server.stdout.on('data', chunk => {
      output += chunk
      const address = /Server listening at (http:\/\/127\.0\.0\.1:\d+)/.exec(output)
      if (address) resolve(address[1])
    })
  })
  const response = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'text/plain; charset=utf-8' },
    body: 'Jane Doe'
  })
  const answer = await response.text()
  if (answer !== ANSWER) throw new Error(`the original server answered ${JSON.stringify(answer)}`)
  console.log(answer)
} finally {
  server.kill()
  rmSync(folder, { recursive: true })
}
