// What the tests of the documents need to know of Markdown: blocks of code, with the comments that
// stand right before them, and what is left without them.

import { readFileSync, readdirSync } from 'node:fs'
import path from 'node:path'
import { fileURLToPath } from 'node:url'

export const ROOT = fileURLToPath(new URL('../..', import.meta.url))

/** Folders whose documents are not this project's. */
const FOREIGN = ['node_modules', 'target', '.git']

const FENCE = /^```(\S*)\s*$/

/** The documents of the repository, as paths from its root. */
export function documents (folder = '') {
  return readdirSync(path.join(ROOT, folder), { withFileTypes: true })
    .filter(entry => !FOREIGN.includes(entry.name))
    .flatMap(entry => {
      const name = path.posix.join(folder, entry.name)
      if (entry.isDirectory()) return documents(name)
      return name.endsWith('.md') ? [name] : []
    })
    .sort()
}

/** The text of a document. */
export function textOf (name) {
  return readFileSync(path.join(ROOT, name), 'utf8')
}

/**
 * The blocks of code of a text: language, text, the line they begin at, and directives, which are
 * the HTML comments between a block and the prose before it: `<!-- WORD REST -->`.
 */
export function blocksOf (text) {
  const blocks = []
  let directives = {}
  const lines = text.split('\n')
  for (let i = 0; i < lines.length; i++) {
    if (lines[i].startsWith('<!--')) {
      const start = i
      while (!lines[i].includes('-->')) i++
      const comment = lines.slice(start, i + 1).join('\n')
      const [, word, rest] = /^<!--\s*(\S+)([^]*?)-->/.exec(comment)
      directives[word] = rest.trim()
    } else if (FENCE.test(lines[i])) {
      const start = i
      const [, language] = FENCE.exec(lines[i++])
      while (lines[i] !== '```') {
        if (i === lines.length) throw new Error(`the block of line ${start + 1} does not end`)
        i++
      }
      blocks.push({ language, text: lines.slice(start + 1, i).join('\n'), line: start + 1, directives })
      directives = {}
    } else if (lines[i].trim() !== '') {
      directives = {}
    }
  }
  return blocks
}

/** A text without its blocks of code and comments, and without what is code within a line. */
export function proseOf (text) {
  return text
    .replaceAll(/^```[^]*?^```$/gm, '')
    .replaceAll(/<!--[^]*?-->/g, '')
    .replaceAll(/`[^`\n]*`/g, code => 'x'.repeat(code.length))
}
