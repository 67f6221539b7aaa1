// Chance, from a seed that is printed: the same seed gives the same numbers. What they are used
// for depends on when other threads are done, so that no two runs are alike.

export function randomFrom (seed) {
  let state = seed >>> 0
  /** From 0 to 1, by mulberry32. */
  const fraction = () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
  const below = n => Math.floor(fraction() * n)
  return {
    below,
    between: (low, high) => low + below(high - low + 1),
    chance: probability => fraction() < probability,
    pick: list => list[below(list.length)],
    /** Small ones mostly, so that a few large ones do not take all the time. */
    size: max => Math.floor(max * fraction() ** 6),
    /** Bytes that differ from place to place. */
    bytes (length) {
      const bytes = Buffer.allocUnsafe(length)
      let value = below(256)
      for (let i = 0; i < length; i++) bytes[i] = value = (value * 5 + 113 + (i >> 8)) & 255
      return bytes
    }
  }
}
