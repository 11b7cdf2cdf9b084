//! The panel: the files of the shop's page, as the server sends them to a browser.

/// A file of the panel.
pub struct Asset {
    /// The path of its address.
    pub path: &'static str,
    /// The media type, for the browser.
    pub content_type: &'static str,
    /// The content.
    pub bytes: &'static [u8],
}

const HTML: &str = "text/html; charset=utf-8";
const STYLE: &str = "text/css; charset=utf-8";
const SCRIPT: &str = "text/javascript; charset=utf-8";
const PICTURE: &str = "image/svg+xml";

/// A file as `build.rs` copies it: without the comments and spaces that no browser needs.
macro_rules! asset {
    ($path:literal, $file:literal, $content_type:expr) => {
        Asset {
            path: $path,
            content_type: $content_type,
            bytes: include_bytes!(concat!(env!("OUT_DIR"), "/panel/", $file)),
        }
    };
}

/// Every file of the panel.
pub static PANEL: &[Asset] = &[
    asset!("/", "index.html", HTML),
    asset!("/style.css", "style.css", STYLE),
    asset!("/icon.svg", "icon.svg", PICTURE),
    asset!("/app.js", "app.js", SCRIPT),
    asset!("/api.js", "api.js", SCRIPT),
    asset!("/rights.js", "rights.js", SCRIPT),
    asset!("/live.js", "live.js", SCRIPT),
    asset!("/catalog.js", "catalog.js", SCRIPT),
    asset!("/cart.js", "cart.js", SCRIPT),
    asset!("/format.js", "format.js", SCRIPT),
    asset!("/dom.js", "dom.js", SCRIPT),
    asset!("/dialog.js", "dialog.js", SCRIPT),
    asset!("/balcao.js", "balcao.js", SCRIPT),
    asset!("/estoque.js", "estoque.js", SCRIPT),
    asset!("/produto.js", "produto.js", SCRIPT),
    asset!("/movimentos.js", "movimentos.js", SCRIPT),
    asset!("/contagem.js", "contagem.js", SCRIPT),
    asset!("/compras.js", "compras.js", SCRIPT),
    asset!("/relatorios.js", "relatorios.js", SCRIPT),
    asset!("/importar.js", "importar.js", SCRIPT),
    asset!("/parts.js", "parts.js", SCRIPT),
    asset!("/draft.js", "draft.js", SCRIPT),
    asset!("/charts.js", "charts.js", SCRIPT),
    asset!("/pages2.css", "pages2.css", STYLE),
];

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    /// The most bytes of the panel, which a phone loads over a slow network.
    const PANEL_BYTES_MAX: usize = 200 * 1000;

    #[test]
    fn every_file_of_the_folder_is_served() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/src/panel");
        let files: BTreeSet<String> = std::fs::read_dir(folder)
            .unwrap()
            .map(|entry| format!("/{}", entry.unwrap().file_name().into_string().unwrap()))
            .collect();
        let page = |path: &str| if path == "/" { "/index.html".to_owned() } else { path.to_owned() };
        let served: BTreeSet<String> = PANEL.iter().map(|asset| page(asset.path)).collect();
        assert_eq!(served, files);
        let bytes: usize = PANEL.iter().map(|asset| asset.bytes.len()).sum();
        assert!(bytes <= PANEL_BYTES_MAX, "{bytes} bytes");
    }
}
