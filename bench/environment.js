// Imported before everything else: what the environment must not decide for some contenders only.

// With these set, the runtime captures a backtrace for each error value, and the Rust loop takes
// half as long again. They are removed before the addon is loaded, and children inherit that.
delete process.env.RUST_BACKTRACE
delete process.env.RUST_LIB_BACKTRACE
