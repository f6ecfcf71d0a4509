//! Applications' logos: fetched by the server and kept for a while, so that nobody's browser asks an application's server before its user has
//! decided anything.

mod raster;

use base64::{Engine, engine::general_purpose::STANDARD};
use domain::{Digest, client::ClientMetadata};
use url::Url;

use crate::{dispatch::Dispatch, ephemeral, log::Unavailable};

/// The ephemeral kind of what was fetched, by the digest of its address: the image in base64, or nothing where there is none.
const KIND: &str = "logo";
/// For how long a logo is kept, and for how long it is remembered that there is none, in seconds.
const KEPT: u32 = 86_400;
const NONE_KEPT: u32 = 600;
/// While one is fetched, nobody else fetches it: longer than a fetch takes.
const FETCHING: u32 = 30;

/// A raster image.
pub struct Logo {
    pub media_type: &'static str,
    pub image: Vec<u8>,
}

/// The logo that an application names; `None` where it names none, or what it names is none that can be shown.
///
/// # Errors
/// `Unavailable` when the store does not answer.
pub async fn of(dispatch: &Dispatch, metadata: &ClientMetadata) -> Result<Option<Logo>, Unavailable> {
    let Some(url) = metadata.logo_uri.as_deref().and_then(|uri| Url::parse(uri).ok()) else { return Ok(None) };
    let (db, now) = (dispatch.reads.db(), dispatch.clock.now());
    let key = Digest::of(url.as_str().as_bytes());
    if let Some(kept) = ephemeral::get(db, KIND, key.as_str(), now).await? {
        return Ok(STANDARD.decode(kept).ok().and_then(Logo::read));
    }
    ephemeral::put(db, KIND, key.as_str(), "", now.plus(FETCHING)).await?;
    let logo = fetch(dispatch, &url).await;
    let (kept, lifetime) = match &logo {
        Some(logo) => (STANDARD.encode(&logo.image), KEPT),
        None => (String::new(), NONE_KEPT),
    };
    ephemeral::put(db, KIND, key.as_str(), &kept, now.plus(lifetime)).await?;
    Ok(logo)
}

async fn fetch(dispatch: &Dispatch, url: &Url) -> Option<Logo> {
    match dispatch.fetcher.get(url, "image/png, image/jpeg, image/webp, image/gif").await {
        Ok(fetched) if fetched.status == 200 => Logo::read(fetched.body),
        Ok(_) => None,
        Err(error) => {
            tracing::debug!(%error, "a logo could not be fetched");
            None
        }
    }
}

impl Logo {
    /// Whatever its server calls it, its bytes say what it is.
    fn read(image: Vec<u8>) -> Option<Self> {
        Some(Self { media_type: raster::media_type(&image)?, image })
    }
}
