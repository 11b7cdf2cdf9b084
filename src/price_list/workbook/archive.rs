//! The parts of an archive, unfolded once to measure them.

use std::io::{self, Cursor, Read};

use zip::ZipArchive;
use zip::result::ZipError;

use super::error::WorkbookError;

/// The most parts of a workbook: sheets, pictures and styles of a large one are hundreds.
const PARTS_MAX: usize = 2000;

/// Names in the bytes of a workbook, by which one that is cut is still known.
const SIGNS: [&[u8]; 2] = [b"xl/", b"opendocument.spreadsheet"];

/// The kind of a workbook that is an archive.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Xlsx,
    Ods,
    Xlsb,
    Other,
}

/// The kind of an archive, none of whose parts unfolds to more bytes than all may together.
///
/// # Errors
/// If the archive is damaged or encrypted, or unfolds to more bytes.
pub(super) fn kind(bytes: &[u8], inflated_bytes_max: usize) -> Result<Kind, WorkbookError> {
    let mut archive = match ZipArchive::new(Cursor::new(bytes)) {
        Ok(archive) => archive,
        Err(_) if !SIGNS.iter().any(|sign| memchr::memmem::find(bytes, sign).is_some()) => {
            return Ok(Kind::Other);
        }
        Err(error) => return Err(refused(error)),
    };
    let has = |name: &str| archive.index_for_name(name).is_some();
    let kind = if has("xl/workbook.xml") {
        Kind::Xlsx
    } else if has("xl/workbook.bin") {
        Kind::Xlsb
    } else if has("content.xml") && is_ods(&mut archive) {
        Kind::Ods
    } else {
        return Ok(Kind::Other);
    };
    if archive.len() > PARTS_MAX {
        return Err(WorkbookError::TooManyParts(archive.len()));
    }
    // An archive that says itself that it is too large is refused before anything of it is unfolded.
    let said = (0..archive.len()).try_fold(0_u64, |sum, index| {
        let part = archive.by_index_raw(index).map_err(refused)?;
        Ok(sum.saturating_add(part.size()))
    })?;
    if said > inflated_bytes_max as u64 {
        return Err(WorkbookError::TooLarge(inflated_bytes_max));
    }
    let mut left = inflated_bytes_max as u64;
    for index in 0..archive.len() {
        let part = archive.by_index(index).map_err(refused)?;
        // The sizes in the archive may be wrong, so the part is unfolded to its end.
        let unfolded =
            io::copy(&mut part.take(left + 1), &mut io::sink()).map_err(|_| WorkbookError::Damaged)?;
        left = left.checked_sub(unfolded).ok_or(WorkbookError::TooLarge(inflated_bytes_max))?;
    }
    Ok(kind)
}

fn is_ods(archive: &mut ZipArchive<Cursor<&[u8]>>) -> bool {
    let mut mime = Vec::new();
    let Ok(part) = archive.by_name("mimetype") else { return false };
    let is_read = part.take(64).read_to_end(&mut mime).is_ok();
    is_read && mime.starts_with(b"application/vnd.oasis.opendocument.spreadsheet")
}

fn refused(error: ZipError) -> WorkbookError {
    match error {
        ZipError::UnsupportedArchive(ZipError::PASSWORD_REQUIRED) => WorkbookError::Password,
        _ => WorkbookError::Damaged,
    }
}
