import { test } from 'node:test'
import assert from 'node:assert/strict'
import { APIS, tree } from '../access/tree.js'
import { ask, open } from '../access/wasi.js'

/** What WASI answers where there are too many files. */
const EMFILE = 33

for (const [api, made] of Object.entries(APIS)) {
  test(`a plugin of ${api} has 256 files open at most, and others once it closes some`, async t => {
    const { inside } = tree(t)
    const [plugin, other] = [await made(t, inside), await made(t, inside)]
    const openAll = async plugin => {
      const files = []
      for (;;) {
        const { code, result } = await open(plugin, 'file')
        if (code !== 0) return { code, files }
        files.push(result)
      }
    }
    const { code, files } = await openAll(plugin)
    assert.deepEqual([code, files.length], [EMFILE, 256])
    assert.equal((await open(other, 'file')).code, 0)
    const [first, second, third] = files
    assert.equal((await ask(plugin, 'fd_close', [first])).code, 0)
    assert.notEqual((await ask(plugin, 'fd_close', [first])).code, 0)
    assert.equal((await ask(plugin, 'fd_renumber', [second, third])).code, 0)
    assert.equal((await ask(plugin, 'fd_renumber', [third, third])).code, 0)
    assert.deepEqual((await openAll(plugin)).files.length, 2)
  })
}
