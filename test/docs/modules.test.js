// docs/ARCHITECTURE.md has a line for each module, and for no other.

import assert from 'node:assert/strict'
import { existsSync, readdirSync } from 'node:fs'
import path from 'node:path'
import { test } from 'node:test'
import { ROOT, textOf } from './markdown.js'

const text = textOf('docs/ARCHITECTURE.md')

/** The names in the first column of the table under a heading. */
function listed (heading) {
  const section = text.split(/^## /m).find(section => section.startsWith(`${heading}\n`))
  return Array.from(section.matchAll(/^\| `([^`]+)` \|/gm), ([, name]) => name)
}

/** The modules of a folder. A folder beside a file of its name belongs to that file. */
function modules (folder, ending) {
  return readdirSync(path.join(ROOT, folder), { withFileTypes: true }).flatMap(entry => {
    const { name } = entry
    if (!entry.isDirectory()) return name.endsWith(ending) ? [name] : []
    return existsSync(path.join(ROOT, folder, name + ending)) ? [] : [`${name}/`]
  })
}

test('lists the modules of host/src', () => {
  assert.deepEqual(listed('Modules of host/src'), modules('host/src', '.rs').sort())
})

test('lists the modules of src', () => {
  assert.deepEqual(listed('Modules of src'), modules('src', '.rs').sort())
})

test('lists the modules of lib', () => {
  const names = modules('lib', '.cjs').flatMap(name => {
    return name.endsWith('/') ? modules(`lib/${name}`, '.cjs').map(inner => name + inner) : [name]
  })
  assert.deepEqual(listed('Modules of lib'), names.sort())
})

test('names no file that is not there', () => {
  const named = Array.from(text.matchAll(/\b(?:host\/src|lib|src|pool|executor|instance)\/[\w./-]+\.(?:rs|cjs)\b/g), ([name]) => name)
  assert.ok(named.length > 20)
  const missing = named.filter(name => ![name, `host/src/${name}`].some(file => existsSync(path.join(ROOT, file))))
  assert.deepEqual(missing, [])
})
