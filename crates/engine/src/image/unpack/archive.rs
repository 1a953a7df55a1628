//! The entries of a tar archive, as hostile as one may be.
//!
//! Headers are parsed by the `tar` crate; its iterator is not used: it reads names and attributes of any length into
//! memory, and cuts attributes at the first line feed.

use std::borrow::Cow;
use std::io::{self, BufRead};

use tar::{EntryType, GnuExtSparseHeader, GnuSparseHeader, Header};

use super::pax::{self, Extended};
use super::{failure, invalid};
use crate::Result;

const BLOCK: u64 = 512;
/// The longest name or set of attributes of one entry: Go's limit, which is Docker's.
const LONGEST_EXTENSION: u64 = 1 << 20;
/// The longest path that the kernel takes.
const LONGEST_PATH: usize = 4096;
/// The most pieces of one sparse file.
const MOST_PIECES: usize = 1 << 16;

/// An archive that is read from its beginning to its end.
#[derive(Debug)]
pub(super) struct Archive<R> {
    reader: R,
    /// What is left of the present entry's data.
    data: u64,
    /// What is left of it, with what fills its last block.
    padded: u64,
}

/// One entry. Its data follow in the archive.
#[derive(Debug)]
pub(super) struct Entry {
    pub(super) path: Vec<u8>,
    pub(super) kind: Kind,
    pub(super) mode: u32,
    pub(super) uid: u32,
    pub(super) gid: u32,
    /// Seconds since 1970, and nanoseconds.
    pub(super) modified: (i64, u32),
    /// Of the file, which for a sparse one is more than the archive holds.
    pub(super) size: u64,
    pub(super) attributes: Vec<(Vec<u8>, Vec<u8>)>,
}

/// What an entry is.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Kind {
    File,
    /// A file of which the archive holds only these pieces, one after the other.
    Sparse(Vec<Piece>),
    Directory,
    Symlink(Vec<u8>),
    HardLink(Vec<u8>),
    Fifo,
    Character(u32, u32),
    Block(u32, u32),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Piece {
    pub(super) offset: u64,
    pub(super) length: u64,
}

/// What the entries before an entry say about it.
#[derive(Default)]
struct Announced {
    path: Option<Vec<u8>>,
    link: Option<Vec<u8>>,
    extended: Extended,
}

impl<R: BufRead> Archive<R> {
    pub(super) fn new(reader: R) -> Archive<R> {
        Archive {
            reader,
            data: 0,
            padded: 0,
        }
    }

    /// The next entry, after what is left of the last one.
    pub(super) fn next(&mut self) -> Result<Option<Entry>> {
        let mut announced = Announced::default();
        loop {
            self.skip()?;
            let Some(header) = self.header()? else {
                return Ok(None);
            };
            let kind = header.entry_type();
            match kind {
                EntryType::GNULongName => announced.path = Some(text(self.extension(&header)?)),
                EntryType::GNULongLink => announced.link = Some(text(self.extension(&header)?)),
                EntryType::XHeader => announced.extended = pax::parse(&self.extension(&header)?)?,
                // What it says holds for all entries, and there is nothing in it that counts here.
                EntryType::XGlobalHeader => self.begin(size(&header)?)?,
                _ => return self.entry(&header, announced).map(Some),
            }
        }
    }

    /// Some of the present entry's data; nothing at its end. Say by [`Archive::consume`] how much was used.
    pub(super) fn data(&mut self) -> Result<&[u8]> {
        if self.data == 0 {
            return Ok(&[]);
        }
        let limit = usize::try_from(self.data).unwrap_or(usize::MAX);
        let bytes = fill(&mut self.reader)?;
        if bytes.is_empty() {
            return Err(invalid("it ends in the middle of a file"));
        }
        Ok(&bytes[..bytes.len().min(limit)])
    }

    pub(super) fn consume(&mut self, count: usize) {
        self.reader.consume(count);
        self.data -= count as u64;
        self.padded -= count as u64;
    }

    /// Reads to the end of what the archive came in, all of which has a digest.
    pub(super) fn drain(mut self) -> Result<()> {
        loop {
            let count = fill(&mut self.reader)?.len();
            if count == 0 {
                return Ok(());
            }
            self.reader.consume(count);
        }
    }

    fn entry(&mut self, header: &Header, announced: Announced) -> Result<Entry> {
        let Announced {
            path,
            link,
            extended,
        } = announced;
        let path = (extended.path.or(path)).unwrap_or_else(|| header.path_bytes().into_owned());
        let link = (extended.link.or(link))
            .or_else(|| header.link_name_bytes().map(Cow::into_owned))
            .unwrap_or_default();
        for text in [&path, &link] {
            if text.len() > LONGEST_PATH || text.contains(&0) {
                return Err(invalid("a path in it is none"));
            }
        }
        let name = String::from_utf8_lossy(&path).into_owned();
        let wrong = |what: &str| invalid(format_args!("{name:?} has {what}"));

        let stored = match extended.size {
            Some(size) => size,
            None => size(header)?,
        };
        let kind = match header.entry_type() {
            // What old archives have for a directory.
            EntryType::Regular if header.as_old().linkflag == [0] && path.ends_with(b"/") => {
                Kind::Directory
            }
            EntryType::Regular | EntryType::Continuous => Kind::File,
            EntryType::GNUSparse => Kind::Sparse(self.pieces(header)?),
            EntryType::Directory => Kind::Directory,
            EntryType::Symlink => Kind::Symlink(link),
            EntryType::Link => Kind::HardLink(link),
            EntryType::Fifo => Kind::Fifo,
            EntryType::Char | EntryType::Block => {
                let number = |number: io::Result<Option<u32>>| {
                    number.map_err(|_| wrong("no number of a device"))
                };
                let major = number(header.device_major())?.unwrap_or(0);
                let minor = number(header.device_minor())?.unwrap_or(0);
                match header.entry_type() {
                    EntryType::Char => Kind::Character(major, minor),
                    _ => Kind::Block(major, minor),
                }
            }
            other => {
                return Err(invalid(format_args!(
                    "{name:?} is of the unknown type {:?}",
                    char::from(other.as_byte())
                )));
            }
        };
        let size = match &kind {
            Kind::Sparse(pieces) => {
                let held = pieces
                    .iter()
                    .try_fold(0u64, |sum, piece| sum.checked_add(piece.length));
                if held != Some(stored) {
                    return Err(wrong("pieces that are not as large as it is"));
                }
                let sparse = header.as_gnu().and_then(|header| header.real_size().ok());
                sparse.ok_or_else(|| wrong("no size"))?
            }
            Kind::File => stored,
            _ => 0,
        };
        // Of anything else the size says nothing about data: some programs give a link that of its target.
        self.begin(match header.entry_type() {
            EntryType::Regular | EntryType::Continuous | EntryType::GNUSparse => stored,
            _ => 0,
        })?;

        let id = |number: Option<u64>, field: &[u8], what: &str| {
            match number {
                Some(number) => Some(number),
                None => octal(field),
            }
            .and_then(|number| u32::try_from(number).ok())
            // The system has this number for "leave it as it is".
            .filter(|number| *number != u32::MAX)
            .ok_or_else(|| wrong(what))
        };
        let old = header.as_old();
        let modified = match extended.modified {
            Some(modified) => modified,
            None => {
                let seconds = octal(&old.mtime).ok_or_else(|| wrong("no time"))?;
                (i64::try_from(seconds).unwrap_or(i64::MAX), 0)
            }
        };
        Ok(Entry {
            kind,
            mode: octal(&old.mode).ok_or_else(|| wrong("no mode"))? as u32 & 0o7777,
            uid: id(extended.uid, &old.uid, "no owner")?,
            gid: id(extended.gid, &old.gid, "no group")?,
            modified,
            size,
            attributes: extended.attributes,
            path,
        })
    }

    /// The next header; nothing at the end, which one block of zeros is too.
    fn header(&mut self) -> Result<Option<Header>> {
        let mut header = Header::new_old();
        if !self.block(header.as_mut_bytes())? {
            return Ok(None);
        }
        let bytes = header.as_bytes();
        if bytes.iter().all(|byte| *byte == 0) {
            return Ok(None);
        }
        // The checksum counts itself as spaces.
        let sum: u32 = bytes[..148]
            .iter()
            .chain(&bytes[156..])
            .map(|byte| u32::from(*byte))
            .sum();
        if header.cksum().ok() != Some(sum + 8 * 32) {
            return Err(invalid("it has a header with a wrong checksum"));
        }
        Ok(Some(header))
    }

    fn pieces(&mut self, header: &Header) -> Result<Vec<Piece>> {
        let wrong = || invalid("it has a sparse file with a wrong list of pieces");
        let gnu = header.as_gnu().ok_or_else(wrong)?;
        let mut pieces = Vec::new();
        let mut end = 0;
        let mut add = |found: &[GnuSparseHeader]| -> Result<()> {
            for piece in found.iter().filter(|piece| !piece.is_empty()) {
                let offset = piece.offset().map_err(|_| wrong())?;
                let length = piece.length().map_err(|_| wrong())?;
                if offset < end || pieces.len() == MOST_PIECES {
                    return Err(wrong());
                }
                end = offset.checked_add(length).ok_or_else(wrong)?;
                pieces.push(Piece { offset, length });
            }
            Ok(())
        };
        add(&gnu.sparse)?;
        let mut is_extended = gnu.is_extended();
        while is_extended {
            let mut more = GnuExtSparseHeader::new();
            if !self.block(more.as_mut_bytes())? {
                return Err(wrong());
            }
            add(more.sparse())?;
            is_extended = more.is_extended();
        }
        if gnu.real_size().map_err(|_| wrong())? < end {
            return Err(wrong());
        }
        Ok(pieces)
    }

    /// The data of an entry that says something about the next.
    fn extension(&mut self, header: &Header) -> Result<Vec<u8>> {
        let size = size(header)?;
        if size > LONGEST_EXTENSION {
            return Err(invalid(format_args!(
                "it has a name or attributes of more than {} MiB",
                LONGEST_EXTENSION >> 20
            )));
        }
        self.begin(size)?;
        let mut content = Vec::new();
        loop {
            let bytes = self.data()?;
            if bytes.is_empty() {
                return Ok(content);
            }
            content.extend_from_slice(bytes);
            let count = bytes.len();
            self.consume(count);
        }
    }

    fn begin(&mut self, size: u64) -> Result<()> {
        self.data = size;
        self.padded = size
            .checked_next_multiple_of(BLOCK)
            .ok_or_else(|| invalid("it has a file that is larger than can be"))?;
        Ok(())
    }

    /// Leaves what is left of the present entry.
    fn skip(&mut self) -> Result<()> {
        self.data = 0;
        while self.padded > 0 {
            let bytes = fill(&mut self.reader)?;
            if bytes.is_empty() {
                return Err(invalid("it ends in the middle of a file"));
            }
            let count = bytes
                .len()
                .min(usize::try_from(self.padded).unwrap_or(usize::MAX));
            self.reader.consume(count);
            self.padded -= count as u64;
        }
        Ok(())
    }

    /// Fills a block; not at the end of the archive.
    fn block(&mut self, block: &mut [u8; BLOCK as usize]) -> Result<bool> {
        let mut filled = 0;
        while filled < block.len() {
            let bytes = fill(&mut self.reader)?;
            if bytes.is_empty() {
                return match filled {
                    0 => Ok(false),
                    _ => Err(invalid("it ends in the middle of a header")),
                };
            }
            let count = bytes.len().min(block.len() - filled);
            block[filled..filled + count].copy_from_slice(&bytes[..count]);
            self.reader.consume(count);
            filled += count;
        }
        Ok(true)
    }
}

fn fill(reader: &mut impl BufRead) -> Result<&[u8]> {
    // A loop that returns what it borrowed is beyond the compiler, so the second call is a fresh one.
    loop {
        match reader.fill_buf() {
            Ok(_) => break,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(failure(error)),
        }
    }
    reader.fill_buf().map_err(failure)
}

fn size(header: &Header) -> Result<u64> {
    header
        .entry_size()
        .map_err(|_| invalid("it has an entry without a size"))
}

/// A number of a header; an empty field is zero.
fn octal(field: &[u8]) -> Option<u64> {
    if field[0] & 0x80 != 0 {
        // Binary, the highest byte first; what does not fit in 64 bits, or is negative, is none.
        let (first, rest) = field.split_first()?;
        if first & 0x7f != 0 {
            return None;
        }
        return rest.iter().try_fold(0u64, |number, byte| {
            number
                .checked_mul(256)
                .map(|number| number | u64::from(*byte))
        });
    }
    let end = field
        .iter()
        .position(|byte| *byte == 0)
        .unwrap_or(field.len());
    match std::str::from_utf8(&field[..end]).ok()?.trim() {
        "" => Some(0),
        digits => u64::from_str_radix(digits, 8).ok(),
    }
}

/// The text up to the NUL that ends it.
fn text(mut bytes: Vec<u8>) -> Vec<u8> {
    if let Some(end) = bytes.iter().position(|byte| *byte == 0) {
        bytes.truncate(end);
    }
    bytes
}
