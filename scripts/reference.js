// Writes docs/api.md from the doc comments of index.d.cts: `npm run docs`. It reads that file line by
// line, as it is laid out: a declaration starts without indentation, its members with two spaces.

import { readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const TYPES = new URL('../index.d.cts', import.meta.url)
const PAGE = new URL('../docs/api.md', import.meta.url)

const HEAD = `# API reference

<!-- note: npm run docs writes this file from index.d.cts. -->

This page is made from the doc comments of \`index.d.cts\`. [The documents](README.md) have guides with examples.
`

/** What goes before an example, where readers do not see it: see test/docs/blocks.test.js. */
const BEFORE = {
  createPlugin: `import { writeFileSync } from 'node:fs'
import createPlugin from 'extism-napi'
writeFileSync('plugin.wasm', '(module (func (export "count_vowels")))')`
}

const DECLARATION = /^(?:declare )?(?:class|interface|type|function|const) (\w+)/
/** What is not exported, and only shortens the types of what is. */
const INTERNAL = ['NullableOptions', 'Nullable', 'Paths', 'ValueFields', 'Values', 'WebAssemblyInstance']
/** The section that only repeats names. */
const LAST_SECTION = 'Exports'

/** The page for the text of index.d.cts. */
export function reference (types) {
  const parts = [HEAD]
  for (const { doc, code, name, section } of declarations(types.split('\n'))) {
    if (section !== undefined) parts.push(`## ${section}`)
    else if (!INTERNAL.includes(name)) parts.push(declaration(name, doc ?? '', code))
  }
  return `${parts.join('\n\n').replaceAll(/\n{3,}/g, '\n\n')}\n`
}

/** Sections and declarations, in their order. */
function * declarations (lines) {
  let doc
  for (let i = 0; i < lines.length; i++) {
    const [, section] = (lines[i - 1] === '' && lines[i + 1] === '' && /^\/\/ (.+)$/.exec(lines[i])) || []
    if (section === LAST_SECTION) return
    if (section !== undefined) yield { section }
    if (lines[i].startsWith('/**')) {
      [doc, i] = comment(lines, i)
    } else if (DECLARATION.test(lines[i])) {
      const [, name] = DECLARATION.exec(lines[i])
      const start = i
      i = end(lines, i)
      yield { doc, name, code: lines.slice(start, i + 1) }
      doc = undefined
    }
  }
}

/** A doc comment that starts at a line: its text, and its last line. */
function comment (lines, start) {
  let last = start
  while (!lines[last].endsWith('*/')) last++
  const text = lines.slice(start, last + 1)
    .map(line => line.replace(/^\s*(?:\/\*\*|\*\/|\*) ?/, '').replace(/ ?\*\/$/, ''))
    .join('\n').trim()
  return [text, last]
}

/** The last line of a statement: where all brackets are closed, and no union goes on. */
function end (lines, start) {
  let depth = 0
  for (let i = start; ; i++) {
    depth += (lines[i].match(/[({[]/g)?.length ?? 0) - (lines[i].match(/[)}\]]/g)?.length ?? 0)
    const goesOn = /[=<,:]$/.test(lines[i]) || /^\s*(?:[|?:>]|new |Inputs|Outputs)/.test(lines[i + 1] ?? '')
    if (depth === 0 && !goesOn) return i
  }
}

function declaration (name, doc, code) {
  const opening = code[0].includes('type ') ? -1 : code.findIndex(line => /^\S.*\{$/.test(line))
  const members = opening < 0 ? [] : membersOf(code.slice(opening + 1, -1))
  const [text, examples] = prose(doc)
  const items = members.map(({ doc, code }) => {
    const [text, inner] = prose(doc ?? '')
    examples.push(...inner)
    return `- \`${oneLine(code)}\`${text && `\n\n${text.replaceAll(/^(?=.)/gm, '  ')}`}`
  })
  return [
    `### ${name}`,
    `\`${opening < 0 ? oneLine(code) : oneLine(code.slice(0, opening + 1)).replace(/:? \{$/, '')}\``,
    text,
    ...items,
    ...examples.map(example => `${BEFORE[name] === undefined ? '' : `<!-- before\n${BEFORE[name]}\n-->\n\n`}${example}`)
  ].filter(Boolean).join('\n\n')
}

/** The members of a class or an interface, without private ones. */
function membersOf (lines) {
  const members = []
  let doc
  for (let i = 0; i < lines.length; i++) {
    if (/^ {2}\/\*\*/.test(lines[i])) {
      [doc, i] = comment(lines, i)
    } else if (/^ {2}[^\s/]/.test(lines[i])) {
      const start = i
      i = end(lines, i)
      if (!/^ {2}(?:#|private )/.test(lines[start])) members.push({ doc, code: lines.slice(start, i + 1) })
      doc = undefined
    }
  }
  return members
}

/** A doc comment as Markdown, and its examples. */
function prose (doc) {
  const examples = []
  const text = doc
    .replaceAll(/^```js\n[^]*?^```$/gm, example => { examples.push(example); return '' })
    .replaceAll(/^@param (\w+) /gm, '\n`$1`: ')
    .replaceAll(/^@returns /gm, '\nReturns: ')
    .replaceAll(/^@throws /gm, '\nThrows: ')
    .replaceAll(/^@deprecated /gm, '\nDeprecated: ')
    .replaceAll(/\bdocs\/(\w+)\.md\b/g, '[docs/$1.md]($1.md)')
    .replaceAll(/([^\n])\n(?=[^\n])/g, '$1 ')
    .replaceAll(/\n{3,}/g, '\n\n')
    .trim()
  return [text, examples]
}

function oneLine (code) {
  return code.map(line => line.trim().replace(/^\/\*\*.*\*\/$/, '')).filter(Boolean).join(' ')
    .replace(/^declare /, '').replaceAll(/([(<]) /g, '$1').replaceAll(/ ([)>])(?!=)/g, '$1').replaceAll('= | ', '= ')
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  writeFileSync(PAGE, reference(readFileSync(TYPES, 'utf8')))
}
