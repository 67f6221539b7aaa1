// The figures as text for the terminal, and as Markdown.

import { OURS, SYNC } from './ours.js'
import { ALL } from './peers.js'

/** Those that most rows have. */
const COLUMNS = [OURS, SYNC, ...ALL]

/** The addon first, then the peers, then what they are held against. */
export function ordered (results) {
  const rank = name => name.startsWith(OURS) ? -1 : ALL.includes(name) ? ALL.indexOf(name) : ALL.length
  return Object.entries(results).sort(([a], [b]) => rank(a) - rank(b))
}

/** A number without more digits than it deserves; a dash for one that was not measured. */
export function digits (value) {
  // JSON has null in place of NaN.
  if (!Number.isFinite(value)) return '–'
  const size = Math.abs(value)
  if (size >= 99.95) return Math.round(value).toLocaleString('en')
  if (size >= 0.0995) return value.toFixed(size >= 9.995 ? 1 : 2)
  return String(Number(value.toPrecision(2)))
}

/** What was run on what. */
export function head ({ node, extism, peers, fastify, cores, quick }) {
  const note = quick ? '; a quick run, whose figures mean nothing' : ''
  return `Extism ${extism} in extism-napi, @extism/extism ${peers.join(' and ')}, Fastify ${fastify}, Node.js ${node}, ${cores} cores${note}`
}

/** A row of results for the terminal: medians, the lowest and the highest round, and ratios. */
export function text ({ title, unit, better, results, targets }) {
  const entries = ordered(results)
  const width = Math.max(...entries.map(([name]) => name.length))
  const [[, first]] = entries
  const lines = entries.map(([name, result]) => {
    const ratio = `${digits(result.median / first.median)} ×`
    return `  ${name.padEnd(width)} ${digits(result.median).padStart(9)} ${ratio.padStart(10)}   ${spread(result)}`.trimEnd()
  })
  return [
    `${plain(title)} (${unit}, ${better} is better)`,
    ...lines,
    ...targets.map(target => `  ${target.reached ? 'pass' : 'MISS'}  ${plain(target.title)}: ${measured(target)}, asked for ${asked(target)}`)
  ].join('\n')
}

/** The whole run in Markdown: what was measured, and what was to be reached. */
export function markdown ({ rows, ...versions }) {
  const cells = rows.map(({ title, unit, results }) => {
    const beside = Object.keys(results).filter(name => !COLUMNS.includes(name))
    return [
      `${title}, ${unit}`,
      ...COLUMNS.map(name => cell(results[name])),
      beside.map(name => `${name}: ${cell(results[name])}`).join('<br>')
    ]
  })
  const targets = rows.flatMap(row => row.targets)
  return `${head(versions)}. Medians of several rounds, and below them the lowest and the highest.

${table(['', ...COLUMNS, 'beside'], cells)}

${table(['', 'to reach', 'reached', ''], targets.map(target => [
  target.title, asked(target), measured(target), target.reached ? 'yes' : '**no**'
]))}
`
}

function cell (result) {
  if (!result) return ''
  const range = spread(result)
  return digits(result.median) + (range && `<br><sub>${range}</sub>`)
}

function measured (result) {
  const range = spread(result)
  return `${digits(result.median)} ${result.unit}` + (range && ` (${range})`)
}

/** From the lowest round to the highest. */
function spread ({ low, high, rounds }) {
  return rounds.length > 1 && Number.isFinite(low) ? `${digits(low)} – ${digits(high)}` : ''
}

function asked ({ sign, limit, unit }) {
  return `${sign} ${digits(limit)} ${unit}`
}

export function plain (title) {
  return title.replaceAll('`', '')
}

function table ([what, ...columns], rows) {
  const line = cells => `| ${cells.join(' | ')} |`
  return [line([what, ...columns]), `|---|${'--:|'.repeat(columns.length)}`, ...rows.map(line)].join('\n')
}
