// docs/api.md is what `npm run docs` makes of index.d.cts, and has each name that is exported.

import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import path from 'node:path'
import { test } from 'node:test'
import { reference } from '../../scripts/reference.js'
import { ROOT, textOf } from './markdown.js'

const types = readFileSync(path.join(ROOT, 'index.d.cts'), 'utf8')
const page = textOf('docs/api.md')

test('docs/api.md is current', () => {
  assert.equal(reference(types), page, 'run npm run docs')
})

test('docs/api.md has a heading for each export', () => {
  const exported = readFileSync(path.join(ROOT, 'index.d.ts'), 'utf8').match(/^ {2}\w+(?=,?$)/gm).map(name => name.trim())
  const headings = page.match(/^### .*$/gm).map(heading => heading.slice(4))
  assert.ok(exported.length > 40)
  assert.deepEqual(exported.filter(name => !headings.includes(name)), [])
})

test('docs/api.md has each member that has a name', () => {
  const names = new Set(Array.from(types.matchAll(/^ {2}(?:static |readonly )*([A-Za-z]\w*)\??(?: \(|: )/gm), ([, name]) => name))
  const listed = new Set(Array.from(page.matchAll(/^- `(?:static |readonly )*(\w+)/gm), ([, name]) => name))
  // Parameters are indented as members are where they have lines of their own.
  const parameters = ['ctx', 'f', 'functions', 'funcName', 'callback', 'thisArg', 'inputs', 'outputs', 'plugin',
    'wasi', 'manifest', 'level', 'filename', 'options', 'input', 'hostContext', 'name', 'entries']
  assert.ok(listed.size > 100)
  assert.deepEqual([...names].filter(name => !listed.has(name) && !parameters.includes(name)), [])
})
