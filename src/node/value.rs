//! Numbers on their way between a guest and JavaScript: bigints for i64, numbers else.

use extism::Val;
use napi::bindgen_prelude::*;
use wasmparser::ValType;

pub type Value = Either<f64, BigInt>;

pub fn from_val(value: &Val) -> Value {
    match value {
        Val::I32(number) => Either::A(f64::from(*number)),
        Val::I64(number) => Either::B(BigInt::from(*number)),
        Val::F32(bits) => Either::A(f64::from(f32::from_bits(*bits))),
        Val::F64(bits) => Either::A(f64::from_bits(*bits)),
        // Signatures have none of the other types.
        _ => Either::A(f64::NAN),
    }
}

/// The value of the type that `like` has; numbers wrap as they do in WebAssembly's JavaScript
/// interface.
pub fn to_val(value: &Value, like: &Val) -> Val {
    let integer = || match value {
        Either::A(number) => wrapped(*number),
        Either::B(number) => number.get_i64().0,
    };
    let float = || match value {
        Either::A(number) => *number,
        Either::B(number) => number.get_i64().0 as f64,
    };
    match like {
        Val::I32(_) => Val::I32(integer() as i32),
        Val::F32(_) => Val::F32((float() as f32).to_bits()),
        Val::F64(_) => Val::F64(float().to_bits()),
        _ => Val::I64(integer()),
    }
}

/// What is left of a number in 64 bits.
fn wrapped(number: f64) -> i64 {
    const RANGE: f64 = 18_446_744_073_709_551_616.0;
    match number.trunc() % RANGE {
        rest if rest.is_nan() => 0,
        rest if rest < 0.0 => ((-rest) as u64 as i64).wrapping_neg(),
        rest => rest as u64 as i64,
    }
}

/// The type with this number in the legacy API.
pub fn to_type(number: u8) -> ValType {
    match number {
        0 => ValType::I32,
        2 => ValType::F32,
        3 => ValType::F64,
        _ => ValType::I64,
    }
}
