// docs/benchmark.md shows what was measured, and what README.md says of it in words is so.

import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import path from 'node:path'
import { test } from 'node:test'
import { markdown } from '../../bench/report.js'
import { ROOT, textOf } from './markdown.js'

const results = JSON.parse(readFileSync(path.join(ROOT, 'docs/bench/results.json'), 'utf8'))

/** The medians of a row, by contender. */
function medians (title) {
  const row = results.rows.find(row => row.title === title)
  return Object.fromEntries(Object.entries(row.results).map(([name, { median }]) => [name, median]))
}

test('docs/benchmark.md has the figures of docs/bench/results.json', () => {
  const page = textOf('docs/benchmark.md')
  assert.ok(page.includes(markdown(results)), 'run npm run bench:plot')
  const groups = [...new Set(results.rows.map(row => row.group))]
  assert.deepEqual(Array.from(page.matchAll(/!\[.*\]\(bench\/(.*)\.svg\)/g), ([, group]) => group), groups)
})

test('README.md says in words what was measured', () => {
  const readme = textOf('README.md')

  assert.ok(readme.includes('calls that follow each other take less time than with `@extism/extism` in the foreground, and less than a tenth of the time that its worker mode needs'))
  const calls = medians('`say_hello`, one after another')
  for (const peer of ['1.0.3', '2.0.0-rc13']) {
    assert.ok(calls['extism-napi'] < calls[peer])
    assert.ok(calls['extism-napi'] < calls[`${peer} worker`] / 10)
  }

  assert.ok(readme.includes('A call with a host function in JavaScript takes as long as there, or up to half as long again'))
  const hostFunctions = medians('`say_hello`, host function in JavaScript')
  const ratio = hostFunctions['extism-napi'] / Math.min(hostFunctions['1.0.3'], hostFunctions['2.0.0-rc13'])
  assert.ok(ratio > 0.9 && ratio < 1.5)

  assert.ok(readme.includes('For guests that only compute: they are not faster than in V8'))
  assert.ok(medians('the geometric mean of the three, of 2.0.0-rc13')['extism-napi'] >= 1)
})
