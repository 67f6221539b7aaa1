// Processes of their own, for what is to be measured apart.

import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'

/**
 * Runs a script beside this file: its first message, and ways to ask it and to end it.
 *
 * `flags` are for Node.js, `env` is added to the environment, and `cpu` is the one core that the
 * process may run on, where `canPin`.
 */
export async function startChild (script, args = [], { flags = [], env, cpu } = {}) {
  const file = fileURLToPath(new URL(script, import.meta.url))
  const pin = cpu === undefined ? [] : ['taskset', '-c', String(cpu)]
  const [command, ...rest] = [...pin, process.execPath, '--no-warnings', ...flags, file, ...args.map(String)]
  const child = spawn(command, rest, {
    env: { ...process.env, ...env },
    stdio: ['inherit', 'inherit', 'inherit', 'ipc']
  })
  const exited = once(child, 'exit')
  const failed = exited.then(([code, signal]) => {
    throw new Error(`${script} ${args.join(' ')} exited with ${signal ?? code}`)
  })
  failed.catch(() => {})
  const message = async () => (await Promise.race([once(child, 'message'), failed]))[0]
  return {
    message: await message(),
    async ask (question) {
      const answer = message()
      child.send(question)
      return await answer
    },
    async end () {
      if (child.connected) child.disconnect()
      await exited
    },
    async kill () {
      child.kill('SIGKILL')
      await exited
    }
  }
}

/** The message of a script that has nothing else to do. */
export async function runChild (script, args, options) {
  const child = await startChild(script, args, options)
  await child.end()
  return child.message
}

/** Whether children can be kept on one core here. */
export function canPin () {
  return spawnSync('taskset', ['-c', '0', 'true']).status === 0
}
