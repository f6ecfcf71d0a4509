//! What commands, programs and pages are told of a log up to a position: nothing of it changes with where its events are kept.

use serde_json::{Value, json};
use support::{ADMINISTRATOR, Answer, Browser, Cluster, PASSWORD, USER, traffic::History};

/// What is asked about.
pub(crate) struct Asked {
    /// The position up to which the log is asked about.
    position: i64,
    /// Commands in words, and what they stand on.
    commands: Vec<(String, Reads)>,
    /// Of the server: what auditors' programs ask.
    paths: Vec<(String, Reads)>,
    token: String,
    page: String,
}

/// What an answer stands on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reads {
    /// Every event.
    All,
    /// Those of some streams.
    Some,
}

/// An answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Told {
    pub(crate) of: String,
    pub(crate) reads: Reads,
    /// `None` where it was refused.
    pub(crate) answer: Option<String>,
    /// What a command said beside it.
    pub(crate) said: String,
}

impl Asked {
    /// About all that a history left, and the whole log.
    pub(crate) async fn about(cluster: &Cluster, history: &History) -> Self {
        let app = &cluster.app;
        let auditor = app.client(json!({"grant_types": ["client_credentials"], "scope": "audit"})).await;
        let token = app.token_of(&auditor, "audit").await.access;
        let lineage = app.http.post(app.url("/audit/tokens/")).bearer_auth(&token).form(&[("token", &history.family.access)]);
        let lineage = Answer::of(lineage).await.assert_status(200).json();
        let grant = lineage["grant"]["grant_id"].as_str().unwrap();
        let position = app.app.log.head().await.unwrap();
        let (client, user) = (&history.client.identifier, app.user);
        let all = |of: &[String]| of.iter().map(|of| (of.clone(), Reads::All)).collect::<Vec<_>>();
        let some = |of: &[String]| of.iter().map(|of| (of.clone(), Reads::Some)).collect::<Vec<_>>();
        let commands = all(&[
            "log tail --all --json".to_owned(),
            "log export".to_owned(),
            format!("audit replay --as-of {position} --digest"),
            format!("audit replay --as-of {position} --format jsonl"),
            format!("audit who --scope read --as-of {position} --json"),
            format!("audit diff --from 20 --to {position}"),
            // One that was never issued is looked for everywhere.
            "audit token 019ab3c0-5f2e-7d10-8c5a-0123456789ab".to_owned(),
        ]);
        let of_streams = some(&[
            format!("log show grant-{grant} --json"),
            format!("audit grant {grant} --json"),
            format!("audit token {} --json", history.family.access),
            format!("audit client {client} --json"),
            format!("audit user {USER} --json"),
        ]);
        let paths = all(&[format!("/audit/grants/?as_of={position}"), format!("/audit/who/?scope=read&as_of={position}")]);
        let of_stream =
            some(&[format!("/audit/grants/{grant}/"), format!("/audit/clients/{client}/"), format!("/audit/users/{user}/")]);
        let (commands, paths) = ([commands, of_streams].concat(), [paths, of_stream].concat());
        Self { position, commands, paths, token, page: format!("/admin/audit/grants/{grant}/") }
    }

    /// Asks all of it.
    pub(crate) async fn told(&self, cluster: &Cluster) -> Vec<Told> {
        let mut told: Vec<Told> = self.commands.iter().map(|(command, reads)| self.command(cluster, command, *reads)).collect();
        // One that has read nothing of it before: what a node has in memory is not asked of a file.
        let node = cluster.app.another_node_serving().await;
        for (path, reads) in &self.paths {
            let request = cluster.app.http.get(format!("http://{node}{path}")).bearer_auth(&self.token);
            told.push(served(path, *reads, &Answer::of(request).await, |answer| answer.body.clone()));
        }
        let browser = Browser::new(&cluster.app);
        browser.sign_in(ADMINISTRATOR, PASSWORD).await.assert_status(303);
        told.push(served(&self.page, Reads::Some, &browser.get(&self.page).await, Answer::text));
        told
    }

    fn command(&self, cluster: &Cluster, command: &str, reads: Reads) -> Told {
        let done = cluster.run(&command.split(' ').collect::<Vec<_>>());
        let [out, said] = [done.stdout, done.stderr].map(|bytes| String::from_utf8(bytes).unwrap());
        let never_issued = done.status.code() == Some(3) && said.contains("was ever issued");
        let answer = (done.status.success() || never_issued).then(|| self.up_to_position(&out));
        Told { of: command.to_owned(), reads, answer, said }
    }

    /// An answer without the lines of events that came later, and without what an export says of them.
    fn up_to_position(&self, out: &str) -> String {
        let early = |line: &&str| {
            let Ok(Value::Object(line)) = serde_json::from_str(line) else { return true };
            let event = line.get("event").and_then(Value::as_object).unwrap_or(&line);
            let later = event.contains_key("command_id") && event["position"].as_i64() > Some(self.position);
            !(later || line.len() == 1 && ["header", "digest", "end"].iter().any(|of_all| line.contains_key(*of_all)))
        };
        out.lines().filter(early).map(|line| format!("{line}\n")).collect()
    }
}

/// What a server answered, which is that it cannot tell (503) if it is not an answer.
fn served(of: &str, reads: Reads, answer: &Answer, text: impl Fn(&Answer) -> String) -> Told {
    let told = match answer.status.as_u16() {
        200 => Some(text(answer)),
        503 => None,
        _ => panic!("{of}: {answer:?}"),
    };
    Told { of: of.to_owned(), reads, answer: told, said: String::new() }
}
