// What a run says at its end.

import { GAUGES } from './gauges.js'

/** Rows as text: columns that have words to the left, the others to the right. */
function table (rows, words) {
  const widths = rows[0].map((_, i) => Math.max(...rows.map(row => row[i].length)))
  return rows.map(row => row.map((cell, i) => words.includes(i) ? cell.padEnd(widths[i]) : cell.padStart(widths[i])).join('  ').trimEnd()).join('\n')
}

/** How many promises of each operation started, and how they ended. */
export function operations (accounts) {
  const rows = [...accounts].sort(([a], [b]) => a.localeCompare(b)).map(([name, { started, resolved, codes }]) =>
    [name, `${started}`, `${resolved}`, [...codes].map(([code, count]) => `${code} ${count}`).join(', ')])
  return table([['operation', 'started', 'resolved', 'rejected'], ...rows], [0, 3])
}

/** The watched figures in the first sample, in the middle, and in the last, and those at rest. */
export function figures (samples, rests) {
  const picked = [samples[0], samples[Math.floor(samples.length / 2)], samples.at(-1), ...rests]
  const head = ['watched', 'first', 'halfway', 'last', ...['at rest', 'at last'].slice(0, rests.length)]
  const rows = Object.entries(GAUGES).map(([name, { unit }]) => [`${name} ${unit}`.trim(), ...picked.map(sample => text(sample[name]))])
  return table([head, ...rows], [0])
}

/** One sample in a line. */
export function line (sample) {
  return Object.keys(GAUGES).filter(name => name in sample).map(name => `${name} ${text(sample[name])}`).join(', ')
}

function text (value) {
  if (value === undefined || Number.isNaN(value)) return '-'
  return Number.isInteger(value) ? `${value}` : value.toFixed(1)
}
