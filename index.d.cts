// index.d.ts re-exports this file: a class is the same class in both module systems.

/// <reference types="node" />

export {}

/** Bytes in any form. They are copied: changing them afterwards changes nothing here. */
export type Bytes = ArrayBufferView | ArrayBufferLike

// Store

/** The bounds of a `Store`. Without them, or with `Infinity`, there are none. */
export interface StoreOptions {
  /** The most entries at a time, at least 1. The oldest by insertion go first. */
  maxEntries?: number
  /**
   * The most bytes at a time, at least 1: keys, as UTF-8, and values. The bookkeeping of some
   * 250 bytes an entry is not counted. The oldest entries by insertion go first.
   */
  maxBytes?: number
  /** How many milliseconds after it was last set an entry is gone, at least 1. */
  ttlMs?: number
}

/** What a `Store` holds, and what happened to it since it was made. */
export interface StoreStats {
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
 * It has the face of a `Map`, and iterates in the order of insertion; entries that change
 * during an iteration are seen as in a `Map`. What was put in as a string comes out as a
 * string, bytes come out as a Buffer, a copy each time. Text is kept as UTF-8: half of a
 * surrogate pair becomes U+FFFD.
 *
 * A store belongs to the thread that made it; it cannot be sent to a worker.
 */
export class Store {
  /**
   * @throws TypeError `ERR_INVALID_ARG_TYPE` for a key or a value of another type, or an option
   * that is not a number.
   * @throws RangeError `ERR_INVALID_ARG_VALUE` for an option below 1.
   */
  constructor (
    entries?: Iterable<readonly [key: string, value: string | Bytes]> | null,
    options?: StoreOptions
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
export const ValType: {
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

export type ValType = (typeof ValType)[keyof typeof ValType]

export namespace ValType {
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
export type Value<T extends NumericType = NumericType> = {
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
 * instance, and else rejects at once with `ERR_EXTISM_REENTRANT`.
 */
export type HostFunctionCallback<
  Inputs extends readonly NumericType[] = readonly NumericType[],
  Outputs extends readonly NumericType[] = readonly NumericType[],
  UserData extends readonly unknown[] = any[]
> = (
  plugin: CurrentPlugin,
  inputs: Values<Inputs>,
  outputs: Values<Outputs>,
  ...userData: UserData
) => void | PromiseLike<void>

/**
 * A function that plugins can call. While it runs, or its promise is pending, the plugin waits
 * and the event loop does not. The time counts towards the timeout of the plugin's call.
 * `plugin.callSync` runs it right away, as a function that may not be async.
 *
 * The type parameters follow from the arguments, so that `f` knows its inputs and outputs.
 */
export class HostFunction<
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

export interface MemoryGetOptions {
  /**
   * What a key gives that the store does not have: `'absent'` the offset 0, `'error'` a failed
   * call, `'empty'` a block. As a plugin has no blocks of length 0, that block is one byte, a
   * zero. The default is `'absent'`.
   */
  missing?: 'absent' | 'error' | 'empty'
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
export function memoryGet (name: string, store: Store, options?: MemoryGetOptions): HostFunction

/**
 * The plugin that called a host function, for as long as that function runs, or its promise is
 * pending. After that the methods throw an `ExtismError` `ERR_EXTISM_STALE`.
 *
 * Offsets and lengths are integers from 0 to 2^53 - 1. Anything else is a TypeError
 * `ERR_INVALID_ARG_TYPE` or a RangeError `ERR_INVALID_ARG_VALUE`.
 */
export class CurrentPlugin {
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

// Manifests

/** What a plugin can read with its PDK's `config` functions. */
export type Config = Readonly<Record<string, string>> | ReadonlyMap<string, string>

interface ManifestWasmBase {
  /**
   * What other modules of the manifest import it by. The one named `main`, or else the last
   * one, is the plugin itself. By default a module is named by its position, from `'0'`.
   */
  name?: string | null
  /** The SHA-256 of the module in hexadecimal digits; another one is an error. */
  hash?: string | null
}

/** A module given as bytes: binary, or in the text format. */
export interface ManifestWasmData extends ManifestWasmBase {
  /** A string is base64, as in JSON, and never the text format. */
  data: Bytes | string
}

/** A module in a file. */
export interface ManifestWasmPath extends ManifestWasmBase {
  /** Relative to the working directory. */
  path: string
}

/**
 * A module to download, of at most 256 MiB and within a minute. The thread waits for it, unless
 * `Plugin.create` makes the plugin.
 */
export interface ManifestWasmUrl extends ManifestWasmBase {
  url: string | URL
}

/** A module of a manifest. If several of `data`, `path` and `url` are there, the first wins. */
export type ManifestWasm = ManifestWasmData | ManifestWasmPath | ManifestWasmUrl

export interface ManifestMemory {
  /**
   * The most memory of the plugin, in pages of 64 KiB, from 1 to 65536. It covers the memories
   * of its modules and the blocks that plugin and host share. By default there is no limit.
   */
  max_pages?: number | null
  /** The same as `max_pages`. */
  maxPages?: number | null
}

/**
 * What a plugin is made of, and what it may do. Names of several words can be written in snake
 * case or in camel case; where both are there, snake case wins.
 */
export interface Manifest {
  wasm: readonly ManifestWasm[]
  memory?: ManifestMemory | null
  config?: Config | null
  /**
   * The hosts that the plugin may send HTTP requests to, by default none. `*` stands for any
   * characters, `?` for one; ports are not looked at. Redirects are held to the same list.
   */
  allowed_hosts?: readonly string[] | null
  /** The same as `allowed_hosts`. */
  allowedHosts?: readonly string[] | null
  /**
   * The directories that the plugin may use through WASI, by default none: the host's path,
   * with `ro:` in front where the plugin may only read, and the path the plugin sees.
   */
  allowed_paths?: Readonly<Record<string, string>> | null
  /** The same as `allowed_paths`. */
  allowedPaths?: Readonly<Record<string, string>> | null
  /**
   * How many milliseconds a call may run, by default 30 000; 0 or `Infinity` for any time. The
   * time starts when the call does, not while it is queued or the plugin is being compiled, and
   * goes on while a host function runs. A call can have a `timeoutMs` of its own.
   */
  timeout_ms?: number | null
  /** The same as `timeout_ms`. */
  timeoutMs?: number | null
}

/**
 * Everything that a plugin can be made from: a manifest as an object or in JSON, or a module,
 * binary or in the text format. Bytes and strings are JSON if they start with `{`. A string is
 * never a path or a URL: those go into a manifest.
 */
export type ManifestLike = Manifest | Bytes | string

// Plugins

/** How a plugin runs its calls. */
export interface PluginOptions {
  /**
   * How many instances of the plugin may run calls at the same time, from 1 to 1024, by default
   * 1. Each has a memory and a state of its own, and which of them takes a call is not said: a
   * plugin that keeps something from one call to the next needs the one. The first is made with
   * the plugin, further ones when there are calls for them.
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
   * Where compiled code is kept from one process to the next: `true`, the default, for the
   * user's cache directory, `false` for nowhere, or a directory. It has to belong to the user,
   * and nobody else may write to it, since what is in there is run. A cache that cannot be used
   * only costs the time to compile.
   */
  cache?: boolean | string
}

/** What one call wants beyond its input. */
export interface CallOptions extends CallSyncOptions {
  /**
   * Ends the call, whether it waits or runs: it rejects with an `AbortError`. Nothing changes
   * for other calls. A signal that is aborted already keeps the call from being made.
   */
  signal?: AbortSignal | undefined
}

/** What one synchronous call wants beyond its input. */
export interface CallSyncOptions {
  /**
   * How many milliseconds it may run, in place of the manifest's `timeout_ms`; 0 or `Infinity`
   * for any time.
   */
  timeoutMs?: number | null | undefined
}

/** Milliseconds that half of the calls, and 99 of 100, did not exceed; off by an eighth at most. */
export interface Percentiles {
  p50: number
  p99: number
}

/** What a plugin does, and what it has done since it was made or updated. */
export interface PluginStats {
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
  /** How long calls ran, host functions included. */
  runMs: Percentiles
  /** How long calls waited for an instance. */
  waitMs: Percentiles
}

/** Owns plugins, which go with it. */
export class Context {
  constructor ()

  #private

  /**
   * Makes a plugin that belongs to this context, see `Plugin`.
   *
   * @throws ExtismError `ERR_EXTISM_CLOSED` once the context is freed, and what `Plugin` throws.
   */
  plugin (
    manifest: ManifestLike,
    wasi?: boolean,
    functions?: readonly HostFunction[],
    config?: Config | null,
    options?: PluginOptions | null
  ): Plugin

  /** Frees every plugin; the context stays usable. */
  reset (): void

  /** Frees every plugin, and the context. Once more does nothing. */
  free (): void
}

/**
 * Calls `f` with a context that is freed once `f` has returned or thrown, or its promise has
 * settled: a promise of what `f` gives.
 */
export function withContext<T> (f: (context: Context) => T | PromiseLike<T>): Promise<T>

/**
 * A plugin: a queue of calls, and the instances that take calls from it, off the event loop.
 *
 * On one instance, the default, calls run one after another, in the order they were made, and
 * share the plugin's state. After a call that was cancelled, took too long or broke off, its
 * instance is replaced, and that state begins anew.
 *
 * A plugin that nothing is going on in does not keep the process alive. One that nobody holds
 * any longer is freed once its calls have ended.
 */
export class Plugin {
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
    wasi?: boolean,
    functions?: readonly HostFunction[],
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
    wasi?: boolean,
    functions?: readonly HostFunction[],
    config?: Config | null,
    ctx?: Context | null,
    options?: PluginOptions | null
  ): Promise<Plugin>

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
   * The same on this thread, which waits: for scripts, and for calls that are known to be short.
   * Timers, requests and all else that the event loop does wait as well.
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
    wasi?: boolean,
    functions?: readonly HostFunction[],
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

/** Stops calls of one plugin, see `plugin.cancelHandle()`. */
export class CancelHandle {
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

// Errors

/** The codes of `ExtismError`, stable from release to release. docs/errors.md explains each. */
export type ExtismErrorCode =
  | 'ABORT_ERR'
  | 'ERR_EXTISM_ASYNC'
  | 'ERR_EXTISM_BUSY'
  | 'ERR_EXTISM_CANCELLED'
  | 'ERR_EXTISM_CLOSED'
  | 'ERR_EXTISM_EXIT'
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
  | 'ERR_EXTISM_STALE'
  | 'ERR_EXTISM_TIMEOUT'
  | 'ERR_EXTISM_TRAP'

export interface ExtismErrorDetails {
  cause?: unknown
  plugin?: number
  function?: string
  exitCode?: number
  backtrace?: string
}

/**
 * Every failure, save that of a bad argument: that is a TypeError with the code
 * `ERR_INVALID_ARG_TYPE` or a RangeError with `ERR_INVALID_ARG_VALUE`.
 */
export class ExtismError extends Error {
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
  /** Where the plugin was when it broke off, innermost first. */
  readonly backtrace?: string
}

/**
 * What a call rejects with that its `signal` ended. It is an `ExtismError`; its class is not
 * exported, its `name` and `code` tell it.
 */
export interface AbortError extends ExtismError {
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
export function setLogFile (
  filename: string,
  level?: 'trace' | 'debug' | 'info' | 'warn' | 'error'
): true

/** The version of the Extism runtime inside, such as `1.41.0`. */
export function extismVersion (): string
