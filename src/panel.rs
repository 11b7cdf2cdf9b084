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

/// Every file of the panel.
pub static PANEL: &[Asset] = &[
    Asset { path: "/", content_type: HTML, bytes: include_bytes!("panel/index.html") },
    Asset { path: "/style.css", content_type: STYLE, bytes: include_bytes!("panel/style.css") },
    Asset { path: "/icon.svg", content_type: PICTURE, bytes: include_bytes!("panel/icon.svg") },
    Asset { path: "/app.js", content_type: SCRIPT, bytes: include_bytes!("panel/app.js") },
    Asset { path: "/api.js", content_type: SCRIPT, bytes: include_bytes!("panel/api.js") },
    Asset { path: "/live.js", content_type: SCRIPT, bytes: include_bytes!("panel/live.js") },
    Asset { path: "/catalog.js", content_type: SCRIPT, bytes: include_bytes!("panel/catalog.js") },
    Asset { path: "/cart.js", content_type: SCRIPT, bytes: include_bytes!("panel/cart.js") },
    Asset { path: "/format.js", content_type: SCRIPT, bytes: include_bytes!("panel/format.js") },
    Asset { path: "/dom.js", content_type: SCRIPT, bytes: include_bytes!("panel/dom.js") },
    Asset { path: "/dialog.js", content_type: SCRIPT, bytes: include_bytes!("panel/dialog.js") },
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
