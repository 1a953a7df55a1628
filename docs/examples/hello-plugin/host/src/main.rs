use groups as _;

fn main() -> std::process::ExitCode {
    byname::Dispatcher::builder("hello").build().main()
}
