//! How records follow one another in a file: a header, and then for each record its length, a
//! checksum and its bytes.

use std::ops::Range;

/// The first bytes of a file.
pub(crate) const HEADER: &[u8] = b"inbox record 1\n";

/// The length and the checksum, as little-endian u32.
const PREFIX: usize = 8;

/// Returns a record with its length and its checksum. `None` if it is 4 GiB or longer.
pub(crate) fn frame(record: &[u8]) -> Option<Vec<u8>> {
    let length = u32::try_from(record.len()).ok()?.to_le_bytes();
    let mut frame = Vec::with_capacity(PREFIX + record.len());
    frame.extend(length);
    frame.extend(checksum(length, record));
    frame.extend(record);
    Some(frame)
}

/// Returns where the last whole record of a file is. Nothing after a record that is not whole is
/// read. `None` if there is none.
pub(crate) fn last_record(file: &[u8]) -> Option<Range<usize>> {
    let mut rest = file.strip_prefix(HEADER)?;
    let mut last = None;
    while let Some((record, after)) = split_frame(rest) {
        let end = file.len() - after.len();
        last = Some(end - record.len()..end);
        rest = after;
    }
    last
}

fn split_frame(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (length, rest) = bytes.split_first_chunk::<4>()?;
    let (expected, rest) = rest.split_first_chunk::<4>()?;
    let (record, rest) = rest.split_at_checked(usize::try_from(u32::from_le_bytes(*length)).ok()?)?;
    (checksum(*length, record) == *expected).then_some((record, rest))
}

fn checksum(length: [u8; 4], record: &[u8]) -> [u8; 4] {
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(&length);
    hasher.update(record);
    hasher.finalize().to_le_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(records: &[&[u8]]) -> Vec<u8> {
        let frames = records.iter().flat_map(|record| frame(record).unwrap());
        HEADER.iter().copied().chain(frames).collect()
    }

    fn last(file: &[u8]) -> Option<&[u8]> {
        last_record(file).map(|at| &file[at])
    }

    #[test]
    fn a_file_cut_at_any_byte_has_the_last_record_that_is_whole() {
        let records: [&[u8]; 3] = [b"first", b"", b"the third"];
        let whole = file(&records);
        let ends: Vec<_> = (1..=3).map(|count| file(&records[..count]).len()).collect();
        for length in 0..=whole.len() {
            let count = ends.iter().filter(|end| **end <= length).count();
            let expected = count.checked_sub(1).map(|index| records[index]);
            assert_eq!(last(&whole[..length]), expected, "cut to {length} bytes");
        }
    }

    #[test]
    fn a_changed_byte_costs_its_record_and_those_after_it() {
        let records: [&[u8]; 2] = [b"first", b"second"];
        let whole = file(&records);
        let first_end = file(&records[..1]).len();
        for at in 0..whole.len() {
            let mut changed = whole.clone();
            changed[at] ^= 0x10;
            let expected = (at >= first_end).then_some(b"first".as_slice());
            assert_eq!(last(&changed), expected, "byte {at}");
        }
    }

    #[test]
    fn zeros_after_a_record_are_no_record() {
        let mut torn = file(&[b"first"]);
        torn.extend([0; 100]);
        assert_eq!(last(&torn), Some(b"first".as_slice()));
    }
}
