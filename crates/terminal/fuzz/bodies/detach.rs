//! Detach keys: the text before the first NUL is a list of keys, the byte behind it the size of a read, the rest is
//! typed. Whatever the reads, the outcome is that of one read, and nothing is lost or reordered.

use terminal::DetachKeys;

pub(crate) fn run(data: &[u8]) {
    let (keys, rest) = match data.iter().position(|&byte| byte == 0) {
        Some(nul) => (&data[..nul], &data[nul + 1..]),
        None => (data, &[][..]),
    };
    let Ok(keys) = DetachKeys::parse(&String::from_utf8_lossy(keys)) else {
        return;
    };
    let Some((&size, input)) = rest.split_first() else {
        return;
    };
    let whole = typed(&keys, [input].into_iter(), input);
    let cut = typed(&keys, input.chunks(usize::from(size).max(1)), input);
    assert_eq!(whole, cut);
}

fn typed<'a>(
    keys: &DetachKeys,
    reads: impl Iterator<Item = &'a [u8]>,
    input: &[u8],
) -> (bool, Vec<u8>) {
    let mut matcher = keys.matcher();
    let mut passed = Vec::new();
    let mut detached = false;
    for read in reads {
        detached |= matcher.feed(read, &mut passed);
        assert!(input.starts_with(&passed));
    }
    matcher.flush(&mut passed);
    assert!(input.starts_with(&passed));
    assert!(detached || passed == input);
    (detached, passed)
}
