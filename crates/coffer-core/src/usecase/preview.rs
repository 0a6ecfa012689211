//! Looking at an attachment without saving it: plain text, and pictures made anew of their pixels alone. Nothing in an
//! attachment is ever interpreted: markup is shown as the text it is, and everything else is only saved.
//!
//! A picture's dimensions are read, and held against limits, before a single pixel is decoded (THREAT-MODEL T7).

use std::io::{Cursor, Read};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use coffer_crypto::stream::CHUNK_BYTES;
use coffer_model::attachment::{AttachmentId, MediaKind, text_prefix};
use coffer_model::event::Event;
use coffer_model::id::RecordId;
use image::{DynamicImage, ImageDecoder, ImageFormat, ImageReader, Limits};
use zeroize::Zeroizing;

use super::attachments::damaged;
use super::seal::STRIDE;
use crate::fault::{CallError, Damage};
use crate::policy::Action;
use crate::session::{Core, OpenTenant, Session};
use crate::store::error::StoreError;
use crate::store::tenant::StoredFile;
use crate::view::AttachmentPreview;

/// Text shown: the beginning of the file, in one chunk.
const TEXT_BYTES: usize = CHUNK_BYTES;
/// Largest picture, as a file.
const PICTURE_BYTES: u64 = 32 * 1024 * 1024;
/// Longest side of a picture.
const SIDE_PIXELS: u32 = 16_384;
/// Most pixels of a picture: more than a camera's 40 megapixels are seldom a document.
const PICTURE_PIXELS: u64 = 40_000_000;
/// Most memory decoding may take: the pixels at eight bytes each.
const DECODING_BYTES: u64 = PICTURE_PIXELS * 8;
/// Longest side of what is shown.
const SHOWN_PIXELS: u32 = 1_280;

/// Why an attachment is not shown. It can be saved all the same.
#[derive(Debug, thiserror::Error)]
pub enum PreviewError {
    /// It is neither text nor a picture that is shown, or is damaged as such.
    #[error("the attachment is no text and no picture that can be shown")]
    NotShown,
    /// The picture has more bytes or pixels than are decoded.
    #[error("the picture is too large to be shown")]
    TooLarge,
    /// The call was refused or failed.
    #[error(transparent)]
    Call(#[from] CallError),
}

impl PreviewError {
    /// The permanent name of the error, for scripts and for the words on screen.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::NotShown => "no_preview",
            Self::TooLarge => "preview_too_large",
            Self::Call(error) => error.code(),
        }
    }
}

impl Session {
    /// Shows an attachment, which the record has or had, as far as it can be shown.
    pub fn preview_attachment(
        &self,
        record: RecordId,
        attachment: AttachmentId,
    ) -> Result<AttachmentPreview, PreviewError> {
        let actor = self.authorize(Action::PreviewAttachment, Some(record.tenant()))?;
        let open = self.open_tenant(&actor, record.tenant())?;
        let stored = self.core.stored_attachment(&actor, &open, record, attachment)?;
        let format = match stored.media {
            MediaKind::Other => return Err(PreviewError::NotShown),
            MediaKind::Text => None,
            MediaKind::Png => Some(ImageFormat::Png),
            MediaKind::Jpeg => Some(ImageFormat::Jpeg),
        };
        if format.is_some() && stored.file.bytes > PICTURE_BYTES {
            return Err(PreviewError::TooLarge);
        }
        self.record(&actor, Event::AttachmentPreviewed { record, attachment })?;
        match format {
            None => {
                let start = self.core.beginning(&open, &stored.file, TEXT_BYTES)?;
                let text = text_prefix(&start).ok_or(PreviewError::NotShown)?;
                Ok(AttachmentPreview::Text { text: visible(text), cut: stored.file.bytes > TEXT_BYTES as u64 })
            }
            Some(format) => {
                let most = usize::try_from(PICTURE_BYTES).map_err(|_| PreviewError::TooLarge)?;
                picture(&self.core.beginning(&open, &stored.file, most)?, format)
            }
        }
    }
}

impl Core {
    /// At most `most` bytes of an attachment's content, from its beginning.
    fn beginning(&self, open: &OpenTenant, file: &StoredFile, most: usize) -> Result<Zeroizing<Vec<u8>>, CallError> {
        let (mut source, mut opener) = self.open_attached(open, file)?;
        let wanted = usize::try_from(file.bytes).map_or(most, |bytes| bytes.min(most));
        // In one piece from the start: growing would leave copies behind.
        let mut content = Zeroizing::new(Vec::with_capacity(wanted));
        let mut chunk = Zeroizing::new(vec![0; STRIDE]);
        while content.len() < wanted {
            let size = opener.next_chunk().ok_or_else(damaged)?;
            let buffer = &mut chunk[..size.stored];
            source
                .read_exact(buffer)
                .map_err(|error| self.fault(StoreError::File(error.into()), Damage::Attachment))?;
            let decrypted = opener.open_chunk(buffer).map_err(|_| damaged())?;
            let room = wanted - content.len();
            content.extend_from_slice(&decrypted[..decrypted.len().min(room)]);
        }
        Ok(content)
    }
}

/// The text, with every control character but tab and line feed as `\u{…}`.
fn visible(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for c in text.chars() {
        if c.is_control() && !matches!(c, '\t' | '\n') { shown.extend(c.escape_unicode()) } else { shown.push(c) }
    }
    shown
}

/// Decodes a picture within the limits, shrinks it to what a screen shows, and encodes its pixels alone as a PNG.
fn picture(bytes: &[u8], format: ImageFormat) -> Result<AttachmentPreview, PreviewError> {
    let mut reader = ImageReader::with_format(Cursor::new(bytes), format);
    let mut limits = Limits::default();
    limits.max_image_width = Some(SIDE_PIXELS);
    limits.max_image_height = Some(SIDE_PIXELS);
    limits.max_alloc = Some(DECODING_BYTES);
    reader.limits(limits);
    let mut decoder = reader.into_decoder().map_err(|error| refused(&error))?;
    let (width, height) = decoder.dimensions();
    if u64::from(width) * u64::from(height) > PICTURE_PIXELS || decoder.total_bytes() > DECODING_BYTES {
        return Err(PreviewError::TooLarge);
    }
    let orientation = decoder.orientation().map_err(|error| refused(&error))?;
    let mut picture = DynamicImage::from_decoder(decoder).map_err(|error| refused(&error))?;
    if width.max(height) > SHOWN_PIXELS {
        picture = erasing(picture, |whole| whole.thumbnail(SHOWN_PIXELS, SHOWN_PIXELS));
    }
    picture.apply_orientation(orientation);
    // Eight bits a channel, whatever it was; no profile, text or other chunk goes along.
    let pixels = erasing(picture, |shown| DynamicImage::ImageRgba8(shown.to_rgba8()));
    let mut png = Zeroizing::new(Vec::new());
    pixels.write_to(&mut Cursor::new(&mut *png), ImageFormat::Png).map_err(|error| refused(&error))?;
    drop(Zeroizing::new(pixels.into_bytes()));
    Ok(AttachmentPreview::Picture { url: format!("data:image/png;base64,{}", STANDARD.encode(&*png)), width, height })
}

/// What is made of a picture; the picture itself is erased.
fn erasing(picture: DynamicImage, make: impl FnOnce(&DynamicImage) -> DynamicImage) -> DynamicImage {
    let result = make(&picture);
    drop(Zeroizing::new(picture.into_bytes()));
    result
}

fn refused(error: &image::ImageError) -> PreviewError {
    match error {
        image::ImageError::Limits(_) => PreviewError::TooLarge,
        image::ImageError::Decoding(_)
        | image::ImageError::Encoding(_)
        | image::ImageError::Parameter(_)
        | image::ImageError::Unsupported(_)
        | image::ImageError::IoError(_) => PreviewError::NotShown,
    }
}

#[cfg(test)]
mod tests {
    use image::{Rgb, RgbImage};

    use super::*;

    fn encoded(width: u32, height: u32, format: ImageFormat) -> Vec<u8> {
        let picture = RgbImage::from_fn(width, height, |x, y| {
            Rgb([u8::try_from(x % 256).unwrap(), u8::try_from(y % 256).unwrap(), 7])
        });
        let mut bytes = Vec::new();
        DynamicImage::ImageRgb8(picture).write_to(&mut Cursor::new(&mut bytes), format).unwrap();
        bytes
    }

    fn shown(bytes: &[u8], format: ImageFormat) -> (Vec<u8>, u32, u32) {
        match picture(bytes, format).unwrap() {
            AttachmentPreview::Picture { url, width, height } => {
                (STANDARD.decode(url.strip_prefix("data:image/png;base64,").unwrap()).unwrap(), width, height)
            }
            AttachmentPreview::Text { .. } => panic!("no picture"),
        }
    }

    #[test]
    fn a_picture_is_made_anew_of_its_pixels_and_no_larger_than_a_screen_shows() {
        let mut png = encoded(300, 200, ImageFormat::Png);
        // A text chunk before IEND: something that a picture carries and nobody sees.
        let end = png.len() - 12;
        let mut chunk = b"\0\0\0\x0ctEXtnote\0canary!".to_vec();
        let crc = crc32(&chunk[4..]);
        chunk.extend(crc.to_be_bytes());
        png.splice(end..end, chunk);
        let (made, width, height) = shown(&png, ImageFormat::Png);
        assert_eq!((width, height), (300, 200));
        assert!(!made.windows(6).any(|part| part == b"canary"));
        let again = image::load_from_memory_with_format(&made, ImageFormat::Png).unwrap();
        assert_eq!(again.to_rgb8().get_pixel(299, 199), &Rgb([43, 199, 7]));

        let (made, width, height) = shown(&encoded(3_000, 1_500, ImageFormat::Jpeg), ImageFormat::Jpeg);
        let again = image::load_from_memory_with_format(&made, ImageFormat::Png).unwrap();
        assert_eq!(((width, height), (again.width(), again.height())), ((3_000, 1_500), (1_280, 640)));
    }

    #[test]
    fn attack_68_a_pixel_bomb_is_refused_by_its_dimensions_before_anything_is_decoded() {
        let small = encoded(8, 8, ImageFormat::Png);
        for (width, height) in
            [(50_000_u32, 50_000_u32), (u32::MAX, 1), (16_385, 1), (1, 16_385), (16_384, 16_384), (10_000, 4_001)]
        {
            let mut bomb = small.clone();
            bomb[16..20].copy_from_slice(&width.to_be_bytes());
            bomb[20..24].copy_from_slice(&height.to_be_bytes());
            let crc = crc32(&bomb[12..29]);
            bomb[29..33].copy_from_slice(&crc.to_be_bytes());
            let began = std::time::Instant::now();
            let refused = picture(&bomb, ImageFormat::Png).unwrap_err();
            assert!(matches!(refused, PreviewError::TooLarge | PreviewError::NotShown), "{width} × {height}");
            assert!(
                began.elapsed() < std::time::Duration::from_millis(50),
                "{width} × {height}: {:?}",
                began.elapsed()
            );
        }
    }

    #[test]
    fn no_bytes_behind_a_pictures_magic_make_it_panic() {
        for (format, magic) in [(ImageFormat::Png, &b"\x89PNG\r\n\x1a\n"[..]), (ImageFormat::Jpeg, b"\xff\xd8\xff\xe0")]
        {
            for (good, step) in [(encoded(16, 16, format), 7), (magic.to_vec(), 1)] {
                for at in (0..good.len()).step_by(step) {
                    let mut flipped = good.clone();
                    flipped[at] ^= 0x55;
                    let _ = picture(&flipped, format);
                    assert!(at > 64 || picture(&good[..at], format).is_err());
                }
            }
        }
    }

    #[test]
    fn controls_in_a_text_are_shown_and_lines_stay() {
        assert_eq!(visible("a\tb\nc\r\u{1b}[2J\u{9b}ü"), "a\tb\nc\\u{d}\\u{1b}[2J\\u{9b}ü");
    }

    /// ISO 3309, as PNG asks for it.
    fn crc32(bytes: &[u8]) -> u32 {
        let step = |crc: u32, _| if crc & 1 == 1 { 0xEDB8_8320 ^ (crc >> 1) } else { crc >> 1 };
        !bytes.iter().fold(u32::MAX, |crc, byte| (0..8).fold(crc ^ u32::from(*byte), step))
    }
}
