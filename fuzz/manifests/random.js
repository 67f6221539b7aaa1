/** Numbers from a seed; seeds side by side have nothing in common. */
export class Random {
  #state

  constructor (seed) {
    this.#state = Math.imul(seed % 2 ** 32, 0x9e3779b1) ^ Math.floor(seed / 2 ** 32)
    for (let i = 0; i < 4; i++) this.below(2)
  }

  /** Mulberry32, Tommy Ettinger 2017. */
  below (n) {
    this.#state = (this.#state + 0x6d2b79f5) | 0
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), 1 | this.#state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return Math.floor(((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32 * n)
  }

  oneOf (list) {
    return list[this.below(list.length)]
  }

  chance (n) {
    return this.below(n) === 0
  }
}
