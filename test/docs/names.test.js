// What docs/migration.md and docs/errors.md name is there, and what is there is named.

import assert from 'node:assert/strict'
import { readFileSync, readdirSync } from 'node:fs'
import path from 'node:path'
import { describe, test } from 'node:test'
import * as extism from 'extism-napi'
import { ROOT, documents, textOf } from './markdown.js'

const TYPES = readFileSync(path.join(ROOT, 'index.d.cts'), 'utf8')

/** What is in backquotes. */
function codeOf (text) {
  return Array.from(text.matchAll(/`([^`\n]+)`/g), ([, code]) => code)
}

/** The words of code: of `plugin.call(name)` that is `plugin`, `call` and `name`. */
function wordsOf (codes) {
  return new Set(codes.flatMap(code => code.match(/[A-Za-z_$][\w$]*/g) ?? []))
}

describe('docs/migration.md', () => {
  const text = textOf('docs/migration.md')
  const named = wordsOf(codeOf(text))

  test('names each export', () => {
    assert.deepEqual(Object.keys(extism).filter(name => name !== 'default' && !named.has(name)), [])
  })

  test('names each member of the classes', async () => {
    const { Context, CancelHandle, CurrentPlugin, HostFunction, Plugin } = extism
    const plugin = await extism.createPlugin({ wasm: [{ data: new TextEncoder().encode('(module)') }] })
    const members = [...[Context, CancelHandle, CurrentPlugin, HostFunction, Plugin].map(({ prototype }) => prototype), Object.getPrototypeOf(plugin)]
      .flatMap(prototype => Object.getOwnPropertyNames(prototype))
    await plugin.close()
    assert.deepEqual([...new Set(members)].filter(name => name !== 'constructor' && !named.has(name)), [])
  })

  test('names each option', () => {
    const [, options] = /^interface ExtismPluginOptions \{([^]*?)^\}/m.exec(TYPES)
    const names = Array.from(options.matchAll(/^ {2}(\w+)\?:/gm), ([, name]) => name)
    assert.ok(names.length > 20)
    assert.deepEqual(names.filter(name => !named.has(name)), [])
  })

  test('names nothing that is not there', () => {
    // What stands for a value, and what only the others have.
    const foreign = ['manifest', 'name', 'f', 'level', 'filename', 'context', 'libextism', 'npm', 'extism', 'napi',
      'Module', 'Plugin', 'error', 'env', 'extism_alloc', 'file', 'host', 'user', 'ro', 'timeout_ms', 'ptr', 'len', 'hostFunction']
    const rows = text.split('\n').filter(line => line.startsWith('| `'))
    const words = [...wordsOf(codeOf(rows.join('\n')))].filter(word => !foreign.includes(word))
    assert.ok(words.length > 60)
    assert.deepEqual(words.filter(word => !new RegExp(`\\b${word.replaceAll('$', '\\$')}\\b`).test(TYPES)), [])
  })
})

describe('docs/errors.md', () => {
  const CODE = /\b(?:ERR_(?:EXTISM|INVALID)_[A-Z_]*[A-Z]|ABORT_ERR)\b/g

  /** The sources of a folder that can give an error a code; tests are none. */
  function sources (folder, ending) {
    return readdirSync(path.join(ROOT, folder), { withFileTypes: true, recursive: true })
      .filter(entry => entry.isFile() && entry.name.endsWith(ending))
      .map(entry => path.join(entry.parentPath ?? entry.path, entry.name))
      .filter(file => !/\btests?\b/.test(path.relative(ROOT, file)))
  }

  const files = [...sources('lib', '.cjs'), ...sources('src', '.rs'), ...sources('host/src', '.rs')]
  // As texts, rather than in comments.
  const used = new Set(files.flatMap(file => {
    return Array.from(readFileSync(file, 'utf8').matchAll(/(['"])([A-Z_]+)\1/g), ([, , text]) => text)
  }).filter(text => text.replace(CODE, '') === ''))
  const text = textOf('docs/errors.md')
  const [table] = text.split('\n## ')
  const listed = Array.from(table.matchAll(/^\| `(\w+)` \|/gm), ([, code]) => code)

  test('lists each code of the sources once, and no other', () => {
    assert.ok(used.size > 20)
    const codes = listed.filter(name => /^[A-Z_]+$/.test(name))
    assert.deepEqual([...codes].sort(), [...used].sort())
  })

  test('lists the codes of the type ExtismErrorCode', () => {
    const [, union] = /^type ExtismErrorCode =([^]*?)\n\n/m.exec(TYPES)
    const typed = Array.from(union.matchAll(/'(\w+)'/g), ([, code]) => code)
    assert.deepEqual(typed, [...used].filter(code => !code.startsWith('ERR_INVALID_')).sort())
  })

  // The changes name codes of before.
  for (const name of documents().filter(name => name !== 'CHANGELOG.md')) {
    test(`${name} names no other code`, () => {
      assert.deepEqual((textOf(name).match(CODE) ?? []).filter(code => !used.has(code)), [])
    })
  }
})
