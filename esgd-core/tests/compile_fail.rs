//! What does not compile: every way around the guarantee from outside this crate.
//!
//! `TRYBUILD=overwrite cargo test -p esgd-core --test compile_fail` writes down what the compiler
//! says.

#[test]
fn nobody_gets_around_the_guarantee() {
    trybuild::TestCases::new().compile_fail("tests/compile_fail/*.rs");
}
