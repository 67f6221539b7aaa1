import { after, before, describe, test } from 'node:test'
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { closeSync, mkdtempSync, openSync, read, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { promisify } from 'node:util'
import { Plugin, extismVersion, setLogFile } from '../../index.js'
import { pluginBytes } from '../helpers.js'

describe("setLogFile(filename, level = 'info')", () => {
  let directory
  before(() => { directory = mkdtempSync(path.join(tmpdir(), 'extism-napi-')) })
  after(() => rmSync(directory, { recursive: true }))

  /** What the plugin of an era logs at a level, line by line. */
  async function logged (name, level, { era = 'modern', message = 'a message' } = {}) {
    const file = path.join(directory, name)
    setLogFile(...[file, level].filter(Boolean))
    const plugin = new Plugin(pluginBytes(`${era}.wat`))
    await plugin.call('log', message)
    plugin.free()
    return readFileSync(file, 'utf8').trimEnd().split('\n').filter(Boolean)
  }

  for (const era of ['modern', '2023']) {
    test(`a plugin of the ${era} era logs into the file, by default from info on`, async () => {
      const lines = await logged(`default-${era}`, undefined, { era, message: 'wörds' })
      assert.equal(lines.length, 3)
      for (const [i, level] of ['info', 'warn', 'error'].entries()) {
        assert.match(lines[i], new RegExp(`\\b${level}\\b.*wörds`, 'i'))
      }
    })
  }

  for (const [level, count] of Object.entries({ trace: 4, debug: 4, info: 3, warn: 2, error: 1 })) {
    test(`from ${level} on`, async () => {
      assert.equal((await logged(level, level)).length, count)
    })
  }

  test('appends', async () => {
    await logged('append', 'error')
    assert.equal((await logged('append', 'error')).length, 2)
  })

  test('is global: it holds for plugins that exist, and the last one set counts', async () => {
    const [first, second] = ['first', 'second'].map(name => path.join(directory, name))
    setLogFile(first)
    const plugin = new Plugin(pluginBytes('modern.wat'))
    await plugin.call('log', 'one')
    setLogFile(second, 'error')
    await plugin.call('log', 'two')
    assert.doesNotMatch(readFileSync(first, 'utf8'), /two/)
    assert.match(readFileSync(second, 'utf8'), /two/)
    plugin.free()
  })

  test('what plugins log at the same time stays in whole lines', async () => {
    const file = path.join(directory, 'many')
    setLogFile(file, 'error')
    const plugins = Array.from({ length: 4 }, () => new Plugin(pluginBytes('modern.wat')))
    await Promise.all(plugins.flatMap((plugin, i) => Array.from({ length: 25 }, () => plugin.call('log', `${i}`.repeat(500)))))
    const lines = readFileSync(file, 'utf8').trimEnd().split('\n')
    assert.equal(lines.length, 100)
    for (const line of lines) assert.match(line, / (0{500}|1{500}|2{500}|3{500})$/)
    for (const plugin of plugins) plugin.free()
  })

  test('a file that cannot be opened is an error with a code that names it', () => {
    const file = path.join(directory, 'missing', 'log')
    assert.throws(() => setLogFile(file), error => error.code === 'ERR_EXTISM_LOG_FILE' && error.message.includes(file))
  })

  test('a pipe that has no reader is an error, and nothing to wait for', () => {
    const pipe = path.join(directory, 'unread')
    execFileSync('mkfifo', [pipe])
    assert.throws(() => setLogFile(pipe), { code: 'ERR_EXTISM_LOG_FILE' })
  })

  test('a pipe gets every message whole, though more than it has room for', async () => {
    const pipe = path.join(directory, 'slow')
    execFileSync('mkfifo', [pipe])
    const reader = openSync(pipe, 'r+')
    setLogFile(pipe)
    const plugin = new Plugin(pluginBytes('modern.wat'))
    const call = plugin.call('log', 'x'.repeat(50_000))
    let text = ''
    while (text.split('\n').length < 4) {
      const { bytesRead, buffer } = await promisify(read)(reader, Buffer.alloc(10_000))
      text += buffer.toString('latin1', 0, bytesRead)
    }
    await call
    for (const line of text.trimEnd().split('\n')) assert.match(line, / (info|warn|error) x{50000}$/)
    setLogFile(path.join(directory, 'after'))
    closeSync(reader)
    plugin.free()
  })

  test('bad arguments are refused by name', () => {
    assert.throws(() => setLogFile(5), { name: 'TypeError', message: /filename must be a string; got 5/ })
    assert.throws(() => setLogFile(path.join(directory, 'x'), 'loud'), { name: /TypeError|RangeError/, message: /level must be one of .*; got "loud"/ })
  })
})

describe('extismVersion()', () => {
  test('is the version of the runtime', () => {
    assert.match(extismVersion(), /^v?\d+\.\d+\.\d+$/)
  })
})
