//! A mail as it leaves.

use super::*;
use domain::user::MailPurpose;

fn settings(variables: &[(&str, &str)]) -> Settings {
    let mut settings = Settings::load(&crate::config::Source::default()).unwrap();
    settings.server.public_url = "https://id.example.com".parse().unwrap();
    for (name, value) in variables {
        match *name {
            "from" => settings.mail.from = (*value).to_owned(),
            "name" => settings.mail.name = Some((*value).to_owned()),
            "language" => settings.mail.language = (*value).to_owned(),
            "ca_file" => settings.mail.ca_files = vec![value.into()],
            _ => panic!("{name}"),
        }
    }
    settings.mail.host = "mail.example.com".to_owned();
    settings
}

fn about(purpose: MailPurpose, account: &str) -> About {
    let url = "https://id.example.com/x/?a=1&b=2".to_owned().into();
    About { words: purpose.as_str(), account: account.to_owned(), link: Some(Link { url, lifetime: 3600 }) }
}

fn letter(purpose: MailPurpose, language: &str) -> Letter {
    Letter::new(&about(purpose, "mika<b>{hours}\u{202e}\n"), "Example", Words::choose(&[language], "en"))
}

fn mailer(variables: &[(&str, &str)]) -> Result<Mailer, String> {
    Mailer::of_settings(&settings(variables)).map(|mailer| mailer.unwrap()).map_err(|error| error.to_string())
}

#[tokio::test]
async fn a_mail_is_the_same_in_text_and_html_and_says_that_a_program_sent_it() {
    let mailer = mailer(&[("from", "Accounts <accounts@example.com>"), ("name", "Example")]).unwrap();
    let message = mailer.message("mika@example.org", &letter(MailPurpose::PasswordLink, "en"), Timestamp::from_unix(0)).unwrap();
    let raw = String::from_utf8(message.formatted()).unwrap();
    for line in [
        "From: Accounts <accounts@example.com>",
        "To: mika@example.org",
        "Subject: A new password for Example",
        "Date: Thu, 01 Jan 1970 00:00:00 +0000",
        "Auto-Submitted: auto-generated",
        "Content-Type: multipart/alternative;",
    ] {
        assert!(raw.contains(line), "{line}: {raw}");
    }
    assert!(raw.contains("@id.example.com>") && raw.contains("text/plain") && raw.contains("text/html"), "{raw}");
}

#[test]
fn every_mail_says_something_in_every_language_and_shows_no_markup_of_a_persons() {
    for purpose in MailPurpose::ALL {
        for language in ["en", "ja"] {
            let letter = letter(purpose, language);
            let (text, html) = (letter.text(), letter.html().unwrap());
            assert!(letter.subject.contains("Example") && !letter.subject.contains('\n'), "{}", letter.subject);
            assert!(text.contains("mika<b>{hours}") && text.contains("\n\nhttps://id.example.com/x/?a=1&b=2\n\n"), "{text}");
            assert!(!html.contains("<b>") && !html.contains("<img") && !html.contains("http-equiv"), "{html}");
            assert!(!text.contains('\u{202e}'), "{text}");
        }
    }
}

#[tokio::test]
async fn without_an_address_of_its_own_it_comes_from_the_host() {
    assert_eq!(mailer(&[]).unwrap().from.to_string(), "\"id.example.com\" <no-reply@id.example.com>");
}

#[tokio::test]
async fn a_setting_by_which_no_mail_could_go_out_names_itself() {
    for (name, value, said) in [
        ("from", "nobody", "mail.from is nobody"),
        ("language", "tlh", "mail.language is tlh"),
        ("ca_file", "/nowhere/ca.pem", "mail.ca_files names /nowhere/ca.pem: it cannot be read"),
    ] {
        let error = mailer(&[(name, value)]).err().unwrap();
        assert!(error.contains(said), "{error}");
    }
}

#[tokio::test]
async fn what_is_no_address_is_never_sent_to() {
    let mailer = mailer(&[]).unwrap();
    for to in ["", "mika", "mika@", "a@b\r\nBcc: c@d", "a b@example.org"] {
        let error = mailer.message(to, &letter(MailPurpose::EmailCheck, "ja"), Timestamp::from_unix(0)).unwrap_err();
        assert_eq!(error.failure, Failure::Never, "{to}");
    }
}
