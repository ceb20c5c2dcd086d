//! What the libraries that read configs say, in plain words.

/// Their words for types and shapes, which are Rust's, and ours.
const WORDS: [(&str, &str); 27] = [
    ("expected a string", "expected text"),
    ("map, expected map with a single key", "expected a word, or a table with one name"),
    ("cannot recurse further; max recursion depth met", "tables or lists are nested too deeply"),
    ("expected struct Guarantee", "expected a table"),
    ("expected struct OptimizerSpec", "expected a table with `kind`"),
    ("expected usize", "expected a whole number of at least 0"),
    ("expected u64", "expected a whole number of at least 0"),
    ("expected u32", "expected a whole number of at least 0"),
    ("expected f64", "expected a number"),
    ("expected a boolean", "expected true or false"),
    ("expected a sequence", "expected a list in brackets"),
    ("expected an array of length 2", "expected two numbers in brackets"),
    ("expected a map", "expected a table"),
    ("invalid type: map,", "a table is no value here,"),
    ("invalid type: sequence,", "a list is no value here,"),
    ("invalid type: unit variant, expected newtype variant", "it needs numbers"),
    ("invalid type: unit variant, expected struct variant", "it needs numbers"),
    ("invalid type: ", ""),
    ("invalid value: ", ""),
    ("invalid length ", "a list of length "),
    ("unknown variant ", "there is no "),
    ("unknown field ", "there is no setting "),
    ("missing field ", "there must be a setting "),
    ("floating point ", "the number "),
    ("integer ", "the number "),
    ("boolean ", ""),
    ("string ", ""),
];

/// What is left of Rust's words where a value is so far from what is expected that none of the above says it.
const LEFT: [&str; 8] = ["variant", "struct", "enum", "tuple", "untagged", "wanted", "::", "usize"];

/// A library's message on one line, its Rust types in words; `None` where it has only those.
pub(super) fn words(message: &str) -> Option<String> {
    let line = message.split_whitespace().collect::<Vec<_>>().join(" ");
    let text = WORDS.iter().fold(line, |text, (rust, plain)| text.replace(rust, plain));
    // 5e-324 has 326 digits otherwise.
    let number = |part: &str| part.parse::<f64>().ok().filter(|_| part.len() > 24);
    let short = |part: &str| number(part).map_or_else(|| part.to_owned(), |v| format!("{v:?}"));
    let text = text.split('`').map(short).collect::<Vec<_>>().join("`");
    // What is quoted is the user's.
    let ours = text.split(['`', '"']).step_by(2);
    let rust = ours.into_iter().any(|part| LEFT.iter().any(|word| part.contains(word)));
    (!rust).then_some(text)
}
