//! The codes and tokens of a grant: which came of which, and which of them are good for anything. Pure.

use domain::{
    Digest, Event, Scope,
    grant::{AccessToken, GrantEvent, IdToken, RefreshToken},
};

use super::{End, Facts, Place, Token, TokenKind, Told, fold::Grounds};

/// A family as it grows.
#[derive(Default)]
struct Family {
    tokens: Vec<Token>,
    /// The one that the next come of.
    exchanged: Option<usize>,
    revoked: Option<End>,
}

/// All codes and tokens of a grant, from its own events and what is known of what it stands on.
pub(super) fn family(events: &[Told], grounds: &Grounds, facts: &Facts) -> Vec<Token> {
    let mut family = Family::default();
    for told in events {
        if let Event::Grant(event) = &told.event {
            family.take(event, told);
        }
    }
    let Family { mut tokens, revoked, .. } = family;
    for token in &mut tokens {
        // What an ID token said stays true: it ends with its key alone.
        let opens = token.kind != TokenKind::IdToken;
        let hands = token.client_id.iter().chain(&token.through).map(|client| client.uuid());
        let wide = facts.end(grounds.streams().chain(hands).filter(|_| opens), token.kid.as_deref(), token.pos);
        let ends = [token.ended.take(), wide, revoked.clone().filter(|_| opens)].into_iter().flatten();
        // What was over by then was not ended by it.
        token.ended = ends.filter(|end| end.place.at < token.expires_at).min_by_key(|end| end.place.position);
    }
    tokens
}

impl Family {
    fn take(&mut self, event: &GrantEvent, told: &Told) {
        let place = told.place;
        match event {
            GrantEvent::Approved(approved) => {
                let code = Token {
                    kind: TokenKind::CODE,
                    jti: None,
                    digest: approved.code.clone(),
                    generation: None,
                    client_id: None,
                    through: Vec::new(),
                    issued: place,
                    expires_at: approved.code_expires_at,
                    scope: approved.scope.clone(),
                    audience: approved.resources.clone(),
                    kid: None,
                    used: None,
                    ended: None,
                    from: None,
                    pos: approved.pos,
                };
                self.tokens.push(code);
            }
            GrantEvent::CodeRedeemed { code, .. } => self.use_up(code, place),
            GrantEvent::TokensIssued { access, refresh, .. } => {
                self.add_access(access, place);
                if let Some(refresh) = refresh {
                    self.add_refresh(refresh, place);
                }
            }
            GrantEvent::ClientCredentialsIssued { access, .. } => self.add_access(access, place),
            GrantEvent::JwtBearerIssued(assured) => self.add_access(&assured.access, place),
            GrantEvent::Refreshed { predecessor, access, refresh, .. } => {
                self.use_up(predecessor, place);
                self.add_access(access, place);
                self.add_refresh(refresh, place);
            }
            GrantEvent::AccessTokenRefreshed { access, .. } => {
                self.exchanged = self.tokens.iter().rposition(|token| token.kind == TokenKind::REFRESH);
                self.add_access(access, place);
            }
            GrantEvent::TokenExchanged(exchanged) => {
                let from = self.tokens.iter().rposition(|token| token.jti == Some(exchanged.subject));
                let token = Token {
                    from,
                    client_id: Some(exchanged.client_id),
                    through: exchanged.through.clone(),
                    ..Self::access(&exchanged.access, place)
                };
                self.tokens.push(token);
            }
            GrantEvent::AccessTokenRevoked { digest, .. } => {
                let cause = domain::cutoff::Cause::RevokedByClient;
                for token in self.tokens.iter_mut().filter(|token| token.digest == *digest) {
                    token.ended = Some(End { place, cause, by: told.by.clone() });
                }
            }
            GrantEvent::Revoked { reason, .. } => {
                self.revoked = Some(End { place, cause: (*reason).into(), by: told.by.clone() });
            }
            GrantEvent::RefreshRetried { .. } | GrantEvent::CodeReplayed { .. } | GrantEvent::RefreshReplayed { .. } => {}
        }
    }

    fn use_up(&mut self, digest: &Digest, place: Place) {
        self.exchanged = self.tokens.iter().position(|token| token.digest == *digest);
        if let Some(used) = self.exchanged {
            self.tokens[used].used = Some(place);
        }
    }

    fn add_access(&mut self, access: &AccessToken, issued: Place) {
        self.tokens.push(Token { from: self.exchanged, ..Self::access(access, issued) });
        if let Some(id_token) = &access.id_token {
            self.add_id_token(id_token, (issued, access.pos));
        }
    }

    fn access(access: &AccessToken, issued: Place) -> Token {
        Token {
            kind: TokenKind::ACCESS,
            jti: Some(access.id),
            digest: access.digest.clone(),
            generation: None,
            client_id: None,
            through: Vec::new(),
            issued,
            expires_at: access.expires_at,
            scope: access.scope.clone(),
            audience: access.audience.clone(),
            kid: access.kid.clone(),
            used: None,
            ended: None,
            from: None,
            pos: access.pos,
        }
    }

    /// It is for its client, and has no scope.
    fn add_id_token(&mut self, id_token: &IdToken, (issued, pos): (Place, i64)) {
        self.tokens.push(Token {
            kind: TokenKind::IdToken,
            jti: None,
            digest: id_token.digest.clone(),
            generation: None,
            client_id: None,
            through: Vec::new(),
            issued,
            expires_at: id_token.expires_at,
            scope: Scope::default(),
            audience: Vec::new(),
            kid: Some(id_token.kid.clone()),
            used: None,
            ended: None,
            from: self.exchanged,
            pos,
        });
    }

    fn add_refresh(&mut self, refresh: &RefreshToken, issued: Place) {
        let (scope, audience) =
            self.tokens.first().map(|first| (first.scope.clone(), first.audience.clone())).unwrap_or_default();
        self.tokens.push(Token {
            kind: TokenKind::REFRESH,
            jti: None,
            digest: refresh.digest.clone(),
            generation: Some(refresh.generation),
            client_id: None,
            through: Vec::new(),
            issued,
            expires_at: refresh.expires_at,
            scope,
            audience,
            kid: None,
            used: None,
            ended: None,
            from: self.exchanged,
            pos: refresh.pos,
        });
    }
}

/// What a token came of, the nearest first.
#[must_use]
pub fn came_of(tokens: &[Token], of: usize) -> Vec<&Token> {
    let mut before = Vec::new();
    let mut next = tokens[of].from;
    while let Some(place) = next {
        before.push(&tokens[place]);
        next = tokens[place].from;
    }
    before
}

/// All that came of a token, in the order in which it was issued.
#[must_use]
pub fn led_to(tokens: &[Token], of: usize) -> Vec<&Token> {
    let mut came = vec![false; tokens.len()];
    came[of] = true;
    let mut after = Vec::new();
    for (place, token) in tokens.iter().enumerate().skip(of + 1) {
        if token.from.is_some_and(|from| came[from]) {
            came[place] = true;
            after.push(token);
        }
    }
    after
}
