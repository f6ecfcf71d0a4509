//! Which raster images a logo can be, by their first bytes, and how large they are: nothing that a browser would run, and nothing that
//! grows huge when it is unpacked.

/// The most pixels that a logo has from side to side, and from top to bottom.
const LARGEST: u32 = 2048;

/// The media type of an image that can be shown as a logo; `None` for all else.
#[must_use]
pub(super) fn media_type(image: &[u8]) -> Option<&'static str> {
    let (media_type, size) = match image {
        [0x89, b'P', b'N', b'G', b'\r', b'\n', 0x1a, b'\n', ..] => ("image/png", png(image)),
        [0xff, 0xd8, 0xff, ..] => ("image/jpeg", jpeg(image)),
        [b'G', b'I', b'F', b'8', b'7' | b'9', b'a', ..] => ("image/gif", gif(image)),
        [b'R', b'I', b'F', b'F', _, _, _, _, b'W', b'E', b'B', b'P', ..] => ("image/webp", webp(image)),
        _ => return None,
    };
    let (width, height) = size?;
    ((1..=LARGEST).contains(&width) && (1..=LARGEST).contains(&height)).then_some(media_type)
}

/// The first chunk is the header (PNG section 11.2.2).
fn png(image: &[u8]) -> Option<(u32, u32)> {
    let header = image.get(12..24)?.strip_prefix(b"IHDR")?;
    let (width, height) = header.split_first_chunk::<4>()?;
    Some((u32::from_be_bytes(*width), u32::from_be_bytes(*height.first_chunk()?)))
}

/// The frame header (ITU T.81 annex B.2.2), behind the segments before it.
fn jpeg(image: &[u8]) -> Option<(u32, u32)> {
    let mut rest = image.get(2..)?;
    loop {
        let [0xff, marker, high, low, segment @ ..] = rest else { return None };
        let is_frame = matches!(marker, 0xc0..=0xc3 | 0xc5..=0xc7 | 0xc9..=0xcb | 0xcd..=0xcf);
        if is_frame {
            let [_, height_high, height_low, width_high, width_low, ..] = segment else { return None };
            return Some((be16(*width_high, *width_low), be16(*height_high, *height_low)));
        }
        let length = usize::from(u16::from_be_bytes([*high, *low]));
        rest = segment.get(length.checked_sub(2)?..)?;
    }
}

/// The logical screen (GIF89a section 18).
fn gif(image: &[u8]) -> Option<(u32, u32)> {
    let [width_low, width_high, height_low, height_high] = *image.get(6..10)?.first_chunk()?;
    Some((be16(width_high, width_low), be16(height_high, height_low)))
}

/// The first chunk: simple, lossless or extended (RFC 9649 section 2).
fn webp(image: &[u8]) -> Option<(u32, u32)> {
    let (kind, data) = (image.get(12..16)?, image.get(20..)?);
    match kind {
        b"VP8 " => {
            let [width_low, width_high, height_low, height_high] = *data.get(6..10)?.first_chunk()?;
            Some((be16(width_high & 0x3f, width_low), be16(height_high & 0x3f, height_low)))
        }
        b"VP8L" => {
            let bits = u32::from_le_bytes(*data.get(1..5)?.first_chunk()?);
            Some(((bits & 0x3fff) + 1, ((bits >> 14) & 0x3fff) + 1))
        }
        b"VP8X" => {
            let [w0, w1, w2, h0, h1, h2] = *data.get(4..10)?.first_chunk()?;
            Some((u32::from_le_bytes([w0, w1, w2, 0]) + 1, u32::from_le_bytes([h0, h1, h2, 0]) + 1))
        }
        _ => None,
    }
}

fn be16(high: u8, low: u8) -> u32 {
    u32::from(u16::from_be_bytes([high, low]))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn png(width: u32, height: u32) -> Vec<u8> {
        [b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR".as_slice(), &width.to_be_bytes(), &height.to_be_bytes(), b"\x08\x06\0\0\0"].concat()
    }

    fn jpeg(height: u16, width: u16) -> Vec<u8> {
        let sizes = [height.to_be_bytes(), width.to_be_bytes()].concat();
        [b"\xff\xd8\xff\xe0\0\x04ab\xff\xc0\0\x0b\x08".as_slice(), &sizes, b"\x01"].concat()
    }

    fn webp(kind: &[u8; 4], data: &[u8]) -> Vec<u8> {
        [b"RIFF\0\0\0\0WEBP".as_slice(), kind, b"\0\0\0\0", data].concat()
    }

    #[test]
    fn raster_images_are_known_by_their_first_bytes() {
        assert_eq!(media_type(&png(64, 2048)), Some("image/png"));
        assert_eq!(media_type(&jpeg(64, 64)), Some("image/jpeg"));
        assert_eq!(media_type(b"GIF89a\x40\0\x40\0"), Some("image/gif"));
        assert_eq!(media_type(&webp(b"VP8 ", b"\0\0\0\x9d\x01\x2a\x40\0\x40\0")), Some("image/webp"));
        assert_eq!(media_type(&webp(b"VP8L", b"\x2f\x3f\xc0\x0f\0")), Some("image/webp"));
        assert_eq!(media_type(&webp(b"VP8X", b"\0\0\0\0\x3f\0\0\x3f\0\0")), Some("image/webp"));
    }

    #[test]
    fn what_is_huge_or_nothing_is_not_shown() {
        for image in [png(2049, 1), png(1, 70_000), png(0, 1), jpeg(4096, 1), b"GIF89a\0\x10\x01\0".to_vec()] {
            assert_eq!(media_type(&image), None);
        }
        assert_eq!(media_type(&webp(b"VP8X", b"\0\0\0\0\xff\xff\0\x01\0\0")), None);
    }

    #[test]
    fn what_a_browser_could_run_or_is_cut_off_is_no_logo() {
        for text in ["<svg xmlns='http://www.w3.org/2000/svg'/>", "<?xml version='1.0'?>", "<html>", "", "GIF89a"] {
            assert_eq!(media_type(text.as_bytes()), None, "{text}");
        }
        for whole in [png(64, 64), jpeg(64, 64), webp(b"VP8L", b"\x2f\x3f\xc0\x0f\0")] {
            for end in 0..whole.len().min(17) {
                assert_eq!(media_type(&whole[..end]), None);
            }
        }
        // A segment that claims no length, and one that leads nowhere.
        assert_eq!(media_type(b"\xff\xd8\xff\xe0\0\0\xff\xc0"), None);
        assert_eq!(media_type(b"\xff\xd8\xff\xe0\xff\xff"), None);
    }
}
