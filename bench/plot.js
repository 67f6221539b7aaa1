// Draws what `node bench/index.js --json FILE` has written: `node bench/plot.js [FILE]`, by default
// docs/bench/results.json, makes a chart of each group in docs/bench, and puts them and the figures
// between the marks in docs/benchmark.md.

import { mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { OURS } from './ours.js'
import { ALL } from './peers.js'
import { digits, markdown, ordered, plain } from './report.js'

const WIDTH = 760
const LABELS = 200
const VALUES = 110
const BAR = 16
const STEP = 24
const TITLE = 30

// To be read on white and on black alike.
const TEXT = '#6e7681'
const OURS_FILL = '#3b82c4'
const PEER_FILL = '#8c959f'

/** docs/benchmark.md has it before and after the figures. */
const MARK = '<!-- figures -->\n'

const docs = new URL('../docs/', import.meta.url)
const charts = new URL('bench/', docs)
const [file = new URL('results.json', charts)] = process.argv.slice(2)
const results = JSON.parse(readFileSync(file, 'utf8'))
const groups = [...new Set(results.rows.map(row => row.group))]

mkdirSync(charts, { recursive: true })
// Charts of groups that there are no longer.
for (const name of readdirSync(charts)) {
  if (name.endsWith('.svg')) rmSync(new URL(name, charts))
}
for (const group of groups) {
  writeFileSync(new URL(`${group}.svg`, charts), chart(results.rows.filter(row => row.group === group)))
}
const page = new URL('benchmark.md', docs)
const [before, , after] = readFileSync(page, 'utf8').split(MARK)
writeFileSync(page, [before, `\n${markdown(results)}
${groups.map(group => `![${group}](bench/${group}.svg)`).join('\n\n')}
`, after].join(MARK))

/** A chart with a panel of bars for each row. */
function chart (rows) {
  let height = 0
  const panels = rows.map(row => {
    const drawn = panel(row, height)
    height += TITLE + STEP * Object.keys(row.results).length + 12
    return drawn
  })
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" width="${WIDTH}" height="${height}" role="img" font-family="system-ui, sans-serif" font-size="13" fill="${TEXT}">
${panels.join('\n')}
</svg>
`
}

function panel ({ title, unit, better, results }, top) {
  const most = Math.max(...Object.values(results).map(({ median }) => median), Number.MIN_VALUE)
  // Beyond the longest bar is room for its value; a round that took longer is cut there.
  const x = value => LABELS + Math.min(Math.max(value, 0) / most, 1.05) * (WIDTH - LABELS - VALUES)
  const bars = ordered(results).map(([name, result], i) => bar(name, result, top + TITLE + i * STEP, x))
  return [
    `<text x="0" y="${top + 18}" font-weight="600">${escape(plain(title))}</text>`,
    `<text x="${WIDTH}" y="${top + 18}" text-anchor="end" font-size="11">${escape(unit)}, ${better} is better</text>`,
    ...bars
  ].join('\n')
}

/** A median, with a line from the lowest round to the highest. */
function bar (name, { median, low, high }, y, x) {
  const middle = y + BAR / 2
  const label = `<text x="${LABELS - 8}" y="${middle + 4}" text-anchor="end">${escape(name)}</text>`
  // JSON has null in place of NaN.
  if (median === null) return `${label}\n<text x="${LABELS}" y="${middle + 4}">not measured</text>`
  const length = Math.max(x(median) - LABELS, 1).toFixed(1)
  const value = Math.max(x(median), x(high)) + 6
  return [
    label,
    `<rect x="${LABELS}" y="${y}" width="${length}" height="${BAR}" rx="2" ${fill(name)}/>`,
    `<path d="M${x(low).toFixed(1)} ${middle}H${x(high).toFixed(1)}" stroke="${TEXT}" stroke-width="1.5"/>`,
    `<text x="${value.toFixed(1)}" y="${middle + 4}">${digits(median)}</text>`
  ].join('\n')
}

function fill (name) {
  if (name.startsWith(OURS)) return `fill="${OURS_FILL}"`
  if (ALL.includes(name)) return `fill="${PEER_FILL}"`
  return `fill="none" stroke="${PEER_FILL}" stroke-dasharray="3 2"`
}

function escape (text) {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;')
}
