//! Pictures as PNG.

use std::sync::Arc;

use resvg::{
    tiny_skia::{Pixmap, Transform},
    usvg::{Options, Tree, fontdb},
};

use crate::files::own_file;

/// Pixels for each unit of an SVG.
const SCALE: f32 = 2.0;

/// Draws SVGs with the fonts of this system.
pub(crate) struct Painter {
    options: Options<'static>,
    has_fonts: bool,
}

impl Painter {
    pub(crate) fn new() -> Self {
        let mut fonts = fontdb::Database::new();
        fonts.load_system_fonts();
        let family = |face: &fontdb::FaceInfo| Some(face.families.first()?.0.clone());
        // What stands for any font without serifs, where the usual ones are not there.
        let known = ["DejaVu Sans", "Liberation Sans", "Noto Sans", "Arial", "Helvetica"];
        let names: Vec<String> = fonts.faces().filter_map(family).collect();
        let found = known.iter().find(|k| names.iter().any(|n| n == *k)).map(|k| (*k).to_owned());
        if let Some(name) = found.or_else(|| names.first().cloned()) {
            fonts.set_sans_serif_family(name);
        }
        let has_fonts = !fonts.is_empty();
        Self { options: Options { fontdb: Arc::new(fonts), ..Options::default() }, has_fonts }
    }

    /// Whether letters can be drawn at all.
    pub(crate) fn has_fonts(&self) -> bool {
        self.has_fonts
    }

    /// A picture of an SVG that stands alone.
    pub(crate) fn png(&self, svg: &str) -> Result<Vec<u8>, String> {
        let tree = Tree::from_str(svg, &self.options).map_err(|e| e.to_string())?;
        let size = tree.size().to_int_size().scale_by(SCALE).ok_or("it has no size")?;
        let mut pixels = Pixmap::new(size.width(), size.height()).ok_or("it is too large")?;
        resvg::render(&tree, Transform::from_scale(SCALE, SCALE), &mut pixels.as_mut());
        pixels.encode_png().map(|png| own_file::marked(&png)).map_err(|e| e.to_string())
    }
}
