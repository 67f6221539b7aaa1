// The Go plugin, what its host function reads, and what it answers.

import { readFileSync } from 'node:fs'

export const GREETER_FILE = new URL('../plugin/simple.wasm', import.meta.url)
export const GREETER = { wasm: readFileSync(GREETER_FILE), wasi: true }

export const MESSAGES = [
  ['hello', '👋 Hello World 🌍'],
  ['message', 'I 💜 Extism 😍']
]
export const NAME = 'Jane Doe'
export const ANSWER = `👋 Hello Jane Doe
key: hello, value: 👋 Hello World 🌍
key: message, value: I 💜 Extism 😍`
