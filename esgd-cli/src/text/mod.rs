//! Text that is made for people and for spreadsheets.

pub(crate) mod first_line;
pub(crate) mod numbers;
pub(crate) mod safe;
pub(crate) mod spreadsheet;
