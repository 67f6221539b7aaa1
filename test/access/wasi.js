import { guest } from '../helpers.js'

/** Where the results of a call are, and what is read or written. */
export const RESULT = 2048
const PARTS = 1024
const DATA = 1536

const WASI = {
  args_get: 'i32 i32',
  args_sizes_get: 'i32 i32',
  environ_get: 'i32 i32',
  environ_sizes_get: 'i32 i32',
  fd_close: 'i32',
  fd_fdstat_get: 'i32 i32',
  fd_filestat_set_size: 'i32 i64',
  fd_prestat_get: 'i32 i32',
  fd_read: 'i32 i32 i32 i32',
  fd_renumber: 'i32 i32',
  fd_readdir: 'i32 i32 i32 i64 i32',
  fd_write: 'i32 i32 i32 i32',
  path_create_directory: 'i32 i32 i32',
  path_filestat_get: 'i32 i32 i32 i32 i32',
  path_filestat_set_times: 'i32 i32 i32 i32 i64 i64 i32',
  path_link: 'i32 i32 i32 i32 i32 i32 i32',
  path_open: 'i32 i32 i32 i32 i32 i64 i64 i32 i32',
  path_readlink: 'i32 i32 i32 i32 i32 i32',
  path_remove_directory: 'i32 i32 i32',
  path_rename: 'i32 i32 i32 i32 i32 i32',
  path_symlink: 'i32 i32 i32 i32 i32',
  path_unlink_file: 'i32 i32 i32',
  sock_accept: 'i32 i32 i32',
  sock_recv: 'i32 i32 i32 i32 i32 i32',
  sock_send: 'i32 i32 i32 i32 i32',
  sock_shutdown: 'i32 i32'
}

/** A function for each of WASI's, with its arguments in memory, eight bytes each. */
const functions = Object.entries(WASI).map(([name, types]) => {
  const args = types.split(' ').map((type, i) => type === 'i64'
    ? `(i64.load offset=${i * 8} (i32.const 0))`
    : `(i32.load offset=${i * 8} (i32.const 0))`)
  return `(func (export "${name}") (result i32) (call $take) (call $${name} ${args.join(' ')}) (call $answer))`
})

/**
 * A guest that does what the input says: arguments in the first 128 bytes, and what is to be in its
 * memory behind them. The output is the answer of WASI, and then what its memory has.
 */
export const WASI_GUEST = guest(`
  (func $take (local $i i32)
    (memory.fill (i32.const 0) (i32.const 0) (i32.const 4096))
    (loop $next
      (i32.store8 (local.get $i) (call $input_load_u8 (i64.extend_i32_u (local.get $i))))
      (local.set $i (i32.add (local.get $i) (i32.const 1)))
      (br_if $next (i32.lt_u (local.get $i) (i32.wrap_i64 (call $input_length))))))
  (func $answer (param $code i32) (result i32)
    (i32.store (i32.const 0) (local.get $code))
    (call $give (call $put (i32.const 0) (i32.const 4096)))
    (i32.const 0))
  ${functions.join('\n')}`, {
  user: Object.entries(WASI).map(([name, types]) => `(import "wasi_snapshot_preview1" "${name}" (func $${name} (param ${types}) (result i32)))`).join('\n')
})

/**
 * Calls a function of WASI in a plugin of either API. A text stands for two arguments, where it is
 * and its length; `data` is what there is to be written.
 */
export async function ask (plugin, name, args, data = Buffer.alloc(400)) {
  const memory = Buffer.alloc(RESULT)
  let [slot, free] = [0, 128]
  const add = value => { slot = memory.writeBigInt64LE(BigInt(value), slot) }
  for (const arg of args) {
    add(typeof arg === 'string' ? free : arg)
    if (typeof arg !== 'string') continue
    add(Buffer.byteLength(arg))
    free += memory.write(arg, free)
  }
  memory.writeInt32LE(DATA, PARTS)
  memory.writeInt32LE(data.length, PARTS + 4)
  memory.set(Buffer.from(data), DATA)
  const output = await plugin.call(name, memory)
  const bytes = Buffer.from(output.buffer, output.byteOffset, output.byteLength)
  return { code: bytes.readInt32LE(0), result: bytes.readInt32LE(RESULT), bytes }
}

/** Rights and flags of `path_open`. */
const [READ, WRITE] = [2n, 64n]
export const FLAGS = { CREATE: 1, DIRECTORY: 2, EXCLUSIVE: 4, TRUNCATE: 8 }

/** Opens a path: `code`, and the number of the file as `result`. Links are followed unless told otherwise. */
export function open (plugin, path, { fd = 3, flags = 0, write = false, follow = 1 } = {}) {
  return ask(plugin, 'path_open', [fd, follow, path, flags, write ? READ | WRITE : READ, 0, 0, RESULT])
}

/** What a file has, or the code of what went wrong. */
export async function read (plugin, path, options) {
  const { code, result: fd } = await open(plugin, path, options)
  if (code !== 0) return code
  const { code: failed, result: length, bytes } = await ask(plugin, 'fd_read', [fd, PARTS, 1, RESULT])
  return failed || bytes.toString('utf8', DATA, DATA + length)
}

/** Writes to an open file: the code. */
export async function write (plugin, fd, text) {
  return (await ask(plugin, 'fd_write', [fd, PARTS, 1, RESULT], Buffer.from(text))).code
}
