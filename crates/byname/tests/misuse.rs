//! What an author reads who writes a command wrongly. One file for each mistake, with the compiler's words beside it.

#[test]
fn each_mistake_has_a_message() {
    let cases = trybuild::TestCases::new();
    if cfg!(feature = "clap") {
        cases.compile_fail("tests/ui/*.rs");
    } else {
        cases.compile_fail("tests/ui-without-clap/*.rs");
    }
}
