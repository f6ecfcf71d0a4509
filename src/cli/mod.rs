//! The command line: one file a command group.

mod audit;
mod backup;
mod client;
mod explain;
mod failure;
mod import;
mod input;
mod keys;
mod log;
mod logout;
mod mail;
mod migrate;
mod output;
mod progress;
mod projections;
mod relay;
mod serve;
mod store;
mod user;

use std::{path::PathBuf, process::ExitCode};

use clap::{Parser, Subcommand};

use crate::{config::Source, telemetry};
use failure::{EXIT_CODES, Failure};
use store::Context;

const ABOUT: &str = "\
grantlog is an OAuth 2.0 and OpenID Connect provider. Every registration, approval, issuance and revocation is an event in an \
append-only log, and everything it answers is read from that log.

To try it out on this machine:
  grantlog serve --dev

That needs nothing else: it makes ./data/ with a store (SQLite), a master key, a client and a user to try things with, and prints \
the lines that get and use a token. All other commands find that store by themselves, also while the server runs.

In production, the settings name the store (DATABASE_URL=postgres://...), the public https URL (GRANTLOG_SERVER__PUBLIC_URL) and \
the master key's file. config.default.toml explains every setting; each can stand in a file (--config) or in the environment.";

/// Over the options that every command has.
const COMMON: &str = "Every command";

/// The command line of `grantlog`.
#[derive(Debug, Parser)]
#[command(
    name = "grantlog",
    version,
    about = "An event-sourced OAuth 2.0 and OpenID Connect provider",
    long_about = ABOUT,
    after_help = EXIT_CODES,
    max_term_width = 110
)]
struct Cli {
    /// A settings file, over the defaults and under the environment
    #[arg(long, global = true, value_name = "FILE", env = "GRANTLOG_CONFIG", hide_env_values = true, help_heading = COMMON)]
    config: Option<PathBuf>,
    /// Write log lines as the settings' filter says, not only warnings
    #[arg(long, short, global = true, help_heading = COMMON)]
    verbose: bool,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Serve(serve::Serve),
    Migrate(migrate::Migrate),
    #[command(subcommand)]
    Client(client::ClientCommand),
    #[command(subcommand)]
    User(user::UserCommand),
    #[command(subcommand)]
    Keys(keys::KeysCommand),
    #[command(subcommand)]
    Log(log::LogCommand),
    #[command(subcommand)]
    Logout(logout::LogoutCommand),
    #[command(subcommand)]
    Mail(mail::MailCommand),
    #[command(subcommand)]
    Audit(Box<audit::AuditCommand>),
    #[command(subcommand)]
    Projections(projections::ProjectionsCommand),
    #[command(subcommand)]
    Relay(relay::RelayCommand),
    Backup(backup::Backup),
    Restore(backup::Restore),
    Explain(explain::Explain),
}

/// What commands log unless they are asked for more. The server writes what its settings say.
const QUIET: &str = "warn";

/// Runs the program.
#[must_use]
pub fn main() -> ExitCode {
    let cli = Cli::parse();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    let outcome = match runtime {
        Ok(runtime) => runtime.block_on(run(cli)),
        Err(error) => Err(Failure::io("the program cannot start its threads", &error)),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => failure.tell(),
    }
}

async fn run(cli: Cli) -> Result<(), Failure> {
    // It asks nobody, and needs no settings.
    if let Command::Audit(command) = &cli.command
        && let audit::AuditCommand::Verify(verify) = &**command
    {
        return verify.run();
    }
    let context = Context::load(&Source { file: cli.config })?;
    let told = &context.settings.telemetry;
    let as_set = cli.verbose || matches!(cli.command, Command::Serve(_));
    telemetry::init_logs(told.format, if as_set { &told.filter } else { QUIET })?;
    match cli.command {
        Command::Serve(command) => command.run(context).await,
        Command::Migrate(command) => command.run(context).await,
        Command::Client(command) => command.run(context).await,
        Command::User(command) => command.run(context).await,
        Command::Keys(command) => command.run(context).await,
        Command::Log(command) => command.run(context).await,
        Command::Logout(command) => command.run(context).await,
        Command::Mail(command) => command.run(context).await,
        Command::Audit(command) => command.run(context).await,
        Command::Projections(command) => command.run(context).await,
        Command::Relay(command) => command.run(context).await,
        Command::Backup(command) => command.run(context).await,
        Command::Restore(command) => command.run(context).await,
        Command::Explain(command) => command.run(context).await,
    }
}
