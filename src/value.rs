//! Numbers on their way between a guest and JavaScript, as bits.

use wasmparser::ValType;
use wasmtime::Val;

/// The bits of a value; those of an i32 are sign-extended.
pub fn bits(value: &Val) -> u64 {
    match value {
        Val::I32(number) => i64::from(*number) as u64,
        Val::I64(number) => *number as u64,
        Val::F32(bits) => f64::from(f32::from_bits(*bits)).to_bits(),
        Val::F64(bits) => *bits,
        // Signatures have none of the other types.
        _ => 0,
    }
}

/// The value of these bits that has the type of `like`. Floats of 32 bits travel as those of 64.
pub fn of_bits(bits: u64, like: &Val) -> Val {
    match like {
        Val::I32(_) => Val::I32(bits as i32),
        Val::F32(_) => Val::F32((f64::from_bits(bits) as f32).to_bits()),
        Val::F64(_) => Val::F64(bits),
        _ => Val::I64(bits as i64),
    }
}

/// The number of a value's type in the legacy API.
pub fn code(value: &Val) -> u32 {
    match value {
        Val::I32(_) => 0,
        Val::F32(_) => 2,
        Val::F64(_) => 3,
        _ => 1,
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
