// How much each group measures: for figures, and to see that everything runs.

export const FULL = {
  rounds: 9,
  turnMs: 300,
  http: { rounds: 5, seconds: 2, saidRounds: 3 },
  work: { rounds: 5, turnMs: 1500 },
  delay: { rounds: 5, oneCoreRounds: 3, turnMs: 1000, calls: 100_000 },
  moved: { rounds: 5, calls: 5_000, rests: 40 },
  await: { rounds: 5 },
  plugins: { rounds: 3, more: 10, small: 1000 },
  instances: { rounds: 3, waiting: 1000, plugins: 10, each: 1000 },
  fresh: { rounds: 5 },
  compile: { rounds: 5 },
  start: { rounds: 7 },
  backtrace: { rounds: 9 },
  memory: { first: 10_000, last: 1_000_000 }
}

export const QUICK = {
  rounds: 2,
  turnMs: 20,
  http: { rounds: 1, seconds: 1, saidRounds: 1 },
  work: { rounds: 1, turnMs: 100 },
  delay: { rounds: 1, oneCoreRounds: 1, turnMs: 200, calls: 2_000 },
  moved: { rounds: 1, calls: 500, rests: 3 },
  await: { rounds: 1 },
  plugins: { rounds: 1, more: 2, small: 30 },
  instances: { rounds: 1, waiting: 50, plugins: 2, each: 20 },
  fresh: { rounds: 1 },
  compile: { rounds: 1 },
  start: { rounds: 1 },
  backtrace: { rounds: 2 },
  memory: { first: 1_000, last: 10_000 }
}
