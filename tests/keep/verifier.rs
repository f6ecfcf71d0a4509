//! Somebody else, who has nothing but the address and knows the standards: fetches the key, checkpoints and tiles over HTTP, and computes
//! the tree from its definition (RFC 9162 section 2.1.1, C2SP signed-note, tlog-checkpoint, tlog-tiles).

use aws_lc_rs::{
    digest::{SHA256, digest},
    signature::{ED25519, UnparsedPublicKey},
};
use base64::{Engine, engine::general_purpose::STANDARD};
use support::TestApp;

pub(crate) type Hash = Vec<u8>;

/// A checkpoint whose signature was found right.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Checkpoint {
    pub(crate) origin: String,
    pub(crate) size: usize,
    pub(crate) root: Hash,
}

fn sha256(parts: &[&[u8]]) -> Hash {
    digest(&SHA256, &parts.concat()).as_ref().to_vec()
}

/// The root over hashes of leaves, or of full subtrees of one height.
pub(crate) fn root_of(hashes: &[Hash]) -> Hash {
    match hashes {
        [] => sha256(&[]),
        [only] => only.clone(),
        several => {
            let (left, right) = several.split_at(1 << (several.len() - 1).ilog2());
            sha256(&[&[1], &root_of(left), &root_of(right)])
        }
    }
}

pub(crate) fn verified(note: &str, key: &str) -> Checkpoint {
    let (text, signatures) = note.split_once("\n\n").unwrap();
    let text = format!("{text}\n");
    let parts: Vec<&str> = key.trim().splitn(3, '+').collect();
    let [name, id, public] = parts.as_slice() else { panic!("{key}") };
    let public = STANDARD.decode(public).unwrap();
    let signature = signatures.strip_prefix(&format!("— {name} ")).and_then(|rest| rest.strip_suffix('\n')).unwrap();
    let signature = STANDARD.decode(signature).unwrap();
    let (key_id, signature) = signature.split_at(4);
    assert_eq!(key_id, &sha256(&[name.as_bytes(), b"\n", &public])[..4]);
    assert_eq!(*id, key_id.iter().map(|byte| format!("{byte:02x}")).collect::<String>());
    assert_eq!(public[0], 1);
    UnparsedPublicKey::new(&ED25519, &public[1..]).verify(text.as_bytes(), signature).unwrap();
    let lines: Vec<&str> = text.lines().collect();
    let [origin, size, root] = lines.as_slice() else { panic!("{text}") };
    assert_eq!(origin, name);
    Checkpoint { origin: (*origin).to_owned(), size: size.parse().unwrap(), root: STANDARD.decode(root).unwrap() }
}

pub(crate) async fn key(app: &TestApp) -> String {
    app.get("/transparency/key").await.assert_status(200).body
}

/// The last checkpoint that is served.
pub(crate) async fn checkpoint(app: &TestApp) -> Checkpoint {
    let served = app.get("/transparency/checkpoint").await.assert_status(200);
    assert_eq!(served.header("content-type"), "text/plain; charset=utf-8");
    assert_eq!(served.header("cache-control"), "no-cache");
    verified(&served.body, &key(app).await)
}

/// The hashes of a tile; `None` where none is served.
pub(crate) async fn tile(app: &TestApp, path: &str) -> Option<Vec<Hash>> {
    let response = app.http.get(app.url(&format!("/transparency/tile/{path}"))).send().await.unwrap();
    if response.status() == 404 {
        return None;
    }
    assert_eq!(response.status(), 200);
    assert_eq!(response.headers()["content-type"], "application/octet-stream");
    assert_eq!(response.headers()["cache-control"], "public, max-age=31536000, immutable");
    let bytes = response.bytes().await.unwrap();
    Some(bytes.chunks_exact(32).map(<[u8]>::to_vec).collect())
}

/// All hashes of a level of tiles in a tree of a size, which has fewer than a thousand tiles in a level.
async fn level(app: &TestApp, level: usize, hashes: usize) -> Vec<Hash> {
    let mut all = Vec::new();
    for number in 0..hashes.div_ceil(256) {
        let width = 256.min(hashes - number * 256);
        let partial = if width == 256 { String::new() } else { format!(".p/{width}") };
        let tile = tile(app, &format!("{level}/{number:03}{partial}")).await.unwrap();
        assert_eq!(tile.len(), width);
        all.extend(tile);
    }
    all
}

/// The leaves under a checkpoint: the tiles of all levels add up to its root.
pub(crate) async fn leaves(app: &TestApp, checkpoint: &Checkpoint) -> Vec<Hash> {
    let leaves = level(app, 0, checkpoint.size).await;
    assert_eq!(root_of(&leaves), checkpoint.root);
    let above: Vec<Hash> = leaves.chunks_exact(256).map(root_of).collect();
    assert_eq!(level(app, 1, above.len()).await, above);
    leaves
}
