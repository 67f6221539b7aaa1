import { mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { Plugin, createPlugin } from '../../index.js'
import { WASI_GUEST } from './wasi.js'

/**
 * Directories that are gone after the test: `inside` is for the plugin, with links that lead out
 * of it, and `outside`, beside it, has a secret.
 */
export function tree (t) {
  const root = mkdtempSync(path.join(tmpdir(), 'extism-napi-access-'))
  t.after(() => rmSync(root, { recursive: true, force: true }))
  const [inside, outside] = ['inside', 'outside'].map(name => path.join(root, name))
  mkdirSync(path.join(inside, 'dir'), { recursive: true })
  mkdirSync(outside)
  writeFileSync(path.join(inside, 'file'), 'mine')
  writeFileSync(path.join(inside, 'dir', 'file'), 'deeper')
  writeFileSync(path.join(outside, 'secret'), 'secret')
  const links = {
    near: 'file',
    relative: '../outside/secret',
    absolute: path.join(outside, 'secret'),
    away: '../outside',
    dangling: '../outside/made',
    round: '../inside/file',
    loop: 'loop',
    'dir/up': '../../outside'
  }
  for (const [link, target] of Object.entries(links)) symlinkSync(target, path.join(inside, link))
  return { root, inside, outside }
}

/** What is in a directory and below it, links as they are: names, and what files have. */
export function contents (directory, below = '') {
  return readdirSync(path.join(directory, below), { withFileTypes: true }).flatMap(entry => {
    const place = path.join(below, entry.name)
    if (entry.isDirectory()) return [place, ...contents(directory, place)]
    return entry.isFile() ? `${place}: ${readFileSync(path.join(directory, place))}` : place
  }).sort()
}

/** Plugins of either API that see this directory as `/guest`. */
export const APIS = {
  'the API of 2023': (t, host) => {
    const plugin = new Plugin({ wasm: [{ data: WASI_GUEST }], allowed_paths: { [host]: '/guest' } }, true)
    t.after(() => plugin.close())
    return plugin
  },
  createPlugin: async (t, host) => {
    const plugin = await createPlugin(WASI_GUEST, { useWasi: true, allowedPaths: { '/guest': host } })
    t.after(() => plugin.close())
    return plugin
  }
}
