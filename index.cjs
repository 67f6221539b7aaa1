'use strict'

const builtIn = require('./lib/built-in.cjs')
const named = require('./lib/public.cjs')

// What `@extism/extism` exports, and to CommonJS is: a function with everything else on it.
module.exports = Object.assign(named.createPlugin, named, builtIn, { default: named.createPlugin })
