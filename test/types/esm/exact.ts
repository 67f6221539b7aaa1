type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends (<T>() => T extends B ? 1 : 2) ? true : false

/** Compiles if `value` has exactly the type asked for. */
export function expectType<T> (): <U>(value: U, same: Same<T, U>) => void {
  return () => {}
}
