// What `require` gives: a function, createPlugin, with everything else on it. The lists of exports
// are at the end of this file and in index.d.ts.

/// <reference types="node" />

export = createPlugin

/** Bytes in any form. They are copied: changing them afterwards changes nothing here. */
type Bytes = ArrayBufferView | ArrayBufferLike

// Store

/** The bounds of a `Store`. Without them, or with `Infinity`, there are none. */
interface StoreOptions {
  /** The most entries at a time, at least 1. The oldest by insertion go first. */
  maxEntries?: number | null | undefined
  /**
   * The most bytes at a time, at least 1: keys, as UTF-8, and values. The bookkeeping of some
   * 250 bytes an entry is not counted. The oldest entries by insertion go first.
   */
  maxBytes?: number | null | undefined
  /** How many milliseconds after it was last set an entry is gone, at least 1. */
  ttlMs?: number | null | undefined
}

/** What a `Store` holds, and what happened to it since it was made. */
interface StoreStats {
  entries: number
  /** Bytes of keys, as UTF-8, and values. */
  bytes: number
  /** Reads that found a value, by plugins and by `get`. `has` and iteration count as none. */
  hits: number
  /** Reads that found nothing, by plugins and by `get`. */
  misses: number
  /** Entries dropped to keep to `maxEntries` or `maxBytes`. */
  evictions: number
  /** Entries dropped because their `ttlMs` was over. */
  expirations: number
}

/**
 * A map of strings to strings or bytes, which plugins read through `memoryGet` without any
 * JavaScript on the way.
 *
 * It has the methods of a `Map`, and iterates in the order of insertion; entries that change
 * during an iteration are seen as in a `Map`. What was put in as a string comes out as a
 * string, bytes come out as a Buffer, a copy each time. Text is kept as UTF-8: half of a
 * surrogate pair becomes U+FFFD.
 *
 * A store belongs to the thread that made it; it cannot be sent to a worker.
 */
declare class Store {
  /**
   * @throws TypeError `ERR_INVALID_ARG_TYPE` for a key or a value of another type, or an option
   * that is not a number.
   * @throws RangeError `ERR_INVALID_ARG_VALUE` for an option below 1.
   */
  constructor (
    entries?: Iterable<readonly [key: string, value: string | Bytes]> | null,
    options?: StoreOptions | null
  )

  constructor (options: StoreOptions)

  #private

  /** The number of entries. */
  readonly size: number
  readonly [Symbol.toStringTag]: string

  get (key: string): string | Buffer | undefined
  has (key: string): boolean

  /**
   * Sets a value and starts its `ttlMs` anew. An entry that exists keeps its place in the order.
   *
   * @throws TypeError `ERR_INVALID_ARG_TYPE` for a key that is not a string, or a value that is
   * neither a string nor bytes.
   * @throws RangeError `ERR_INVALID_ARG_VALUE` for an entry that exceeds `maxBytes` on its own;
   * nothing has changed then.
   */
  set (key: string, value: string | Bytes): this

  /** Whether there was such an entry. */
  delete (key: string): boolean

  clear (): void
  entries (): IterableIterator<[string, string | Buffer]>
  keys (): IterableIterator<string>
  values (): IterableIterator<string | Buffer>
  [Symbol.iterator] (): IterableIterator<[string, string | Buffer]>

  forEach<T = undefined> (
    callback: (this: T, value: string | Buffer, key: string, store: this) => void,
    thisArg?: T
  ): void

  stats (): StoreStats
}

// Host functions

/** The types of a host function's parameters and results. It is frozen. */
declare const ValType: {
  readonly I32: ValType.I32
  readonly I64: ValType.I64
  readonly F32: ValType.F32
  readonly F64: ValType.F64
  /** Known by its number only: no host function can have it. */
  readonly V128: ValType.V128
  /** Known by its number only: no host function can have it. */
  readonly FuncRef: ValType.FuncRef
  /** Known by its number only: no host function can have it. */
  readonly ExternRef: ValType.ExternRef
}

type ValType = (typeof ValType)[keyof typeof ValType]

declare namespace ValType {
  type I32 = 0
  type I64 = 1
  type F32 = 2
  type F64 = 3
  type V128 = 4
  type FuncRef = 5
  type ExternRef = 6
}

/** The types that a host function can have. */
type NumericType = ValType.I32 | ValType.I64 | ValType.F32 | ValType.F64

interface ValueFields {
  0: { i32: number }
  1: { i64: number | bigint }
  2: { f32: number }
  3: { f64: number }
}

/**
 * A parameter or a result of a host function: its type `t`, and its number under the name of
 * that type in `v`.
 *
 * An `i64` arrives as a number while that is exact, from -(2^53 - 1) to 2^53 - 1, and as a
 * bigint beyond; on the way back both will do. Whether an integer fits its type is not checked.
 */
type Value<T extends NumericType = NumericType> = {
  [K in T]: { t: K, v: ValueFields[K] }
}[T]

type Values<T extends readonly NumericType[]> = {
  -readonly [K in keyof T]: Value<T[K]>
}

/**
 * The JavaScript of a host function. Results are what it leaves in `outputs`, where all numbers
 * are 0 at first; what it returns is only awaited, if it is a promise.
 *
 * If it throws, or its promise rejects, the plugin's call fails with
 * `ERR_EXTISM_HOST_FUNCTION`, and the `cause` of that error is what was thrown.
 *
 * It may call plugins. A call of the very plugin that waits for it runs if that one has a free
 * instance, and else rejects at once with `ERR_EXTISM_REENTRANT`. After an `await`, it is recognised
 * as such from Node.js 24 on; before, it waits until a timeout ends it.
 */
type HostFunctionCallback<
  Inputs extends readonly NumericType[] = readonly NumericType[],
  Outputs extends readonly NumericType[] = readonly NumericType[],
  UserData extends readonly unknown[] = any[]
> = (
  plugin: LegacyCurrentPlugin,
  inputs: Values<Inputs>,
  outputs: Values<Outputs>,
  ...userData: UserData
) => void | PromiseLike<void>

/**
 * A function that plugins can call. It runs on JavaScript's thread, in the async context of the
 * plugin's call. While its promise is pending, the plugin is suspended, takes no thread, and the
 * event loop goes on. The time counts towards the timeout of the plugin's call.
 * `plugin.callSync` runs it right away, as a function that may not be async.
 *
 * The type parameters follow from the arguments, so that `f` knows its inputs and outputs.
 */
declare class HostFunction<
  const Inputs extends readonly NumericType[] = readonly NumericType[],
  const Outputs extends readonly NumericType[] = readonly NumericType[],
  UserData extends readonly unknown[] = any[]
> {
  /**
   * @param userData What `f` gets after its other arguments.
   * @throws TypeError `ERR_INVALID_ARG_TYPE` for an empty name, types that are not of `ValType`,
   * or an `f` that is no function.
   * @throws RangeError `ERR_INVALID_ARG_VALUE` for `V128`, `FuncRef` and `ExternRef`.
   */
  constructor (
    name: string,
    inputs: Inputs,
    outputs: Outputs,
    f: HostFunctionCallback<Inputs, Outputs, UserData>,
    ...userData: UserData
  )

  #private

  readonly name: string

  /**
   * Sets the namespace that plugins import the function from: this one alone, in place of
   * `extism:host/user` and `env`. Plugins that have been made already do not notice.
   *
   * @throws TypeError `ERR_INVALID_ARG_TYPE` for anything but a non-empty string.
   */
  setNamespace (namespace: string): void

  /** `setNamespace`, and the host function itself. */
  withNamespace (namespace: string): this

  /** Does nothing, since there is nothing to free. */
  free (): void
}

interface MemoryGetOptions {
  /**
   * What a key gives that the store does not have: `'absent'` the offset 0, `'error'` a failed
   * call, `'empty'` a block. As a plugin has no blocks of length 0, that block is one byte, a
   * zero. The default is `'absent'`.
   */
  missing?: 'absent' | 'error' | 'empty' | null | undefined
}

/**
 * A host function `(i64) -> i64` that reads a store: the plugin passes the offset of a block
 * with the key, and gets the offset of a new block with the value. No JavaScript runs on the
 * way, and reads do not wait for writes.
 *
 * A value of no bytes gives the offset 0, whatever `missing` says. An offset that is not that
 * of a block, or a key that is not UTF-8, fails the call with `ERR_EXTISM_HOST_FUNCTION`, as
 * does a missing key with `'error'`.
 *
 * @throws TypeError `ERR_INVALID_ARG_TYPE` for an empty name, or a `store` that is not a Store.
 * @throws RangeError `ERR_INVALID_ARG_VALUE` for an unknown `missing`.
 */
declare function memoryGet (name: string, store: Store, options?: MemoryGetOptions | null): HostFunction

/**
 * The plugin that called a `HostFunction`, for as long as that function runs, or its promise is
 * pending. After that the methods throw an `ExtismError` `ERR_EXTISM_STALE`.
 *
 * Offsets and lengths are integers from 0 to 2^53 - 1. Anything else is a TypeError
 * `ERR_INVALID_ARG_TYPE` or a RangeError `ERR_INVALID_ARG_VALUE`.
 */
declare class LegacyCurrentPlugin {
  /** Only host functions get one. */
  private constructor ()

  #private

  /**
   * The block at an offset, as a Buffer to read and to write; an empty one where there is no
   * block. The same offset gives the same Buffer until the host function ends.
   *
   * The plugin sees what was written when the host function has returned, or its promise has
   * been fulfilled. Writing to the Buffer later reaches nothing.
   */
  memory (offset: number | bigint): Buffer

  /**
   * The offset of a new block of `n` bytes that are zero; 0 for an `n` of 0.
   *
   * @throws ExtismError `ERR_EXTISM_OUT_OF_MEMORY` where the plugin has no room for it.
   */
  memoryAlloc (n: number | bigint): number

  /** Gives a block back. An offset that is not that of a block is ignored. */
  memoryFree (offset: number | bigint): void

  /** The length of a block in bytes, 0 where there is none. */
  memoryLength (offset: number | bigint): number

  /**
   * Puts a text into a new block, as UTF-8, and the block's offset into `output`; 0 for an
   * empty text.
   *
   * @throws ExtismError `ERR_EXTISM_OUT_OF_MEMORY` where the plugin has no room for it.
   */
  returnString (output: Value<ValType.I64>, text: string): void

  /** As `returnString`, with bytes. */
  returnBytes (output: Value<ValType.I64>, bytes: Bytes): void

  /** A copy of the bytes of the block that `input` is the offset of. */
  inputBytes (input: Value<ValType.I64>): Buffer

  /** The text, in UTF-8, of the block that `input` is the offset of. */
  inputString (input: Value<ValType.I64>): string
}

/** The class behind the first argument of a HostFunction's callback, see `LegacyCurrentPlugin`. */
declare const CurrentPlugin: typeof LegacyCurrentPlugin

// Manifests

/**
 * What a plugin can read with its PDK's `config` functions. A key whose value is null or undefined is
 * as good as absent. In the `config` argument of the legacy `Plugin`, null removes the value that the
 * manifest has for this key.
 */
type Config =
  | Readonly<Record<string, string | null | undefined>>
  | ReadonlyMap<string, string | null | undefined>

/** Paths by paths; one that is null or undefined is as if it were not there. */
type Paths = Readonly<Record<string, string | null | undefined>>

/** The same properties, each of which may be null: as if it were not there. */
type Nullable<T> = { [K in keyof T]: T[K] | null }

interface ManifestWasmBase {
  /**
   * What other modules of the manifest import it by; `createPlugin` and `Plugin` call the
   * functions of the one named `main`. That is the only module, whatever its name, or the last one,
   * if it has no name, and for `Plugin` also if it has another one. By default, and with an empty
   * name, a module is named by its position, from `'0'`, for `createPlugin` by its hash if that is
   * given.
   */
  name?: string | null | undefined
  /** The SHA-256 of the module in hexadecimal digits; another one is an error. An empty text is none. */
  hash?: string | null | undefined
}

/** A module given as bytes: binary, or in the text format. */
interface ManifestWasmData extends ManifestWasmBase {
  /** A string is base64, as in JSON, and never the text format. */
  data: Bytes | string
}

/** A module in a file of at most 256 MiB, which is no device or pipe. */
interface ManifestWasmPath extends ManifestWasmBase {
  /** Relative to the working directory. */
  path: string
}

/**
 * A module to download, of at most 256 MiB, within a minute. `createPlugin` takes `file:` URLs, too;
 * `new Plugin` has the thread wait for it.
 */
interface ManifestWasmUrl extends ManifestWasmBase {
  url: string | URL
}

/** A module that `fetch` answered with. It is for `createPlugin` only. */
interface ManifestWasmResponse extends ManifestWasmBase {
  response: Response
}

/**
 * A module that V8 has compiled. There is the type, so that programs which know it can be
 * compiled; such a module is refused, since nobody gets its bytes back.
 */
interface ManifestWasmModule extends ManifestWasmBase {
  module: object
}

/**
 * A module of a manifest. If several of `data`, `path`, `url`, `response` and `module` are there,
 * the first wins.
 */
type ManifestWasm =
  | ManifestWasmData
  | ManifestWasmPath
  | ManifestWasmUrl
  | ManifestWasmResponse
  | ManifestWasmModule

/** Limits of a plugin. */
interface MemoryOptions {
  /**
   * In pages of 64 KiB, what the blocks of one call may have together: its input, its output and
   * all else that plugin and host hand to each other. The plugin's own memory does not count. By
   * default, and with 0, there is no limit but that for both together.
   */
  maxPages?: number | undefined
  /**
   * The most bytes of the body of an HTTP request or response, by default and with 0 50 MiB, with
   * `Infinity` any. A larger request fails. Of a larger response the plugin gets nothing;
   * with the legacy `Plugin`, the call fails with `ERR_EXTISM_HOST_FUNCTION`.
   */
  maxHttpResponseBytes?: number | undefined
  /**
   * The most bytes of all variables together, without their names. 64 MiB by default; 0 and
   * `Infinity` for any.
   */
  maxVarBytes?: number | undefined
  /**
   * In pages of 64 KiB, what the plugin's memories, from their initial size on, and the blocks of
   * a call may have together, by default 16 384, which is 1 GiB, and 65 536 at most. What needs more
   * fails with `ERR_EXTISM_OUT_OF_MEMORY`. Where a memory wants to grow beyond the maximum that it is
   * declared with, `memory.grow` gives -1. The legacy `Plugin` has `max_pages` for it.
   */
  maxTotalPages?: number | undefined
  /**
   * How many elements the plugin's tables may have together, by default 1 000 000, and
   * 10 000 000 at most. A plugin that starts with more is refused with
   * `ERR_EXTISM_OUT_OF_MEMORY`; where one wants to grow further, `table.grow` gives it -1.
   */
  maxTableElements?: number | undefined
  /** The most bytes of an output, by default 256 MiB. A larger one is an `ERR_EXTISM_OUT_OF_MEMORY`. */
  maxOutputBytes?: number | undefined
  /**
   * How many bytes of stack a call may use at least, from 64 KiB to 16 MiB, by default 1 MiB. It is
   * rounded up to 1, 4 or 16 MiB. A call that needs more fails with `ERR_EXTISM_TRAP`.
   */
  maxStackBytes?: number | undefined
}

/** The `MemoryOptions` of a manifest, where they can be written in snake case, too. */
interface ManifestMemory extends MemoryOptions {
  /**
   * The same as `maxPages`. For the legacy `Plugin`, either of them is the most memory in all,
   * from 1 to 65536, by default 16384, which is 1 GiB: the memories of the modules, and the blocks
   * that plugin and host share.
   */
  max_pages?: number | null | undefined
  /** The same as `maxHttpResponseBytes`. */
  max_http_response_bytes?: number | null | undefined
  /** The same as `maxVarBytes`; 100 MiB by default for the legacy `Plugin`. */
  max_var_bytes?: number | null | undefined
  /** The same as `maxTotalPages`. The legacy `Plugin` does not look at it. */
  max_total_pages?: number | null | undefined
  /** The same as `maxTableElements`. */
  max_table_elements?: number | null | undefined
  /** The same as `maxOutputBytes`. */
  max_output_bytes?: number | null | undefined
  /** The same as `maxStackBytes`. */
  max_stack_bytes?: number | null | undefined
}

/** The configuration of a plugin. */
interface PluginConfigLike {
  [key: string]: string
}

/** The configuration of a plugin. */
type PluginConfig = Record<string, string>

/**
 * What a plugin is made of, and what it may do. Names of several words can be written in snake
 * case or in camel case; where both are there, `Plugin` takes snake case, but for the limits that
 * the legacy API did not have, and `createPlugin` camel case.
 */
interface Manifest {
  wasm: ManifestWasm[]
  memory?: ManifestMemory | undefined
  config?: PluginConfigLike | undefined
  /**
   * The hosts that the plugin may send HTTP requests to, by default none. `*` stands for any
   * characters, `?` for one, `[a-c]` for one of these, `{a,b}` for one of these texts. Ports are
   * not looked at. Redirects are held to the same list.
   */
  allowedHosts?: string[] | undefined
  /** The same as `allowedHosts`. */
  allowed_hosts?: string[] | undefined
  /**
   * The directories that the plugin may use through WASI, by default none. For `createPlugin`,
   * the path the plugin sees, and the directory of the host; for the legacy `Plugin` the other
   * way round. `ro:` in front of the directory only lets it read.
   */
  allowedPaths?: { [path: string]: string } | undefined
  /** The same as `allowedPaths`. */
  allowed_paths?: { [path: string]: string } | undefined
  /**
   * How many milliseconds a call may run, by default 30 000; 0 or `Infinity` for any time. The
   * time starts when the call does, not while it is queued or the plugin is being compiled, and
   * goes on while a host function runs. A call can have a `timeoutMs` of its own.
   */
  timeoutMs?: number | null | undefined
  /** The same as `timeoutMs`. */
  timeout_ms?: number | null | undefined
}

/**
 * A manifest as a plugin reads it: a `Manifest`, where arrays may be read-only, what is not there
 * may be null, and the config may be a Map.
 */
interface ReadonlyManifest {
  readonly wasm: readonly ManifestWasm[]
  readonly memory?: Nullable<ManifestMemory> | null | undefined
  readonly config?: Config | null | undefined
  readonly allowedHosts?: readonly string[] | null | undefined
  readonly allowed_hosts?: readonly string[] | null | undefined
  readonly allowedPaths?: Paths | null | undefined
  readonly allowed_paths?: Paths | null | undefined
  readonly timeoutMs?: number | null | undefined
  readonly timeout_ms?: number | null | undefined
}

/**
 * Everything that a plugin can be made from: a manifest as an object or in JSON, or a module,
 * binary or in the text format.
 *
 * To `createPlugin` a string is JSON if it starts with `{`, a URL if it starts with `http://`,
 * `https://` or `file://`, and else the path of a module. What is at a URL, and a `Response`, is
 * a manifest or a module by its content type.
 *
 * To the legacy `Plugin` bytes and strings are JSON if they start with `{`, and else a module. A
 * string is never a path or a URL, and a `URL` or a `Response` is a TypeError: those go into a
 * manifest.
 */
type ManifestLike = Manifest | ReadonlyManifest | Bytes | string | URL | Response

// Plugins

/** How a plugin runs its calls. */
interface PluginOptions {
  /**
   * How many instances of the plugin may run calls at the same time, from 1 to 1024, by default
   * 1. Each has a memory and a state of its own, and which of them takes a call is not said: a
   * plugin that keeps something from one call to the next needs the one. `createPlugin`
   * makes the first one, as `Plugin.create` does where there is no start code; others are made when
   * there are calls for them.
   */
  instances?: number | null
  /**
   * How many calls may wait for an instance, by default 65 536; those that an instance is free
   * for do not count. One more rejects with `ERR_EXTISM_QUEUE_FULL`.
   */
  maxQueue?: number | null
  /**
   * How many milliseconds a call may wait for an instance before it rejects with
   * `ERR_EXTISM_QUEUE_TIMEOUT`; 0, `Infinity`, or nothing for any time.
   */
  queueTimeoutMs?: number | null
  /**
   * How deep a call may be in calls that host functions have made, by default 32, and 1024 at
   * most: a call from a host function is at 1, one from a host function that this one leads to at
   * 2, and so on. A deeper one fails with `ERR_EXTISM_CALL_DEPTH`. Calls that a host function makes
   * after an `await` count from Node.js 24 on.
   */
  maxCallDepth?: number | null
  /**
   * How many bytes a call may log, and how many it may print, by default 16 MiB each; `Infinity` for
   * any. Further messages are dropped, with a notice; to print more fails.
   */
  maxLogBytes?: number | null
  /**
   * Where compiled code is kept from one process to the next: `true`, the default, for the
   * user's cache directory, `false` for nowhere, or a directory. It has to belong to the user,
   * and nobody else may write to it, since what is in there is run. A cache that cannot be used
   * only costs the time to compile, and so does a file that is not what was once written: its digest
   * is compared each time it is read. Files that were not used for 30 days, and the ones used least
   * recently beyond 1 GiB, are removed.
   */
  cache?: boolean | string | null
  /**
   * How many milliseconds compiling the plugin may take, the start of a process included; 0,
   * `Infinity`, or nothing for any time. What takes longer fails with `ERR_EXTISM_COMPILE_LIMIT`.
   *
   * With this or `maxCompileMemoryBytes`, a process of its own compiles each module whose code is
   * neither in this process nor in the cache, and is killed at the limit. That takes some 60 ms more.
   */
  compileTimeoutMs?: number | null
  /**
   * How many bytes of resident memory compiling a module may take, at least 1, beyond what Node.js
   * and the module take; `Infinity`, or nothing for any. What takes more fails with
   * `ERR_EXTISM_COMPILE_LIMIT`. The smallest module takes some 20 MB. See `compileTimeoutMs`.
   */
  maxCompileMemoryBytes?: number | null
  /**
   * Whether the plugin's code runs on worker threads of the addon only, never on JavaScript's thread,
   * but for `callSync`. Host functions in JavaScript run on JavaScript's thread all the same. By
   * default a short call runs on JavaScript's thread, at the end of a turn of the event loop, and a
   * call that takes longer than 700 µs moves to a worker; see docs/calls.md.
   */
  runInWorker?: boolean | null
  /**
   * Whether each call has a new instance, which has nothing of the call before: no memory, no open
   * files, and no variables, unless there is `sharedVars`. By default an instance serves many calls.
   */
  freshInstance?: boolean | null
}

/** What one call wants beyond its input. */
interface CallOptions extends CallSyncOptions {
  /**
   * Ends the call, whether it waits or runs: it rejects with an `AbortError`. Nothing changes
   * for other calls. A signal that is aborted already keeps the call from being made.
   */
  signal?: AbortSignal | null | undefined
}

/** What one synchronous call wants beyond its input. */
interface CallSyncOptions {
  /**
   * How many milliseconds it may run, in place of the plugin's `timeoutMs`; 0 or `Infinity` for
   * any time.
   */
  timeoutMs?: number | null | undefined
}

/** Milliseconds that half of the calls, and 99 of 100, did not exceed; off by an eighth at most. */
interface Percentiles {
  p50: number
  p99: number
}

/** What a plugin does, and what it has done since it was made or updated. */
interface PluginStats {
  /** Calls that have ended, however they did. */
  calls: number
  /** How many of them failed, by code. One that a signal ended is `ERR_EXTISM_CANCELLED` here. */
  errors: Partial<Record<ExtismErrorCode, number>>
  /** Calls that run. */
  active: number
  /** Calls that wait for an instance. */
  queued: number
  /** Instances there are, at most as many as the option `instances` says. */
  instances: number
  /** How often an instance was replaced after its call had been broken off. */
  replaced: number
  /** Calls that ran on a worker thread, in whole or in part. */
  moved: number
  /** How long calls ran, host functions included. */
  runMs: Percentiles
  /** How long calls waited for an instance. */
  waitMs: Percentiles
}

/** Owns plugins, which go with it. */
declare class Context {
  constructor ()

  #private

  /**
   * Makes a plugin that belongs to this context, see `Plugin`.
   *
   * @throws ExtismError `ERR_EXTISM_CLOSED` once the context is freed, and what `Plugin` throws.
   */
  plugin (
    manifest: ManifestLike,
    wasi?: boolean | null,
    functions?: readonly HostFunction[] | null,
    config?: Config | null,
    options?: PluginOptions | null
  ): LegacyPlugin

  /** Frees every plugin; the context stays usable. */
  reset (): void

  /** Frees every plugin, and the context. Once more does nothing. */
  free (): void
}

/**
 * Calls `f` with a context that is freed once `f` has returned or thrown, or its promise has
 * settled: a promise of what `f` gives.
 */
declare function withContext<T> (f: (context: Context) => T | PromiseLike<T>): Promise<T>

/**
 * A plugin of the legacy API: a queue of calls, and the instances that take calls from it. Calls
 * run at the end of a turn of the event loop, and on a worker thread if they are long.
 *
 * On one instance, the default, calls run one after another, in the order they were made, and
 * share the plugin's state. After a call that was cancelled, took too long or broke off, its
 * instance is replaced, and that state begins anew.
 *
 * A plugin that nothing is going on in does not keep the process alive. One that nobody holds
 * any longer is freed once its calls have ended.
 */
declare class LegacyPlugin {
  /**
   * Reads, checks and links the modules before it returns; the thread waits for that, and for
   * files and downloads of the manifest. `Plugin.create` waits for nothing. Compiling goes on
   * elsewhere: what goes wrong there, the first call rejects with.
   *
   * @param manifest What it is made from.
   * @param wasi Whether the plugin has WASI, by default not.
   * @param functions What it can call in the host. Those that it does not import are ignored; of
   * several that answer to one import, the first is taken.
   * @param config Adds to the `config` of the manifest, and overrides it.
   * @param ctx The context it belongs to, by default one of its own.
   * @param options How it runs its calls.
   * @throws ExtismError `ERR_EXTISM_MANIFEST`, `ERR_EXTISM_MODULE`, `ERR_EXTISM_LINK`, or
   * `ERR_EXTISM_CLOSED` if the context was freed.
   * @throws TypeError `ERR_INVALID_ARG_TYPE`, RangeError `ERR_INVALID_ARG_VALUE` for arguments,
   * limits, paths, a config or options that cannot be used.
   */
  constructor (
    manifest: ManifestLike,
    wasi?: boolean | null,
    functions?: readonly HostFunction[] | null,
    config?: Config | null,
    ctx?: Context | null,
    options?: PluginOptions | null
  )

  /**
   * A promise of a plugin that is compiled and ready to be called. The event loop goes on all
   * the time. Never throws; rejects with what the constructor throws, with what goes wrong when
   * the first instance is made, and with `ERR_EXTISM_CLOSED` if the context is reset or freed
   * meanwhile.
   */
  static create (
    manifest: ManifestLike,
    wasi?: boolean | null,
    functions?: readonly HostFunction[] | null,
    config?: Config | null,
    ctx?: Context | null,
    options?: PluginOptions | null
  ): Promise<LegacyPlugin>

  #private

  /** The number of the plugin in its context, from 0. */
  readonly id: number
  readonly ctx: Context

  /**
   * Calls a function of the plugin: a promise of its output, which is empty if the plugin set
   * none. Without `input` the plugin gets an empty one.
   *
   * Rejects with an `ExtismError` whose message starts with `Plugin error: `; docs/errors.md has
   * the codes. A call that its signal ended rejects with an `AbortError`. Rejects with a
   * TypeError `ERR_INVALID_ARG_TYPE` or a RangeError `ERR_INVALID_ARG_VALUE` for arguments that
   * cannot be used, such as an input that is neither a string nor bytes.
   */
  call (name: string, input?: string | Bytes, options?: CallOptions | null): Promise<Buffer>

  /**
   * The same at once, on this thread, which waits: for scripts, and for calls that are known to be
   * short. Timers, requests and all else that the event loop does wait as well.
   *
   * It does not wait for other calls: where no instance is free, it throws `ERR_EXTISM_BUSY`, and
   * so it does in a host function of the same plugin. Host functions in JavaScript are called
   * directly. One that returns a promise fails the call with `ERR_EXTISM_HOST_FUNCTION`, with an
   * `ERR_EXTISM_ASYNC` as its `cause`, and goes on by itself.
   *
   * @throws What `call` rejects with.
   */
  callSync (name: string, input?: string | Bytes, options?: CallSyncOptions | null): Buffer

  /**
   * Whether the plugin has a function of this name that can be called: one without parameters,
   * with one i32 or nothing for a result. `false` once the plugin is freed.
   */
  functionExists (name: string): boolean

  /**
   * Replaces the code, under the conditions of the constructor. Calls made before finish on the
   * old code. If this throws, the old code stays. The options of before do not: those not given
   * have their defaults. `stats()` begins anew.
   *
   * @returns `true`.
   * @throws ExtismError `ERR_EXTISM_CLOSED` once the plugin is freed, and what the constructor
   * throws.
   */
  update (
    manifest: ManifestLike,
    wasi?: boolean | null,
    functions?: readonly HostFunction[] | null,
    config?: Config | null,
    options?: PluginOptions | null
  ): true

  /** A way to stop the call that runs, whichever that is at the time. */
  cancelHandle (): CancelHandle

  /**
   * What the plugin does, and has done.
   *
   * @throws ExtismError `ERR_EXTISM_CLOSED` once the plugin is freed.
   */
  stats (): PluginStats

  /** Takes no further calls; those made before are finished. Once more does nothing. */
  free (): void

  /**
   * `free`, and a promise that the calls made before have ended. A host function of the plugin
   * must not await it, as that would be one of them.
   */
  close (): Promise<void>

  /** `close`, for `await using`. */
  [Symbol.asyncDispose] (): Promise<void>
}

/**
 * The class of the legacy API; its instances are of the type `LegacyPlugin`. The type `Plugin`
 * is what `createPlugin` gives.
 */
declare const Plugin: typeof LegacyPlugin

/** Stops calls of one plugin, see `plugin.cancelHandle()`. */
declare class CancelHandle {
  /** Only `plugin.cancelHandle()` makes one. */
  private constructor ()

  #private

  /**
   * Stops the calls that run, also those that wait for a host function, or, where none does, the
   * call that is the next to run: they reject with `ERR_EXTISM_CANCELLED`. Other calls in the
   * queue are not touched, nor are those that `update` has left on the old code. To stop one call
   * and no other, give it a `signal`.
   *
   * @returns Whether there was a call to stop.
   */
  cancel (): boolean
}

// createPlugin

/**
 * Makes a plugin: a promise that it is downloaded, linked, compiled and has run its start code,
 * none of which holds up the event loop. Never throws; rejects with what is wrong.
 *
 * ```js
 * const plugin = await createPlugin('plugin.wasm', { useWasi: true })
 * const output = await plugin.call('count_vowels', 'hello world')
 * console.log(output?.json())
 * await plugin.close()
 * ```
 *
 * It stands in for `createPlugin` of `@extism/extism`; docs/compatibility.md says where the two
 * differ.
 *
 * @param manifest What it is made from, or a promise of that.
 * @param options What it may do, and how it runs its calls. They go before those of the
 * manifest, each as a whole.
 */
declare function createPlugin (
  manifest: ManifestLike | PromiseLike<ManifestLike>,
  options?: NullableOptions | null
): Promise<Plugin>

/** What a plugin may do, and how it runs its calls. */
interface ExtismPluginOptions {
  /** Whether the plugin has WASI preview 1, by default not. */
  useWasi?: boolean | undefined
  /**
   * Whether the plugin's code runs on worker threads only, see `PluginOptions`. A call then rejects
   * with `plugin is not reentrant` while another one has not settled, unless there is `maxQueue`. By
   * default it waits.
   */
  runInWorker?: boolean | undefined
  /**
   * What gets the messages that the plugin logs, each by the method of its level. By default
   * `console`. If a method throws, the call that logged rejects with the same error, and no other
   * call does. If it returns a promise that rejects, the process emits an `ExtismWarning`.
   */
  logger?: Partial<Record<'trace' | 'debug' | 'info' | 'warn' | 'error', (message: string) => void>> | undefined
  /** The lowest level that is logged, by default `'silent'`: nothing is. */
  logLevel?: LogLevel | undefined
  /**
   * What the plugin can call: functions by namespace and name. Those that it does not import are
   * ignored.
   *
   * A function gets a `CallContext` and the plugin's arguments, an i64 as a bigint, all else as a
   * number. It gives a number or a bigint, or a promise of one: the plugin is suspended meanwhile,
   * and the event loop goes on. What it throws, the plugin's call rejects with. `memoryGet` goes
   * here, too.
   *
   * ```js
   * const functions = {
   *   'extism:host/user': {
   *     greet: (context, name) => context.store(`Hello, ${context.read(name)?.text()}!`)
   *   }
   * }
   * ```
   */
  functions?: {
    [namespace: string]: {
      [name: string]: ((context: CallContext, ...args: any[]) => any) | HostFunction
    }
  } | undefined
  /**
   * The directories that the plugin may use through WASI, by default none: the path it sees, and
   * the directory of the host, with `ro:` in front where it may only read.
   */
  allowedPaths?: { [guest: string]: string } | undefined
  /**
   * The hosts that the plugin may send HTTP requests to, by default none. `*` stands for any
   * characters, `?` for one, `[a-c]` for one of these, `{a,b}` for one of these texts. Ports are
   * not looked at. Redirects are held to the same list.
   */
  allowedHosts?: string[] | undefined
  /** How much memory the plugin may use, of its own and for what it shares with the host. */
  memory?: MemoryOptions | undefined
  /**
   * How many milliseconds a call may run, by default 30 000; 0 or `Infinity` for any time. The
   * time goes on while a host function runs.
   */
  timeoutMs?: number | null | undefined
  /**
   * Whether what the plugin writes to stdout and stderr, through WASI, goes to those of this
   * process. By default it goes nowhere, unless `EXTISM_ENABLE_WASI_OUTPUT` is set.
   */
  enableWasiOutput?: boolean | undefined
  /** What the plugin can read with its PDK's `config` functions. */
  config?: PluginConfigLike | undefined
  /**
   * What downloads manifests and modules, and sends the plugin's HTTP requests. Of a response, it
   * needs the `status`, the headers of a redirect, and a `body` that is a stream or `arrayBuffer()`.
   */
  fetch?: typeof globalThis.fetch | undefined
  /** Ignored: nothing is shared with a worker. */
  sharedArrayBufferSize?: number | undefined
  /** Whether the plugin can read the headers of HTTP responses, by default not. */
  allowHttpResponseHeaders?: boolean | undefined
  /** Ignored: no plugin runs in a worker thread of Node.js. */
  nodeWorkerArgs?: { [name: string]: any } | undefined

  // What `@extism/extism` does not have:

  /** How many calls may run at the same time, see `PluginOptions`. */
  instances?: number | null | undefined
  /** How many calls may wait, see `PluginOptions`. */
  maxQueue?: number | null | undefined
  /** How long a call may wait, see `PluginOptions`. */
  queueTimeoutMs?: number | null | undefined
  /** How deep calls may be in host functions, see `PluginOptions`. */
  maxCallDepth?: number | null | undefined
  /** How many bytes a call may log and print, see `PluginOptions`. */
  maxLogBytes?: number | null | undefined
  /** Where compiled code is kept, see `PluginOptions`. */
  cache?: boolean | string | null | undefined
  /** How long compiling may take, see `PluginOptions`. */
  compileTimeoutMs?: number | null | undefined
  /** How much memory compiling may take, see `PluginOptions`. */
  maxCompileMemoryBytes?: number | null | undefined
  /** Whether each call has a new instance, see `PluginOptions`. */
  freshInstance?: boolean | null | undefined
  /**
   * How much a call may compute, in units of about one instruction, before it fails with
   * `ERR_EXTISM_FUEL`. The start code of an instance that is made for the call counts, too. By
   * default there is no limit; 0 is that, too.
   */
  fuel?: number | null | undefined
  /** Whether all instances have the same variables, by default each has its own. */
  sharedVars?: boolean | undefined
}

/** `ExtismPluginOptions` whose options may be null, and entries of its objects null or undefined. */
interface NullableOptions extends Nullable<Omit<ExtismPluginOptions, 'allowedPaths' | 'config' | 'functions' | 'memory'>> {
  functions?: {
    [namespace: string]: {
      [name: string]: ((context: CallContext, ...args: any[]) => any) | HostFunction | null | undefined
    } | null | undefined
  } | null | undefined
  allowedPaths?: Paths | null | undefined
  memory?: Nullable<MemoryOptions> | null | undefined
  config?: Config | null | undefined
}

type LogLevel = 'trace' | 'debug' | 'info' | 'warn' | 'error' | 'silent'

/**
 * What `createPlugin` gives: a queue of calls, and the instances that take calls from it. Calls run
 * at the end of a turn of the event loop, and on a worker thread if they are long.
 *
 * A plugin that nothing is going on in does not keep the process alive. One that nobody holds
 * any longer is freed once its calls have ended.
 */
interface Plugin {
  /** Whether the plugin exports a function of this name. */
  functionExists (funcName: string): Promise<boolean>

  /**
   * Takes no further calls: a promise that those made before have ended. Once more gives the
   * same promise. A host function of the plugin must not await it, as that would wait for itself.
   */
  close (): Promise<void>

  /** `close`, for `await using`. */
  [Symbol.asyncDispose] (): Promise<void>

  /**
   * Calls a function of the plugin: a promise of its output, null if the plugin set none. A
   * function that has parameters gets zeros for them, and what it returns is not looked at.
   *
   * Never throws. docs/errors.md has what it rejects with. After a call that broke off, took too
   * long or was ended, the plugin's memory begins anew; its variables stay.
   *
   * @param input By default nothing.
   * @param hostContext What the host functions of this call get from `context.hostContext()`.
   */
  call<T> (
    funcName: string,
    input?: string | Bytes | null,
    hostContext?: T,
    options?: CallOptions | null
  ): Promise<PluginOutput | null>

  /**
   * The same at once, on this thread, which waits: for scripts, and for calls that are known to be
   * short. Messages are logged while it runs. It throws `ERR_EXTISM_BUSY` where no instance is free. A host function that returns a promise
   * fails the call.
   *
   * @throws What `call` rejects with.
   */
  callSync<T> (
    funcName: string,
    input?: string | Bytes | null,
    hostContext?: T,
    options?: CallSyncOptions | null
  ): PluginOutput | null

  /** What the main module exports, in its order. */
  getExports (): Promise<PluginExport[]>

  /** What the main module imports, in its order. */
  getImports (): Promise<PluginImport[]>

  /**
   * Rejects with `ERR_EXTISM_UNSUPPORTED`: the plugin does not run in V8.
   *
   * @deprecated There is no such instance.
   */
  getInstance (): Promise<WebAssemblyInstance>

  /** Whether a call runs or waits. */
  isActive (): boolean

  /**
   * Whether no call runs or waits. There is nothing to do: each call gives the memory of its
   * blocks back by itself. Variables and the plugin's own memory stay.
   */
  reset (): Promise<boolean>

  /**
   * Replaces the code: a promise that the new code is ready. Calls made before then finish on the
   * old code. If it rejects, the old code stays. `stats()` and variables begin anew.
   *
   * @param options By default those of before.
   */
  update (manifest: ManifestLike | PromiseLike<ManifestLike>, options?: NullableOptions | null): Promise<void>

  /**
   * What the plugin does, and has done.
   *
   * @throws ExtismError `ERR_EXTISM_CLOSED` once the plugin is closed.
   */
  stats (): PluginStats
}

interface PluginExport {
  name: string
  kind: 'function' | 'global' | 'memory' | 'table'
}

interface PluginImport extends PluginExport {
  module: string
}

/** The type of that name, where the program knows of WebAssembly at all. */
type WebAssemblyInstance = typeof globalThis extends { WebAssembly: { Instance: { prototype: infer T } } }
  ? T
  : { readonly exports: Record<string, any> }

/**
 * What a plugin gave, or a block of its memory: a DataView that can only be read. Its `set`
 * methods throw.
 */
interface PluginOutput extends DataView {
  /** The value of the JSON that it is. */
  json<T = any> (): T
  /** The text that it is, in UTF-8. */
  text (): string
  /** The same as `text`. */
  string (): string
  bytes (): Uint8Array
  /**
   * Where the bytes are. For the output of a call and for a variable it is exactly those; for a
   * block there may be others around them, as for any view. Those of more than 8 MiB can be
   * copied to another thread, but not transferred.
   */
  arrayBuffer (): ArrayBufferLike
}

/**
 * What a function of the option `functions` gets first: the plugin that called it, for as long as
 * that function runs, or its promise is pending. After that, what reads or writes memory throws
 * an `ExtismError` `ERR_EXTISM_STALE`.
 *
 * An address is a bigint, and 0n that of nothing. Numbers will do as well.
 */
interface CallContext {
  /** What was passed to the plugin's call, the same object; null for nothing, or after the call. */
  hostContext<T = any> (): T

  /** The address of a new block of zeros; 0n if there is no room for it, which is logged. */
  alloc (size: bigint | number): bigint

  /** The value of a variable, a copy, or null if there is none. */
  getVariable (name: string): PluginOutput | null

  /**
   * Sets a variable.
   *
   * @throws ExtismError `ERR_EXTISM_GUEST` where there is no room for it. The old value stays.
   */
  setVariable (name: string, value: string | Bytes): void

  deleteVariable (name: string): void

  /**
   * The block at this address, or null. What is written to its `bytes()` reaches the plugin when
   * the host function has returned, or its promise has been fulfilled.
   */
  read (addr: bigint | number): PluginOutput | null

  /** The address of a new block with this text, in UTF-8, or these bytes. */
  store (input: string | Bytes): bigint

  /** The length of a block in bytes, 0n where there is none. */
  length (addr: bigint | number): bigint

  /** Makes the plugin's call fail with this text, once the plugin returns. */
  setError (err?: string | Error | null): void

  /** The `logLevel` of the plugin, which can be changed at any time. */
  logLevel: LogLevel
}

/** The other name that `@extism/extism` has for it. The value `CurrentPlugin` is another class. */
type CurrentPlugin = CallContext

/** What a host of plugins can do. Where `createPlugin` is concerned, the values do not change. */
interface Capabilities {
  /** Whether host functions may be asynchronous without `runInWorker`: true. */
  supportsJSPromiseInterface: boolean
  /** Whether text can be decoded right from a SharedArrayBuffer: false. */
  allowSharedBufferCodec: boolean
  /** Whether a module may be a path: true. */
  manifestSupportsPaths: boolean
  /** Whether HTTP requests are held to the rules of a browser: false. */
  crossOriginChecksEnforced: boolean
  /** Whether there is a file system: true. */
  fsAccess: boolean
  /** Whether plugins can run off the event loop: true; those of long calls always do. */
  hasWorkerCapability: boolean
  /** Whether there is `useWasi`: true. */
  supportsWasiPreview1: boolean
  /** Whether there is `timeoutMs`: true. */
  supportsTimeouts: boolean
  /** Whether `EXTISM_ENABLE_WASI_OUTPUT` was set when the package was loaded. */
  extismStdoutEnvVarSet: boolean
}

/** What this host can do. It is frozen. */
declare const CAPABILITIES: Readonly<Capabilities>

// Errors

/** The codes of `ExtismError`, stable from release to release. docs/errors.md explains each. */
type ExtismErrorCode =
  | 'ABORT_ERR'
  | 'ERR_EXTISM_ASYNC'
  | 'ERR_EXTISM_BUSY'
  | 'ERR_EXTISM_CALL_DEPTH'
  | 'ERR_EXTISM_CANCELLED'
  | 'ERR_EXTISM_CLOSED'
  | 'ERR_EXTISM_COMPILE_LIMIT'
  | 'ERR_EXTISM_COMPILE_PROCESS'
  | 'ERR_EXTISM_EXIT'
  | 'ERR_EXTISM_FUEL'
  | 'ERR_EXTISM_FUNCTION_NOT_FOUND'
  | 'ERR_EXTISM_GUEST'
  | 'ERR_EXTISM_HOST_FUNCTION'
  | 'ERR_EXTISM_HTTP'
  | 'ERR_EXTISM_INSTANCE'
  | 'ERR_EXTISM_INTERNAL'
  | 'ERR_EXTISM_LINK'
  | 'ERR_EXTISM_LOG_FILE'
  | 'ERR_EXTISM_MANIFEST'
  | 'ERR_EXTISM_MEMORY'
  | 'ERR_EXTISM_MODULE'
  | 'ERR_EXTISM_OUT_OF_MEMORY'
  | 'ERR_EXTISM_QUEUE_FULL'
  | 'ERR_EXTISM_QUEUE_TIMEOUT'
  | 'ERR_EXTISM_REENTRANT'
  | 'ERR_EXTISM_SIGNAL'
  | 'ERR_EXTISM_STALE'
  | 'ERR_EXTISM_TIMEOUT'
  | 'ERR_EXTISM_TRAP'
  | 'ERR_EXTISM_UNSUPPORTED'

interface ExtismErrorDetails {
  cause?: unknown
  plugin?: number
  function?: string
  exitCode?: number
  backtrace?: string
}

/**
 * Every failure, save that of a bad argument: that is a TypeError with the code
 * `ERR_INVALID_ARG_TYPE` or a RangeError with `ERR_INVALID_ARG_VALUE`. What `createPlugin` gives
 * has a few of other classes, as programs for `@extism/extism` know them; docs/errors.md lists them.
 */
declare class ExtismError extends Error {
  constructor (code: ExtismErrorCode, message: string, details?: ExtismErrorDetails)

  readonly code: ExtismErrorCode
  /** What is behind it: for `ERR_EXTISM_HOST_FUNCTION` what the host function threw. */
  cause?: unknown
  /** The `id` of the plugin whose call failed. */
  readonly plugin?: number
  /** The function of the plugin that was called. */
  readonly function?: string
  /** What the plugin returned, or exited with, if that says that it failed. */
  readonly exitCode?: number
  /**
   * Where the plugin was when it broke off, innermost first: names of functions, and files and lines
   * where the module has debug information.
   */
  readonly backtrace?: string
}

/**
 * What a call rejects with that its `signal` ended. It is an `ExtismError`; its class is not
 * exported, its `name` and `code` tell it.
 */
interface AbortError extends ExtismError {
  name: 'AbortError'
  readonly code: 'ABORT_ERR'
  /** The reason of the signal. */
  cause?: unknown
}

// The process

/**
 * Appends what the plugins of this process log from now on to a file, which is created if there
 * is none. There is one log file at a time; without one, logs go nowhere. Messages are cut after
 * 64 KiB.
 *
 * @param level The lowest level to log, by default `'info'`.
 * @returns `true`.
 * @throws ExtismError `ERR_EXTISM_LOG_FILE` if the file cannot be opened.
 * @throws TypeError `ERR_INVALID_ARG_TYPE` for a name that is no string, RangeError
 * `ERR_INVALID_ARG_VALUE` for an unknown level.
 */
declare function setLogFile (
  filename: string,
  level?: 'trace' | 'debug' | 'info' | 'warn' | 'error' | null
): true

/** The version of Extism whose manifests and ABI these are, such as `1.41.0`. */
declare function extismVersion (): string

// Exports

declare namespace createPlugin {
  export {
    CAPABILITIES,
    CancelHandle,
    Context,
    CurrentPlugin,
    ExtismError,
    HostFunction,
    Plugin,
    Store,
    ValType,
    createPlugin,
    createPlugin as default,
    createPlugin as newPlugin,
    extismVersion,
    memoryGet,
    setLogFile,
    withContext
  }

  export type {
    AbortError,
    Bytes,
    CallContext,
    CallOptions,
    CallSyncOptions,
    Capabilities,
    Config,
    ExtismErrorCode,
    ExtismErrorDetails,
    ExtismPluginOptions,
    HostFunctionCallback,
    LegacyCurrentPlugin,
    LegacyPlugin,
    LogLevel,
    Manifest,
    ManifestLike,
    ManifestMemory,
    ManifestWasm,
    ManifestWasmData,
    ManifestWasmModule,
    ManifestWasmPath,
    ManifestWasmResponse,
    ManifestWasmUrl,
    MemoryGetOptions,
    MemoryOptions,
    Percentiles,
    PluginConfig,
    PluginConfigLike,
    PluginExport,
    PluginImport,
    PluginOptions,
    PluginOutput,
    PluginStats,
    ReadonlyManifest,
    StoreOptions,
    StoreStats,
    Value
  }
}
