//! The zlib transform of the header transports (RFC 1950).

use super::Malformed;
use flate2::{Compress, Compression, Decompress, FlushCompress, FlushDecompress, Status};
use std::cell::RefCell;

/// Inflates `bytes`, one whole zlib stream. No more memory is reserved than twice of what came out so far, or went in.
///
/// # Errors
/// It is none, ends early, has bytes after its end, or inflates to more than `longest` bytes: inflating ends there, and
/// nothing is reserved beyond.
pub(super) fn inflate(bytes: &[u8], longest: usize) -> Result<Vec<u8>, Malformed> {
    INFLATE.with_borrow_mut(|zlib| {
        zlib.reset(true);
        let mut out = Vec::new();
        loop {
            let piece = out.len().max(2 * bytes.len()).max(SMALLEST_PIECE);
            out.reserve_exact(piece.min(longest.saturating_add(1) - out.len()));
            let (read, written) = (zlib.total_in() as usize, out.len());
            let status = zlib.decompress_vec(&bytes[read..], &mut out, FlushDecompress::Finish);
            if out.len() > longest {
                return Err(format!("zlib data of more than {longest} bytes when inflated").into());
            }
            match status {
                Ok(Status::StreamEnd) if zlib.total_in() as usize == bytes.len() => return Ok(out),
                Ok(Status::StreamEnd) => return Err("bytes after the end of the zlib data".into()),
                Ok(Status::Ok | Status::BufError) if out.len() == out.capacity() => {}
                Ok(Status::Ok) if out.len() > written || zlib.total_in() as usize > read => {}
                Ok(Status::Ok | Status::BufError) => return Err("zlib data that ends early".into()),
                Err(_) => return Err("not zlib data".into()),
            }
        }
    })
}

/// Appends `bytes`, deflated, to `out`.
pub(super) fn deflate(bytes: &[u8], out: &mut Vec<u8>) {
    DEFLATE.with_borrow_mut(|zlib| {
        zlib.reset();
        loop {
            out.reserve(SMALLEST_PIECE);
            let rest = &bytes[zlib.total_in() as usize..];
            match zlib.compress_vec(rest, out, FlushCompress::Finish) {
                Ok(Status::StreamEnd) => return,
                Ok(Status::Ok | Status::BufError) => {}
                Err(error) => unreachable!("deflating cannot fail with valid settings: {error}"),
            }
        }
    });
}

thread_local! {
    // Their tables take tens of KiB to set up: a thread that has needed them once keeps them.
    static INFLATE: RefCell<Decompress> = RefCell::new(Decompress::new(true));
    static DEFLATE: RefCell<Compress> = RefCell::new(Compress::new(Compression::fast(), true));
}

const SMALLEST_PIECE: usize = 512;

#[cfg(test)]
mod tests {
    use super::*;

    fn deflated(bytes: &[u8]) -> Vec<u8> {
        let mut out = Vec::new();
        deflate(bytes, &mut out);
        out
    }

    #[test]
    fn any_length_survives_the_round_trip() {
        let mut state = 7u64;
        let mut noise = || {
            state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
            (state >> 56) as u8
        };
        for length in [0, 1, 511, 512, 513, 1024, 65_536, 65_537, 300_000] {
            for bytes in [vec![7; length], (0..length).map(|_| noise()).collect()] {
                let small = deflated(&bytes);
                assert_eq!(inflate(&small, length), Ok(bytes.clone()), "{length}");
                if length > 0 {
                    assert!(inflate(&small, length - 1).is_err(), "{length}, one too long");
                }
            }
        }
    }

    #[test]
    fn a_bomb_is_refused_when_it_is_one_byte_over() {
        let bomb = deflated(&vec![0; 100_000_000]);
        assert!(bomb.len() < 1_000_000, "{} bytes", bomb.len());
        let error = inflate(&bomb, 10_000).expect_err("ten thousand times too long").to_string();
        assert_eq!(error, "zlib data of more than 10000 bytes when inflated");
    }

    #[test]
    fn a_stream_that_is_cut_or_goes_on_is_refused() {
        let small = deflated(b"Square, Square, Square");
        for cut in 0..small.len() {
            assert!(inflate(&small[..cut], 1000).is_err(), "cut at {cut}");
        }
        let error = inflate(&[&small[..], &[0]].concat(), 1000).expect_err("one byte more").to_string();
        assert_eq!(error, "bytes after the end of the zlib data");
        assert_eq!(inflate(b"\x80\x01\x00\x01", 1000), Err("not zlib data".into()));
    }

    #[test]
    fn what_follows_a_bad_stream_is_read_as_if_it_had_not_been() {
        let small = deflated(b"Square");
        assert!(inflate(&small[..small.len() - 1], 1000).is_err());
        assert_eq!(inflate(&small, 1000), Ok(b"Square".to_vec()));
    }
}
