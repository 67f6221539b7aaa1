// The same objects as in index.cjs, so that a class is the same class in both module systems.
// Since Node.js 23, a CommonJS module also exports `module.exports`. Both of these do, so the name
// is ambiguous and `export *` leaves it out.
export * from './lib/built-in.cjs'
export * from './lib/public.cjs'
export { createPlugin as default } from './lib/public.cjs'
