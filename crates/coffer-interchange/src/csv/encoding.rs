//! Which encoding a table's text has, and Windows-1252 as UTF-8. Pure over `io::Read`.
//! Spec: <https://encoding.spec.whatwg.org/#windows-1252>, but for the five bytes that Windows leaves undefined: those
//! stay as they are, so that their row is in error instead of silently holding control characters.

use std::io::{self, Read};

use zeroize::Zeroizing;

const INPUT_BYTES: usize = 16 * 1024;

/// How a table's text is encoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TextEncoding {
    /// UTF-8.
    Utf8,
    /// Windows-1252, which spreadsheets of western Europe write.
    Windows1252,
}

impl TextEncoding {
    /// The permanent name.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Utf8 => "utf-8",
            Self::Windows1252 => "windows-1252",
        }
    }
}

/// Reads a file to its end and says how it is encoded.
///
/// Text that is all valid is UTF-8. Else it is Windows-1252, unless more of its characters beyond ASCII are valid UTF-8
/// than are not: then it is damaged UTF-8, and the rows concerned will be in error.
pub fn detect_encoding<R: Read>(mut reader: R) -> io::Result<TextEncoding> {
    let mut input = Zeroizing::new(vec![0; INPUT_BYTES]);
    let (mut kept, mut valid, mut invalid) = (0, 0_u64, 0_u64);
    loop {
        let read = match reader.read(&mut input[kept..]) {
            Ok(read) => read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(error),
        };
        let end = kept + read;
        let mut start = 0;
        let unfinished = loop {
            match std::str::from_utf8(&input[start..end]) {
                Ok(text) => {
                    valid += beyond_ascii(text);
                    break end;
                }
                Err(error) => {
                    let upto = start + error.valid_up_to();
                    valid += std::str::from_utf8(&input[start..upto]).map_or(0, beyond_ascii);
                    let Some(length) = error.error_len() else { break upto };
                    invalid += 1;
                    start = upto + length;
                }
            }
        };
        if read == 0 {
            invalid += u64::from(unfinished < end);
            break;
        }
        input.copy_within(unfinished..end, 0);
        kept = end - unfinished;
    }
    Ok(if invalid > valid { TextEncoding::Windows1252 } else { TextEncoding::Utf8 })
}

fn beyond_ascii(text: &str) -> u64 {
    // A byte order mark says nothing about the rest.
    if text.is_ascii() { 0 } else { text.chars().filter(|c| !c.is_ascii() && *c != '\u{FEFF}').count() as u64 }
}

/// A file as UTF-8.
#[derive(Debug)]
pub struct Decoded<R> {
    reader: R,
    encoding: TextEncoding,
    input: Zeroizing<Vec<u8>>,
    /// The part of `input` not given yet.
    start: usize,
    end: usize,
    /// Bytes of a character that did not fit, last first.
    spare: Vec<u8>,
}

impl<R: Read> Decoded<R> {
    /// Reads `reader` as `encoding` says. UTF-8 goes through untouched.
    pub fn new(reader: R, encoding: TextEncoding) -> Self {
        let input = Zeroizing::new(match encoding {
            TextEncoding::Utf8 => Vec::new(),
            TextEncoding::Windows1252 => vec![0; INPUT_BYTES],
        });
        Self { reader, encoding, input, start: 0, end: 0, spare: Vec::with_capacity(3) }
    }
}

impl<R: Read> Read for Decoded<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.encoding == TextEncoding::Utf8 {
            return self.reader.read(buffer);
        }
        if self.start == self.end && self.spare.is_empty() {
            self.end = self.reader.read(&mut self.input)?;
            self.start = 0;
        }
        let mut written = 0;
        while written < buffer.len() {
            if let Some(byte) = self.spare.pop() {
                buffer[written] = byte;
                written += 1;
                continue;
            }
            if self.start == self.end {
                break;
            }
            let byte = self.input[self.start];
            self.start += 1;
            match character(byte) {
                None => self.spare.push(byte),
                Some(character) => {
                    let mut bytes = [0; 4];
                    self.spare.extend(character.encode_utf8(&mut bytes).bytes().rev());
                }
            }
        }
        Ok(written)
    }
}

/// The character of a byte; `None` for the five that have none.
fn character(byte: u8) -> Option<char> {
    /// 0x80 to 0x9F; NUL where there is none.
    const HIGH: [char; 32] = [
        '€', '\0', '‚', 'ƒ', '„', '…', '†', '‡', 'ˆ', '‰', 'Š', '‹', 'Œ', '\0', 'Ž', '\0', '\0', '‘', '’', '“', '”',
        '•', '–', '—', '˜', '™', 'š', '›', 'œ', '\0', 'ž', 'Ÿ',
    ];
    match byte {
        0x80..=0x9F => Some(HIGH[usize::from(byte - 0x80)]).filter(|found| *found != '\0'),
        _ => Some(char::from(byte)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decoded(bytes: &[u8], step: usize) -> Vec<u8> {
        let mut reader = Decoded::new(bytes, TextEncoding::Windows1252);
        let (mut all, mut part) = (Vec::new(), vec![0; step]);
        loop {
            match reader.read(&mut part).unwrap() {
                0 => return all,
                read => all.extend_from_slice(&part[..read]),
            }
        }
    }

    #[test]
    fn bytes_of_windows_become_their_characters_however_they_are_read() {
        for step in [1, 2, 3, 100] {
            assert_eq!(decoded(b"M\xFCller \x80 5 \x96 \x84gut\x93", step), "Müller € 5 – „gut“".as_bytes());
        }
        assert_eq!(decoded(b"a\x81b", 10), b"a\x81b", "an undefined byte stays wrong");
    }

    #[test]
    fn the_encoding_is_told_by_all_of_the_text() {
        let told = |bytes: &[u8]| detect_encoding(bytes).unwrap();
        assert_eq!(told(b"plain"), TextEncoding::Utf8);
        assert_eq!(told("\u{FEFF}Müller €".as_bytes()), TextEncoding::Utf8);
        assert_eq!(told(b"M\xFCller"), TextEncoding::Windows1252);
        assert_eq!(told(b"caf\xE9"), TextEncoding::Windows1252, "cut off at the end");
        let mut long = vec![b'a'; INPUT_BYTES - 1];
        long.extend_from_slice("ü and ü".as_bytes());
        assert_eq!(told(&long), TextEncoding::Utf8, "a character over the end of what is read at a time");
        long.push(0xFF);
        assert_eq!(told(&long), TextEncoding::Utf8, "one wrong byte among right ones is damage");
    }
}
