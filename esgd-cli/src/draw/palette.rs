//! Colours: those of Okabe and Ito, which people who see fewer colours tell apart too, on light and dark.

/// Paper, ink, grid, and the eight colours.
type Palette = [(&'static str, &'static str); 11];

const LIGHT: Palette = [
    ("paper", "#ffffff"),
    ("ink", "#1b1b1b"),
    ("grid", "#dddddd"),
    ("c0", "#0072b2"),
    ("c1", "#e69f00"),
    ("c2", "#009e73"),
    ("c3", "#d55e00"),
    ("c4", "#cc79a7"),
    ("c5", "#56b4e9"),
    ("c6", "#7a6a00"),
    ("c7", "#555555"),
];

const DARK: Palette = [
    ("paper", "#16181c"),
    ("ink", "#e8e6e3"),
    ("grid", "#3a3d42"),
    ("c0", "#56b4e9"),
    ("c1", "#e69f00"),
    ("c2", "#2fd3a4"),
    ("c3", "#ff8a4c"),
    ("c4", "#e79ac4"),
    ("c5", "#a48bff"),
    ("c6", "#f0e442"),
    ("c7", "#b0b0b0"),
];

const STYLE: &str = include_str!("style.css");

/// The styles of a page: light, or dark where the reader's system is.
pub(crate) fn for_page() -> String {
    let variables = |palette: &Palette| {
        palette.iter().map(|(name, colour)| format!("--{name}: {colour};")).collect::<String>()
    };
    format!(
        ":root {{ color-scheme: light dark; {} }}\n@media screen and (prefers-color-scheme: dark) {{ :root {{ {} }} }}\n{STYLE}",
        variables(&LIGHT),
        variables(&DARK)
    )
}

/// A picture that stands alone, on white paper.
pub(crate) fn standing_alone(svg: &str) -> String {
    let style = LIGHT.iter().fold(STYLE.to_owned(), |css, (name, colour)| {
        css.replace(&format!("var(--{name})"), colour)
    });
    let (head, rest) = svg.split_at(svg.find('>').map_or(0, |end| end + 1));
    format!(
        "{head}<style>{style}</style><rect width=\"100%\" height=\"100%\" fill=\"{}\"/>{rest}",
        LIGHT[0].1
    )
}
