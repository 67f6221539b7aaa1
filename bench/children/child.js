// Processes of their own, for what is to be measured apart.

import { fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'

/** Runs a script beside this file: its first message, and a way to end it. */
export async function startChild (script, args, flags = []) {
  const child = fork(fileURLToPath(new URL(script, import.meta.url)), args, {
    execArgv: ['--no-warnings', ...flags]
  })
  const exited = once(child, 'exit')
  const message = await Promise.race([
    once(child, 'message').then(([message]) => message),
    exited.then(([code]) => Promise.reject(new Error(`${script} ${args.join(' ')} exited with ${code}`)))
  ])
  return {
    message,
    async end () {
      if (child.connected) child.disconnect()
      await exited
    }
  }
}

/** The message of a script that has nothing else to do. */
export async function runChild (script, args, flags) {
  const child = await startChild(script, args, flags)
  await child.end()
  return child.message
}
