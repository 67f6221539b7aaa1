// Whether figures grow. The first quarter of a run warms up.

import { GAUGES } from './gauges.js'

/** With fewer samples, one that is out of the ordinary would decide. */
export const SAMPLES_NEEDED = 12

/**
 * What grew, as text: by the medians of the second, the third and the last quarter, or from one
 * of `rests`, after the warm-up, to the other, at the end.
 */
export function growth (samples, rests) {
  const quarter = Math.floor(samples.length / 4)
  const quarters = [quarter, 2 * quarter, samples.length - quarter].map(start => samples.slice(start, start + quarter))
  return Object.entries(GAUGES).flatMap(([name, { unit, slack, atRest }]) => {
    const levels = atRest ? rests.map(rest => rest[name]) : quarters.map(each => median(each.map(sample => sample[name])))
    if (!levels.every(Number.isFinite) || !isGrowing(levels, slack)) return []
    return [`${name} grew: ${levels.map(level => level.toFixed(1)).join(', ')} ${unit}, where ${slack} more is allowed`]
  })
}

/**
 * What leaks grows on and on; what settles, such as the pools of the allocator, grows less and
 * less. The same holds for two levels, where nothing tells the one from the other.
 */
function isGrowing (levels, slack) {
  const [first, last] = [levels[0], levels.at(-1)]
  const [earlier, later] = [levels.at(-2) - first, last - levels.at(-2)]
  return last - first > slack && later >= earlier / 2
}

export function median (values) {
  return percentile(values, 0.5)
}

export function percentile (values, share) {
  const sorted = [...values].sort((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))]
}
