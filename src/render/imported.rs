//! The effect of an import, and of the undo of one.

use std::io::{self, Write};

use serde::Serialize;

use super::cells::json;
use super::format::Format;
use crate::catalog::{ImportCounts, counted};
use crate::local_time::{LocalTime, ShortTime};
use crate::operation::{ImportReply, UndoneImport};

pub(super) fn render(out: &mut impl Write, reply: &ImportReply, format: Format) -> io::Result<()> {
    let counts = reply.counts;
    if let Some(import) = reply.undone {
        return undone(out, counts, import, format);
    }
    let created = counted(counts.created, "criado", "criados");
    let updated = counted(counts.updated, "atualizado", "atualizados");
    writeln!(out, "{created}, {updated}, {} sem mudança.", counts.unchanged)?;
    match counts.discontinued {
        0 => Ok(()),
        1 => writeln!(out, "1 da lista está aposentado, e continua assim."),
        count => writeln!(out, "{count} da lista estão aposentados, e continuam assim."),
    }
}

fn undone(
    out: &mut impl Write,
    counts: ImportCounts,
    import: UndoneImport,
    format: Format,
) -> io::Result<()> {
    let UndoneImport { at, part_count } = import;
    if matches!(format, Format::Json | Format::Ndjson) {
        let undone = JsonUndone {
            import_time: LocalTime(at).to_string(),
            restored_count: counts.updated,
            retired_count: counts.discontinued,
            kept_count: counts.unchanged,
            part_count,
        };
        return json(out, [undone].into_iter(), Format::Ndjson);
    }
    let restored = counted(counts.updated, "produto voltou", "produtos voltaram");
    let retired =
        counted(counts.discontinued, "criado por ela foi aposentado", "criados por ela foram aposentados");
    let parts = if part_count > 1 { format!(", que veio em {part_count} partes") } else { String::new() };
    let at = ShortTime(at);
    writeln!(out, "Desfeita a importação de {at}{parts}: {restored} ao cadastro de antes; {retired}.")
}

#[derive(Serialize)]
struct JsonUndone {
    import_time: String,
    restored_count: usize,
    retired_count: usize,
    kept_count: usize,
    part_count: usize,
}
