//! mimalloc, by the door for small sizes.
//!
//! A call makes one small allocation, and six where generated code is as the compiler wrote it. The `mimalloc` crate asks
//! for each with an alignment, which costs mimalloc a detour; Rust's small allocations never need more than it gives
//! anyway. Measured with callgrind on one pipelined Square that made six: 160 of 1,990 instructions.
#![allow(unsafe_code)]

use libmimalloc_sys::{mi_free, mi_malloc_aligned, mi_malloc_small, mi_realloc_aligned, mi_zalloc_aligned};
use std::alloc::{GlobalAlloc, Layout};

/// The program's allocator.
pub(crate) struct Allocator;

// SAFETY: mimalloc's functions keep GlobalAlloc's contract: `mi_malloc_small` for sizes up to MI_SMALL_SIZE_MAX, with
// blocks aligned to 16 bytes (to the size, for sizes below 16); memory from any of them may be resized or freed by any.
unsafe impl GlobalAlloc for Allocator {
    #[inline]
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let small =
            layout.size() <= MI_SMALL_SIZE_MAX && layout.align() <= MI_ALIGNMENT && layout.align() <= layout.size();
        // SAFETY: the caller keeps GlobalAlloc's contract, which is mimalloc's.
        unsafe {
            match small {
                true => mi_malloc_small(layout.size()).cast(),
                false => mi_malloc_aligned(layout.size(), layout.align()).cast(),
            }
        }
    }

    #[inline]
    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        // SAFETY: as above.
        unsafe { mi_zalloc_aligned(layout.size(), layout.align()).cast() }
    }

    #[inline]
    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, new_size: usize) -> *mut u8 {
        // SAFETY: as above; `pointer` came from here.
        unsafe { mi_realloc_aligned(pointer.cast(), new_size, layout.align()).cast() }
    }

    #[inline]
    unsafe fn dealloc(&self, pointer: *mut u8, _: Layout) {
        // SAFETY: as above; `pointer` came from here.
        unsafe { mi_free(pointer.cast()) }
    }
}

/// `MI_SMALL_SIZE_MAX` of mimalloc.h, for 64-bit pointers: 128 words.
const MI_SMALL_SIZE_MAX: usize = 128 * size_of::<usize>();

/// `MI_MAX_ALIGN_SIZE` of mimalloc: a block of at least this size is aligned to it.
const MI_ALIGNMENT: usize = 16;
