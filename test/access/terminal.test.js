import { test } from 'node:test'
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import path from 'node:path'
import { directory } from '../modern/making.js'

/** Of WASI: a character device, and the rights to seek and to tell. */
const TERMINAL = 2
const SEEK_AND_TELL = 0x24

/** Prints what `fd_fdstat_get` says of standard output and error, in either API. */
const SCRIPT = `
  import { Plugin, createPlugin } from ${JSON.stringify(new URL('../../index.js', import.meta.url).href)}
  import { guest } from ${JSON.stringify(new URL('../helpers.js', import.meta.url).href)}
  const data = guest(\`(func (export "stat") (local $block i64)
    (drop (call $stat (i32.wrap_i64 (call $input_load_u64 (i64.const 0))) (i32.const 0)))
    (local.set $block (call $put (i32.const 0) (i32.const 24)))
    (call $give (local.get $block)))\`, { user: '(import "wasi_snapshot_preview1" "fd_fdstat_get" (func $stat (param i32 i32) (result i32)))' })
  const plugins = [new Plugin({ wasm: [{ data }] }, true), await createPlugin(data, { useWasi: true, enableWasiOutput: true })]
  for (const plugin of plugins) for (const fd of [1, 2]) {
    const input = Buffer.alloc(8)
    input.writeInt32LE(fd)
    const { buffer, byteOffset } = await plugin.call('stat', input)
    const stat = new DataView(buffer, byteOffset, 24)
    console.log([fd, stat.getUint8(0) === ${TERMINAL}, (stat.getBigUint64(8, true) & BigInt(${SEEK_AND_TELL})) !== 0n].join(' '))
  }
`

// `script` gives a process a terminal. It is part of util-linux; those of other systems take other arguments.
if (process.platform === 'linux') {
  test('a plugin whose output goes to a terminal sees one, which cannot seek', t => {
    const file = path.join(directory(t), 'script.mjs')
    writeFileSync(file, SCRIPT)
    const environment = { ...process.env, EXTISM_ENABLE_WASI_OUTPUT: '1' }
    const lines = output => String(output).trim().split(/\r?\n/)
    const command = `'${process.execPath}' --no-warnings '${file}'`
    const inTerminal = execFileSync('script', ['-qec', command, '/dev/null'], { env: environment, stdio: ['ignore', 'pipe', 'inherit'] })
    assert.deepEqual(lines(inTerminal), ['1 true false', '2 true false', '1 true false', '2 true false'])
    const elsewhere = execFileSync('/bin/sh', ['-c', `${command} 2>/dev/null | cat`], { env: environment })
    for (const line of lines(elsewhere)) assert.match(line, /^[12] false/)
  })
}
