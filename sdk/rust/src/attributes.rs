//! Attributes: the typed values that requests, responses, events and readings carry.

use crate::buffer::Buffer;
use crate::message::{Format, Payload};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Int8,
    Int16,
    Int32,
    Int64,
    Uint8,
    Uint16,
    Uint32,
    Uint64,
    Float,
    Double,
    Bool,
    Text,
    Bytes,
}

const KINDS: [Kind; 13] = [
    Kind::Int8,
    Kind::Int16,
    Kind::Int32,
    Kind::Int64,
    Kind::Uint8,
    Kind::Uint16,
    Kind::Uint32,
    Kind::Uint64,
    Kind::Float,
    Kind::Double,
    Kind::Bool,
    Kind::Text,
    Kind::Bytes,
];

const IS_A: bool = cfg!(feature = "dialect_a");

// The codes in the order of KINDS, in dialect A and in B; 255: there is no such type.
const CODES_A: [u8; 13] = [4, 1, 2, 3, 255, 5, 255, 255, 6, 7, 8, 9, 10];
const CODES_B: [u8; 13] = [0, 1, 2, 3, 4, 5, 6, 7, 10, 11, 12, 13, 14];
const CODES: [u8; 13] = if IS_A { CODES_A } else { CODES_B };

fn kind_of(code: u8, is_a: bool) -> Option<Kind> {
    let codes = if is_a { &CODES_A } else { &CODES_B };
    codes.iter().position(|known| *known == code).map(|at| KINDS[at])
}

// Whether only one of the dialects has this code: which.
fn dialect_of(code: u8) -> Option<bool> {
    match code {
        8 | 9 => Some(true),
        0 | 11..=14 => Some(false),
        _ => None,
    }
}

/// What an attribute can be set to: the type decides that of the attribute.
pub trait Value {
    #[doc(hidden)]
    fn write(&self, writer: &mut Writer, key: &str);
}

macro_rules! numbers {
    ($($kind:ident $type:ty),*) => {$(
        impl Value for $type {
            fn write(&self, writer: &mut Writer, key: &str) {
                writer.add(key, Kind::$kind, &[], &self.to_le_bytes());
            }
        }
    )*};
}

numbers!(Int8 i8, Int16 i16, Int32 i32, Int64 i64, Uint16 u16, Float f32, Double f64);
#[cfg(not(feature = "dialect_a"))]
numbers!(Uint8 u8, Uint32 u32, Uint64 u64);

impl Value for bool {
    fn write(&self, writer: &mut Writer, key: &str) {
        writer.add(key, Kind::Bool, &[], &[*self as u8]);
    }
}

impl Value for &str {
    fn write(&self, writer: &mut Writer, key: &str) {
        writer.add(key, Kind::Text, &(self.len() as u16 + 1).to_le_bytes(), self.as_bytes());
        writer.data.add(&[0]);
    }
}

impl Value for &[u8] {
    fn write(&self, writer: &mut Writer, key: &str) {
        writer.add(key, Kind::Bytes, &(self.len() as u32).to_le_bytes(), self);
    }
}

/// Attributes being written. Each key is set once.
pub struct Writer {
    data: Buffer,
    count: usize, // where the number of attributes stands
}

impl Writer {
    pub fn new(tag: &str) -> Self {
        let mut data = Buffer::new();
        data.reserve(64);
        data.add(&[0; 6]);
        data.add(&(tag.len() as u16 + 1).to_le_bytes());
        data.add(tag.as_bytes());
        data.add(&[0; 3]);
        let count = data.len() - 2;
        Writer { data, count }.sized()
    }

    pub fn set(mut self, key: &str, value: impl Value) -> Self {
        value.write(&mut self, key);
        let count = &mut self.data[self.count..];
        let number = u16::from_le_bytes([count[0], count[1]]) + 1;
        count[..2].copy_from_slice(&number.to_le_bytes());
        self.sized()
    }

    fn sized(mut self) -> Self {
        let size = self.data.len() as u32 - 2;
        self.data[2..6].copy_from_slice(&size.to_le_bytes());
        self
    }

    fn add(&mut self, key: &str, kind: Kind, length: &[u8], value: &[u8]) {
        self.data.add(&(key.len() as u16 + 1).to_le_bytes());
        self.data.add(key.as_bytes());
        self.data.add(&[0, CODES[kind as usize]]);
        self.data.add(length);
        self.data.add(value);
    }

    pub fn payload(&self) -> Payload<'_> {
        Payload { format: Format::ATTRIBUTES, bytes: &self.data }
    }
}

/// Attributes that came with a request, an event or a reading.
#[derive(Clone, Copy, Debug)]
pub struct Attributes<'a> {
    data: &'a [u8],
    first: usize,
}

fn le16(data: &[u8]) -> Option<usize> {
    Some(u16::from_le_bytes(data.get(..2)?.try_into().ok()?) as usize)
}

impl<'a> Attributes<'a> {
    /// `None`: these bytes are no attributes.
    pub fn parse(data: &'a [u8]) -> Option<Self> {
        let first = le16(data.get(6..)?)? + 10;
        if first > 10 && first <= data.len() {
            Some(Attributes { data, first })
        } else {
            None
        }
    }

    pub fn tag(&self) -> &'a [u8] {
        &self.data[8..self.first - 3]
    }

    // Calls `wanted` with the name, code and value of one attribute after the other, until it returns something.
    fn walk<T>(&self, is_a: bool, mut wanted: impl FnMut(&[u8], u8, &'a [u8]) -> Option<T>) -> Option<T> {
        let mut rest = &self.data[self.first..];
        for _ in 0..le16(&self.data[self.first - 2..])? {
            let key_len = le16(rest)?;
            let name = rest.get(2..1 + key_len)?;
            let code = *rest.get(2 + key_len)?;
            rest = &rest[3 + key_len..];
            let size = match (code, is_a) {
                (9, _) | (13, _) => {
                    let size = le16(rest)?;
                    rest = &rest[2..];
                    size
                }
                (14, _) | (10, true) => {
                    let size = u32::from_le_bytes(rest.get(..4)?.try_into().ok()?);
                    rest = &rest[4..];
                    size as usize
                }
                _ => 1 << (code & 3),
            };
            let value = rest.get(..size)?;
            if let Some(found) = wanted(name, code, value) {
                return Some(found);
            }
            rest = &rest[size..];
        }
        None
    }

    // Which dialect they are in is told by the first type that only one has.
    fn find(&self, key: &str) -> Option<(Kind, &'a [u8])> {
        let is_a = self.walk(IS_A, |_, code, _| dialect_of(code)).unwrap_or(IS_A);
        let (code, value) = self.walk(is_a, |name, code, value| {
            if name == key.as_bytes() {
                Some((code, value))
            } else {
                None
            }
        })?;
        Some((kind_of(code, is_a)?, value))
    }

    /// A number or bool of any type (hosts send doubles), as f64.
    pub fn number(&self, key: &str) -> Option<f64> {
        let (kind, value) = self.find(key)?;
        let mut bytes = [0; 8];
        bytes.get_mut(..value.len())?.copy_from_slice(value);
        let bits = u64::from_le_bytes(bytes);
        Some(match kind {
            Kind::Int8 => bits as i8 as f64,
            Kind::Int16 => bits as i16 as f64,
            Kind::Int32 => bits as i32 as f64,
            Kind::Int64 => bits as i64 as f64,
            Kind::Float => f32::from_bits(bits as u32) as f64,
            Kind::Double => f64::from_bits(bits),
            Kind::Text | Kind::Bytes => return None,
            _ => bits as f64,
        })
    }

    pub fn text(&self, key: &str) -> Option<&'a str> {
        match self.find(key)? {
            (Kind::Text, value) => core::str::from_utf8(value.split_last()?.1).ok(),
            _ => None,
        }
    }

    pub fn bytes(&self, key: &str) -> Option<&'a [u8]> {
        match self.find(key)? {
            (Kind::Bytes, value) => Some(value),
            _ => None,
        }
    }
}
