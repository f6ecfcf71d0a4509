//! `grantlog explain`: what an error's `error_id` holds.

use serde_json::json;

use super::{
    failure::Failure,
    output::{self, Format, moment},
    store::Context,
};

/// Tell why a request was refused
///
/// Every OAuth error carries an error_id. It holds, sealed for whoever runs this issuer, the rule that fired and what it saw: which
/// part of the redirect URI differed, which scope was missing. It never holds a secret, and nothing is kept on the server.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  grantlog explain dGhpcyBpcyBub3QgYSByZWFsIG9uZQ")]
pub(super) struct Explain {
    /// As the error shows it
    #[arg(allow_hyphen_values = true)]
    error_id: String,
    #[command(flatten)]
    format: Format,
}

impl Explain {
    pub(super) async fn run(self, context: Context) -> Result<(), Failure> {
        let dispatch = context.dispatch().await?;
        let report = dispatch.explain(&self.error_id).map_err(|error| Failure::Refused(error.to_string()))?;
        if self.format.json {
            return output::json(&json!(report));
        }
        output::line(format_args!("{}: {}", report.code.as_str(), report.description))?;
        output::pairs([("rule", report.rule), ("at", moment(report.at.unix()))])?;
        if !report.saw.is_empty() {
            output::line("It saw")?;
        }
        output::pairs(report.saw.iter().map(|(name, value)| (name.as_str(), value.clone())))
    }
}
