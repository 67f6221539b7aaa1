'use strict'

const { Plugin } = require('./modern/plugin.cjs')

/**
 * A promise of a plugin from a manifest in any form. Rejects with what is wrong with the
 * manifest, its modules or the options.
 */
async function createPlugin (manifest, options) {
  return Plugin.create(manifest, options)
}

/** What this host can do, in the terms of `@extism/extism`. */
const CAPABILITIES = Object.freeze({
  supportsJSPromiseInterface: true,
  allowSharedBufferCodec: false,
  manifestSupportsPaths: true,
  crossOriginChecksEnforced: false,
  fsAccess: true,
  hasWorkerCapability: true,
  supportsWasiPreview1: true,
  supportsTimeouts: true,
  extismStdoutEnvVarSet: Boolean(process.env.EXTISM_ENABLE_WASI_OUTPUT)
})

module.exports = { CAPABILITIES, createPlugin }
