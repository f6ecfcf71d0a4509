//! The program `grantlog`: all of it is in the library, so that tests reach it.

use mimalloc::MiMalloc;

/// A request makes many small allocations: glibc's allocator took a quarter of the server's CPU time.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

fn main() -> std::process::ExitCode {
    grantlog::cli::main()
}
