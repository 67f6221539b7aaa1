// The benchmark: `node bench/index.js [--only GROUP] [--json FILE] [--quick]`.
//
// `--only`, which can be there several times, runs some of the groups, `--json` writes the
// figures down for bench/plot.js, and `--quick` only shows whether everything runs.

import './environment.js'
import { readFileSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import os from 'node:os'
import { parseArgs } from 'node:util'
import { extismVersion } from 'extism-napi'
import { head, text } from './report.js'
import { FULL, QUICK } from './settings.js'

const GROUPS = [
  'calls',
  'host-functions',
  'http',
  'echo',
  'kernel',
  'compute',
  'work',
  'delay',
  'moved',
  'await',
  'plugins',
  'instances',
  'fresh',
  'compile',
  'start',
  'backtrace',
  'memory'
]

const { values: options } = parseArgs({
  options: {
    only: { type: 'string', multiple: true, default: GROUPS },
    json: { type: 'string' },
    quick: { type: 'boolean', default: false }
  }
})
for (const group of options.only) {
  if (!GROUPS.includes(group)) throw new RangeError(`--only must be one of ${GROUPS.join(', ')}; got ${group}`)
}

const results = {
  node: process.version,
  extism: extismVersion(),
  peers: ['@extism/extism', 'extism-js-rc'].map(versionOf),
  fastify: versionOf('fastify'),
  cores: os.availableParallelism(),
  quick: options.quick,
  rows: []
}

console.log(head(results))
for (const group of options.only) {
  const started = performance.now()
  try {
    const { run } = await import(`./${group}.js`)
    for (const row of await run(options.quick ? QUICK : FULL)) {
      results.rows.push({ group, ...row })
      console.log(`\n${text(row)}`)
    }
  } catch (error) {
    // The other groups' figures are worth having, and the exit code tells that some are missing.
    console.error(`\n${group} failed:`, error)
    process.exitCode = 1
  }
  console.log(`\n(${group}: ${((performance.now() - started) / 1000).toFixed(1)} s)`)
}

const targets = results.rows.flatMap(row => row.targets)
console.log(`\n${targets.filter(target => target.reached).length} of ${targets.length} targets reached`)
if (options.json) writeFileSync(options.json, JSON.stringify(results, null, 2) + '\n')

/** Packages need not export their package.json: it is looked for beside what they do export. */
function versionOf (name) {
  const require = createRequire(import.meta.url)
  for (const folder of require.resolve.paths(name)) {
    try {
      return JSON.parse(readFileSync(`${folder}/${name}/package.json`, 'utf8')).version
    } catch (error) {
      if (error.code !== 'ENOENT') throw error
    }
  }
}
