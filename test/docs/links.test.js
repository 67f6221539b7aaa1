// Each link of a document to another file, or to a heading, has to lead there.

import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import path from 'node:path'
import { test } from 'node:test'
import { ROOT, documents, proseOf, textOf } from './markdown.js'

/** The anchors of a document, which GitHub makes from its headings. */
function anchorsOf (name) {
  const counts = new Map()
  return textOf(name).replaceAll(/^```[^]*?^```$/gm, '').match(/^#{1,6} .*$/gm).map(heading => {
    const slug = heading.replace(/^#+ /, '').trim().toLowerCase()
      .replaceAll(/[^\p{L}\p{N}\p{M}_\- ]/gu, '')
      .replaceAll(' ', '-')
    const count = counts.get(slug) ?? 0
    counts.set(slug, count + 1)
    return count === 0 ? slug : `${slug}-${count}`
  })
}

/** The targets of links and images. */
function targetsOf (name) {
  return Array.from(proseOf(textOf(name)).matchAll(/\]\(([^()\s]*)\)/g), ([, target]) => target)
}

for (const name of documents()) {
  test(`the links of ${name} lead somewhere`, () => {
    const dead = targetsOf(name).filter(target => {
      if (/^https?:/.test(target)) return !URL.canParse(target)
      const [file, anchor] = target.split('#')
      const found = file === '' ? name : path.posix.join(path.posix.dirname(name), file)
      if (found.startsWith('..') || !existsSync(path.join(ROOT, found))) return true
      return anchor !== undefined && !(found.endsWith('.md') && anchorsOf(found).includes(anchor))
    })
    assert.deepEqual(dead, [])
  })
}

test('each document is linked from another one', () => {
  const linked = new Set(documents().flatMap(name => targetsOf(name).map(target => {
    return path.posix.join(path.posix.dirname(name), target.split('#')[0])
  })))
  const alone = documents().filter(name => name !== 'README.md' && !name.startsWith('.github/') && !linked.has(name))
  assert.deepEqual(alone, [])
})
