//! Text that is made for people and for spreadsheets.

pub mod numbers;
pub mod safe;
pub mod spreadsheet;
