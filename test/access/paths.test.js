import { describe, test } from 'node:test'
import assert from 'node:assert/strict'
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { APIS, contents, tree } from './tree.js'
import { FLAGS, RESULT, ask, open, read, write } from './wasi.js'

/** What WASI answers. */
const [INVALID, ABSENT, NOT_A_DIRECTORY, NOT_PERMITTED] = [28, 44, 54, 63]
const { CREATE, DIRECTORY, EXCLUSIVE, TRUNCATE } = FLAGS

for (const [api, made] of Object.entries(APIS)) {
  describe(`a directory that a plugin of ${api} may use`, () => {
    test('has all that is in it, however it is spelled', async t => {
      const plugin = await made(t, tree(t).inside)
      for (const name of ['file', './file', 'dir/../file', 'dir/./../file', 'dir/../dir/../file', 'near']) assert.equal(await read(plugin, name), 'mine', name)
      assert.equal(await read(plugin, 'dir/file'), 'deeper')
    })

    test('has no way out by its name', async t => {
      const { inside, outside } = tree(t)
      const plugin = await made(t, inside)
      const names = [
        '..', '../', '../outside/secret', './../outside/secret', 'dir/../../outside/secret', 'dir/../dir/../../outside/secret',
        'dir/..//../outside/secret', '../inside/file', `${outside}/secret`, `/${outside}/secret`, `${inside}/file`, '/', '/guest/file', '/etc/hostname'
      ]
      for (const name of names) assert.equal(await read(plugin, name), NOT_PERMITTED, name)
    })

    test('has no way out by a link, at the end or in the middle of a path', async t => {
      const { inside, outside } = tree(t)
      const before = contents(outside)
      const plugin = await made(t, inside)
      for (const name of ['relative', 'absolute', 'round', 'dangling', 'away/secret', 'away/../outside/secret', 'dir/../away/secret', 'dir/up/secret', 'away/../inside/file']) {
        assert.equal(await read(plugin, name), NOT_PERMITTED, name)
        assert.notEqual((await open(plugin, name, { flags: CREATE | TRUNCATE, write: true })).code, 0, name)
        assert.notEqual((await open(plugin, name, { flags: CREATE | EXCLUSIVE, write: true })).code, 0, name)
        assert.notEqual((await open(plugin, name, { follow: 0 })).code, 0, name)
      }
      assert.notEqual((await open(plugin, 'loop')).code, 0)
      for (const name of ['away', 'dir/up']) assert.equal((await open(plugin, name, { flags: DIRECTORY })).code, NOT_PERMITTED)
      assert.deepEqual(contents(outside), before)
    })

    test('has no way out from a directory in it that the plugin has opened', async t => {
      const plugin = await made(t, tree(t).inside)
      const { code, result: fd } = await open(plugin, 'dir', { flags: DIRECTORY })
      assert.equal(code, 0)
      assert.equal(await read(plugin, 'file', { fd }), 'deeper')
      for (const name of ['../file', '..', 'up/secret', '../../outside/secret']) assert.equal(await read(plugin, name, { fd }), NOT_PERMITTED, name)
    })

    test('has no way out by a link that the plugin makes, moves or renames', async t => {
      const { inside, outside } = tree(t)
      const before = contents(outside)
      const plugin = await made(t, inside)
      const link = async (target, name) => (await ask(plugin, 'path_symlink', [target, 3, name])).code
      assert.equal(await link('/etc/hostname', 'made1'), NOT_PERMITTED)
      assert.equal(await link('../outside/secret', 'made2'), 0)
      assert.equal(await link('../outside', 'made3'), 0)
      assert.equal(await link('..', 'dir/made4'), 0)
      for (const name of ['made2', 'made3/secret', 'dir/made4/made2', 'dir/made4/away/secret']) assert.equal(await read(plugin, name), NOT_PERMITTED, name)
      assert.equal(await read(plugin, 'dir/made4/file'), 'mine')
      assert.equal((await ask(plugin, 'path_rename', [3, 'dir/up', 3, 'up'])).code, 0)
      assert.equal(await read(plugin, 'up/secret'), NOT_PERMITTED)
      assert.equal((await ask(plugin, 'path_link', [3, 0, 'relative', 3, 'hard'])).code, 0)
      assert.equal(await read(plugin, 'hard'), NOT_PERMITTED)
      assert.deepEqual(contents(outside), before)
    })

    test('is all that the plugin can change', async t => {
      const { inside, outside } = tree(t)
      const before = contents(outside)
      const plugin = await made(t, inside)
      for (const name of ['../outside/secret', 'away/secret', 'dir/up/secret', `${outside}/secret`]) {
        const attempts = {
          path_unlink_file: [3, name],
          path_create_directory: [3, `${name}2`],
          path_remove_directory: [3, path.dirname(name)],
          path_rename: [3, name, 3, 'taken'],
          path_link: [3, 0, name, 3, 'taken'],
          path_symlink: ['file', 3, `${name}2`],
          path_filestat_get: [3, 1, name, RESULT],
          path_filestat_set_times: [3, 1, name, 0, 0, 5],
          path_readlink: [3, name, RESULT, 100, RESULT + 200]
        }
        for (const [attempt, args] of Object.entries(attempts)) assert.notEqual((await ask(plugin, attempt, args)).code, 0, `${attempt} ${name}`)
        assert.equal((await ask(plugin, 'path_rename', [3, 'file', 3, `${name}2`])).code, NOT_PERMITTED)
        assert.equal((await ask(plugin, 'path_link', [3, 0, 'file', 3, `${name}2`])).code, NOT_PERMITTED)
      }
      assert.equal((await ask(plugin, 'path_readlink', [3, 'absolute', RESULT, 100, RESULT + 200])).code, NOT_PERMITTED)
      assert.deepEqual(contents(outside), before)
      const { code, result: fd } = await open(plugin, 'new', { flags: CREATE, write: true })
      assert.deepEqual([code, await write(plugin, fd, 'made')], [0, 0])
      assert.ok(contents(inside).includes('new: made'))
    })

    test('has nothing by names that are odd', async t => {
      const plugin = await made(t, tree(t).inside)
      for (const name of ['fi\0le', 'file\0', 'file\0/../../outside/secret', '\0']) assert.equal(await read(plugin, name), INVALID, JSON.stringify(name))
      for (const name of ['', '😀', 'none', 'none/../file', '...', '~']) assert.equal(await read(plugin, name), ABSENT, name)
      for (const name of ['file/', 'file/.', 'file/../file']) assert.equal(await read(plugin, name), NOT_A_DIRECTORY, name)
      assert.equal(typeof await read(plugin, 'x'.repeat(300)), 'number')
      assert.equal(await read(plugin, 'file'), 'mine')
    })
  })

  describe(`a directory that a plugin of ${api} may only read`, () => {
    test('can be read, and nothing of it changed', async t => {
      const { root, inside } = tree(t)
      const before = contents(root)
      const plugin = await made(t, `ro:${inside}`)
      assert.equal(await read(plugin, 'dir/file'), 'deeper')
      for (const options of [{ write: true }, { flags: TRUNCATE }, { flags: TRUNCATE, write: true }]) assert.equal((await open(plugin, 'file', options)).code, NOT_PERMITTED)
      for (const options of [{ flags: CREATE }, { flags: CREATE | EXCLUSIVE, write: true }]) assert.equal((await open(plugin, 'new', options)).code, NOT_PERMITTED)
      const attempts = {
        path_unlink_file: [3, 'file'],
        path_create_directory: [3, 'new'],
        path_remove_directory: [3, 'dir'],
        path_rename: [3, 'file', 3, 'new'],
        path_link: [3, 0, 'file', 3, 'new'],
        path_symlink: ['file', 3, 'new'],
        path_filestat_set_times: [3, 0, 'file', 0, 0, 5]
      }
      for (const [attempt, args] of Object.entries(attempts)) assert.equal((await ask(plugin, attempt, args)).code, NOT_PERMITTED, attempt)
      const { result: directory } = await open(plugin, 'dir', { flags: DIRECTORY })
      assert.equal((await open(plugin, 'new', { fd: directory, flags: CREATE, write: true })).code, NOT_PERMITTED)
      assert.equal((await ask(plugin, 'path_unlink_file', [directory, 'file'])).code, NOT_PERMITTED)
      const { result: fd } = await open(plugin, 'file')
      assert.notEqual(await write(plugin, fd, 'more'), 0)
      assert.notEqual((await ask(plugin, 'fd_filestat_set_size', [fd, 0])).code, 0)
      assert.deepEqual(contents(root), before)
    })

    test('stays so where another one beside it may be written to', async t => {
      const { inside, outside } = tree(t)
      const before = contents(inside)
      symlinkSync(inside, path.join(outside, 'back'))
      mkdirSync(path.join(outside, 'own'))
      writeFileSync(path.join(outside, 'own', 'file'), 'own')
      const [plugin, other] = [await made(t, `ro:${inside}`), await made(t, outside)]
      assert.equal((await open(other, 'back/file', { flags: TRUNCATE, write: true })).code, NOT_PERMITTED)
      assert.equal((await open(other, 'own/file', { flags: TRUNCATE, write: true })).code, 0)
      assert.equal(await read(plugin, 'file'), 'mine')
      assert.deepEqual(contents(inside), before)
    })
  })

  describe(`a directory that is not there, for a plugin of ${api},`, () => {
    test('is an error, and others of the plugin can be used once it is', async t => {
      const { root } = tree(t)
      const host = path.join(root, 'later')
      const refused = async () => (await made(t, host)).call('args_sizes_get', Buffer.alloc(128))
      const error = { name: 'ExtismError', code: 'ERR_EXTISM_INSTANCE', message: /No such file or directory/ }
      await assert.rejects(refused, error)
      await assert.rejects(refused, error)
      mkdirSync(host)
      writeFileSync(path.join(host, 'file'), 'later')
      assert.equal(await read(await made(t, host), 'file'), 'later')
    })

    test('is one as well where it is a file, or has a name that none can have', async t => {
      const { inside } = tree(t)
      for (const host of [path.join(inside, 'file'), `${inside}\0`, `ro:${inside}\0`]) {
        await assert.rejects(async () => (await made(t, host)).call('args_sizes_get', Buffer.alloc(128)), { code: 'ERR_EXTISM_INSTANCE' })
      }
    })
  })
}
