// Every promise is in the books: started, and resolved with what it should, or rejected with a
// code that may be. All else is a failure, a promise that never settles among them.

/** More than these would only hide the first ones, and look like a leak. */
const FAILURES_KEPT = 50

export class Ledger {
  /** By name: how many promises started and resolved, and how many were rejected, by code. */
  accounts = new Map()
  failures = []
  failed = 0
  #open = new Set()

  /** How many promises have not settled. */
  get open () {
    return this.#open.size
  }

  fail (name, text) {
    this.failed++
    if (this.failures.length < FAILURES_KEPT) this.failures.push(`${name}: ${text}`)
  }

  /** Those that have not settled by now never will. */
  giveUp () {
    for (const { name, start } of this.#open) {
      this.fail(name, `a promise has not settled after ${Math.round((performance.now() - start) / 1000)} s`)
    }
    this.#open.clear()
  }

  /**
   * Books what `work` is or gives: it has to resolve with what `gives` is true of, or to be
   * rejected with one of `codes`. Without `gives` it must not resolve. Gives a promise of the
   * value that never rejects: of undefined where there was an error.
   */
  async book (name, work, { gives, codes = [] }) {
    const account = this.#account(name)
    const entry = { name, start: performance.now() }
    account.started++
    this.#open.add(entry)
    try {
      const value = await (typeof work === 'function' ? work() : work)
      account.resolved++
      if (gives === undefined) this.fail(name, `resolved, where ${codes.join(' or ')} was due`)
      else if (!gives(value)) this.fail(name, `gave something else: ${brief(value)}`)
      return value
    } catch (error) {
      const code = error?.code ?? error?.name ?? 'none'
      account.codes.set(code, (account.codes.get(code) ?? 0) + 1)
      if (!codes.includes(code)) this.fail(name, `failed: ${error?.stack ?? error}`)
    } finally {
      this.#open.delete(entry)
    }
  }

  #account (name) {
    if (!this.accounts.has(name)) this.accounts.set(name, { started: 0, resolved: 0, codes: new Map() })
    return this.accounts.get(name)
  }
}

function brief (value) {
  if (!Buffer.isBuffer(value)) return String(value)
  return `${value.length} bytes, ${JSON.stringify(value.subarray(0, 40).toString())}`
}
