// Runs each block of JavaScript in the documents, in a process of its own and in a folder where the
// package, fastify and the folder `plugin` are. What is written before a block in HTML comments
// completes it, unseen by readers:
//
// <!-- file NAME -->  The block is written to this file; JavaScript runs under that name.
// <!-- continues -->  It belongs to the same program as the block of JavaScript before it.
// <!-- before … -->   JavaScript that goes before the block.
// <!-- after … -->    JavaScript that goes after it, such as a check of what it did.
//
// A block of `text` right after one of JavaScript is what that prints.

import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { after, describe, test } from 'node:test'
import { ROOT, blocksOf, documents, textOf } from './markdown.js'

const LANGUAGES = ['js', 'bash', 'json', 'rust', 'text', 'wat']
const DIRECTIVES = ['file', 'continues', 'before', 'after', 'figures', 'note']
/** A program prints this where a block of it has come to its end. */
const END = '-- end of block --'

/** A folder where a program finds what the documents say is there. */
function workspace () {
  const folder = mkdtempSync(path.join(tmpdir(), 'extism-napi-docs-'))
  mkdirSync(path.join(folder, 'node_modules'))
  symlinkSync(ROOT, path.join(folder, 'node_modules', 'extism-napi'))
  symlinkSync(path.join(ROOT, 'node_modules', 'fastify'), path.join(folder, 'node_modules', 'fastify'))
  symlinkSync(path.join(ROOT, 'plugin'), path.join(folder, 'plugin'))
  writeFileSync(path.join(folder, 'package.json'), '{ "type": "module" }')
  return folder
}

/** The programs of a document, each a list of blocks, with what each is to print. */
function programsOf (blocks) {
  const programs = []
  blocks.forEach((block, i) => {
    if (block.language !== 'js') return
    const next = blocks[i + 1]
    const prints = next?.language === 'text' && next.line === block.line + block.text.split('\n').length + 3 ? next.text : undefined
    if ('continues' in block.directives) programs.at(-1).push({ ...block, prints })
    else programs.push([{ ...block, prints }])
  })
  return programs
}

function sourceOf (program) {
  return program.map(({ text, directives: { before = '', after = '' } }) => [
    before, text, after, `console.log(${JSON.stringify(END)})`
  ].join('\n')).join('\n')
}

/** Runs a program: what it prints, block by block. */
function run (folder, name, source) {
  writeFileSync(path.join(folder, name), source)
  return new Promise((resolve, reject) => {
    const options = {
      cwd: folder,
      timeout: 60_000,
      killSignal: 'SIGKILL',
      // Servers of the documents listen on a free port here.
      env: { ...process.env, PORT: '0', HOST: '127.0.0.1' }
    }
    execFile(process.execPath, [name], options, (error, stdout, stderr) => {
      if (error) reject(new Error(`${error.message}\n${stdout}`))
      else resolve({ parts: stdout.split(`${END}\n`), stderr })
    })
  })
}

for (const name of documents()) {
  const text = textOf(name)
  const blocks = blocksOf(text)

  test(`${name} has blocks of known languages and directives only`, () => {
    assert.equal(blocks.length, text.match(/^\s*(```|~~~)/gm)?.length / 2 || 0, 'a fence that is not read as one')
    for (const { language, line, directives } of blocks) {
      assert.ok(LANGUAGES.includes(language), `line ${line}: ${language || 'no language'}`)
      for (const word of Object.keys(directives)) assert.ok(DIRECTIVES.includes(word), `line ${line}: ${word}`)
    }
  })

  const programs = programsOf(blocks)
  if (programs.length === 0) continue

  describe(`the JavaScript of ${name}`, { concurrency: 2 }, () => {
    const folder = workspace()
    after(() => rmSync(folder, { recursive: true }))
    for (const { language, text, directives: { file } } of blocks) {
      if (file !== undefined && language !== 'js') writeFileSync(path.join(folder, file), text)
    }

    for (const program of programs) {
      const [{ line, directives: { file = `line-${line}.js` } }] = program
      test(`of line ${program.map(({ line }) => line).join(', ')} runs to its end`, async () => {
        const { parts, stderr } = await run(folder, file, sourceOf(program))
        assert.equal(parts.length, program.length + 1, `it ended early\n${stderr}`)
        program.forEach(({ prints, line }, i) => {
          if (prints !== undefined) assert.equal(parts[i].trimEnd(), prints, `line ${line}`)
        })
      })
    }
  })
}
