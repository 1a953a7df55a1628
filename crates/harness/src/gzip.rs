//! Writes gzip (RFC 1952) for image layers, stored or compressed by the program.

use std::io::Write;
use std::process::{Command, Stdio};

/// The most that a stored block holds (RFC 1951, 3.2.4).
const BLOCK: usize = 65535;

/// The bytes as a gzip file that is a little longer than they are.
pub(crate) fn stored(bytes: &[u8]) -> Vec<u8> {
    let mut file = Vec::with_capacity(bytes.len() + bytes.len() / 1000 + 32);
    // Magic, deflate, no flags, no time, no hint, any system.
    file.extend([0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255]);
    let mut rest = bytes;
    loop {
        let (block, behind) = rest.split_at(rest.len().min(BLOCK));
        rest = behind;
        let length = u16::try_from(block.len()).unwrap_or(u16::MAX);
        file.push(u8::from(rest.is_empty()));
        file.extend(length.to_le_bytes());
        file.extend((!length).to_le_bytes());
        file.extend(block);
        if rest.is_empty() {
            break;
        }
    }
    file.extend(crc32(bytes).to_le_bytes());
    // Modulo 2^32, says the format.
    file.extend((bytes.len() as u32).to_le_bytes());
    file
}

/// What `gzip` makes of the bytes.
///
/// # Panics
/// If there is no such program.
pub(crate) fn compressed(bytes: &[u8]) -> Vec<u8> {
    let mut child = Command::new("gzip")
        .args(["-c", "-n"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("gzip starts");
    let mut stdin = child.stdin.take().expect("gzip has an input");
    let output = std::thread::scope(|scope| {
        let writer = scope.spawn(move || stdin.write_all(bytes));
        let output = child.wait_with_output().expect("gzip ends");
        writer.join().expect("no panic").expect("gzip reads");
        output
    });
    assert!(output.status.success(), "gzip ended with {}", output.status);
    output.stdout
}

fn crc32(bytes: &[u8]) -> u32 {
    let table: [u32; 256] = std::array::from_fn(|index| {
        (0..8).fold(index as u32, |value, _| match value & 1 {
            1 => 0xedb8_8320 ^ (value >> 1),
            _ => value >> 1,
        })
    });
    !bytes.iter().fold(u32::MAX, |value, byte| {
        table[usize::from(value as u8 ^ byte)] ^ (value >> 8)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_checksum_is_that_of_the_standard() {
        assert_eq!(crc32(b"123456789"), 0xcbf4_3926);
    }

    #[test]
    fn gzip_reads_it() {
        for length in [0, 1, BLOCK, BLOCK + 1, 3 * BLOCK] {
            let bytes: Vec<u8> = (0..length).map(|index| index as u8).collect();
            let mut child = Command::new("gzip")
                .arg("-dc")
                .stdin(Stdio::piped())
                .stdout(Stdio::piped())
                .spawn()
                .expect("gzip");
            let mut stdin = child.stdin.take().expect("a pipe");
            let file = stored(&bytes);
            let writer = std::thread::spawn(move || stdin.write_all(&file));
            let output = child.wait_with_output().expect("an end");
            writer.join().expect("no panic").expect("it reads");
            assert!(output.status.success());
            assert!(output.stdout == bytes, "{length}");
        }
    }
}
