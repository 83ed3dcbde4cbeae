//! Bytes that are being put together, in the board's heap.

use core::ops::{Deref, DerefMut};
use core::ptr::null_mut;

#[link(wasm_import_module = "env")]
extern "C" {
    fn malloc(size: usize) -> *mut u8;
    fn free(block: *mut u8);
}

pub struct Buffer {
    data: *mut u8,
    len: usize,
    capacity: usize,
}

impl Buffer {
    pub const fn new() -> Self {
        Buffer { data: null_mut(), len: 0, capacity: 0 }
    }

    /// Room for so many more bytes; false: there is no memory.
    pub fn reserve(&mut self, more: usize) -> bool {
        let needed = self.len + more;
        if needed > self.capacity {
            unsafe {
                let data = malloc(needed);
                if data.is_null() {
                    return false;
                }
                core::ptr::copy_nonoverlapping(self.data, data, self.len);
                free(self.data);
                self.data = data;
            }
            self.capacity = needed;
        }
        true
    }

    /// Adds bytes; without memory for them the handler at work ends.
    pub fn add(&mut self, bytes: &[u8]) {
        if self.len + bytes.len() > self.capacity && !self.reserve(bytes.len().max(64)) {
            core::arch::wasm32::unreachable();
        }
        unsafe { core::ptr::copy_nonoverlapping(bytes.as_ptr(), self.data.add(self.len), bytes.len()) };
        self.len += bytes.len();
    }
}

impl Deref for Buffer {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        if self.data.is_null() {
            &[]
        } else {
            unsafe { core::slice::from_raw_parts(self.data, self.len) }
        }
    }
}

impl DerefMut for Buffer {
    fn deref_mut(&mut self) -> &mut [u8] {
        if self.data.is_null() {
            &mut []
        } else {
            unsafe { core::slice::from_raw_parts_mut(self.data, self.len) }
        }
    }
}

impl Drop for Buffer {
    fn drop(&mut self) {
        unsafe { free(self.data) }
    }
}
