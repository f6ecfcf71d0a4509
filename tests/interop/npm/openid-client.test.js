// openid-client: discovery by RFC 8414 and OpenID Connect, code with PKCE, ID tokens and userinfo, refresh, revocation, introspection.

import assert from 'node:assert/strict'
import { before, test } from 'node:test'

import * as oauth from 'openid-client'

import { Browser } from './browser.js'
import { issuer, newUser, register, url } from './grantlog.js'

const redirectUri = 'http://127.0.0.1:9/callback'
let client
let config
let user

function discover(registered, secret = registered.client_secret) {
  return oauth.discovery(new URL(issuer), registered.client_id, undefined, oauth.ClientSecretBasic(secret), {
    algorithm: 'oauth2',
    execute: [oauth.allowInsecureRequests],
  })
}

/** By OpenID Connect, with signatures verified; `metadata` is what the client was registered with. */
async function registerForOpenId(name, metadata = {}) {
  const registered = register(name, { scope: 'openid profile', ...metadata })
  return oauth.discovery(new URL(issuer), registered.client_id, metadata, oauth.ClientSecretBasic(registered.client_secret), {
    execute: [oauth.allowInsecureRequests, oauth.enableNonRepudiationChecks],
  })
}

/** Sends a browser with an authorization request; gives where it comes back, and what is to be checked there. */
async function authorize(theirs, parameters = {}, browser = new Browser(redirectUri), decision = 'allow') {
  const checks = { pkceCodeVerifier: oauth.randomPKCECodeVerifier(), expectedState: oauth.randomState() }
  const asked = { redirect_uri: redirectUri, scope: 'read', state: checks.expectedState, ...parameters }
  if (asked.scope.includes('openid')) Object.assign(checks, { expectedNonce: oauth.randomNonce(), idTokenExpected: true })
  const address = oauth.buildAuthorizationUrl(theirs, {
    ...asked,
    ...(checks.expectedNonce && { nonce: checks.expectedNonce }),
    code_challenge: await oauth.calculatePKCECodeChallenge(checks.pkceCodeVerifier),
    code_challenge_method: 'S256',
  })
  const returned = await browser.decide(await browser.open(address), user, decision)
  return { returned, checks }
}

const refusedWith = (code) => (error) => (error.error ?? error.cause?.error) === code

before(async () => {
  client = register('openid-client')
  user = newUser()
  config = await discover(client)
})

test('discovery finds every endpoint', () => {
  const metadata = config.serverMetadata()
  assert.equal(metadata.issuer, issuer)
  assert.equal(metadata.token_endpoint, `${issuer}/token/`)
  assert.equal(metadata.authorization_response_iss_parameter_supported, true)
})

test('a code is exchanged, the resource opened, the token refreshed and revoked', async () => {
  const { returned, checks } = await authorize(config)
  const first = await oauth.authorizationCodeGrant(config, returned, checks)
  const answer = await oauth.fetchProtectedResource(config, first.access_token, new URL(`${url}/api/resource`), 'GET')
  assert.equal((await answer.json()).username, user.name)

  const second = await oauth.refreshTokenGrant(config, first.refresh_token)
  assert.notEqual(second.refresh_token, first.refresh_token)
  assert.equal((await oauth.tokenIntrospection(config, second.access_token)).active, true)

  await oauth.tokenRevocation(config, second.refresh_token)
  assert.deepEqual(await oauth.tokenIntrospection(config, second.access_token), { active: false })
  await assert.rejects(oauth.refreshTokenGrant(config, second.refresh_token), refusedWith('invalid_grant'))
})

for (const algorithm of ['RS256', 'PS256', 'ES256', 'EdDSA']) {
  test(`a person signs in by OpenID Connect with ${algorithm}: the ID token is verified, and userinfo tells of them`, async () => {
    const openid = await registerForOpenId(`openid-client by ${algorithm}`, { id_token_signed_response_alg: algorithm })
    const { returned, checks } = await authorize(openid, { scope: 'openid profile' })
    const first = await oauth.authorizationCodeGrant(openid, returned, checks)
    const { sub } = first.claims()
    assert.equal((await oauth.fetchUserInfo(openid, first.access_token, sub)).preferred_username, user.name)
    const second = await oauth.refreshTokenGrant(openid, first.refresh_token)
    assert.equal(second.claims().sub, sub)
    await oauth.tokenRevocation(openid, second.refresh_token)
    await assert.rejects(oauth.fetchUserInfo(openid, second.access_token, sub), (error) => error.status === 401)
  })
}

test('claims are asked for one by one, and a second request is answered silently', async () => {
  const openid = await registerForOpenId('openid-client that asks for claims')
  const claims = JSON.stringify({ userinfo: { preferred_username: { essential: true } }, id_token: { preferred_username: null } })
  const browser = new Browser(redirectUri)
  const { returned, checks } = await authorize(openid, { scope: 'openid', claims, max_age: '3600' }, browser)
  const tokens = await oauth.authorizationCodeGrant(openid, returned, { ...checks, maxAge: 3600 })
  const { sub, preferred_username: name } = tokens.claims()
  assert.equal(name, user.name)
  assert.equal((await oauth.fetchUserInfo(openid, tokens.access_token, sub)).preferred_username, user.name)

  const silently = { scope: 'openid', prompt: 'none', id_token_hint: tokens.id_token }
  const again = await authorize(openid, silently, browser)
  assert.equal((await oauth.authorizationCodeGrant(openid, again.returned, again.checks)).claims().sub, sub)
  const elsewhere = await authorize(openid, silently)
  await assert.rejects(oauth.authorizationCodeGrant(openid, elsewhere.returned, elsewhere.checks), refusedWith('login_required'))
})

test('a pairwise client knows a user by an id of its own, and reads signed userinfo', async () => {
  const openid = await registerForOpenId('openid-client that is pairwise', { subject_type: 'pairwise', userinfo_signed_response_alg: 'PS256' })
  const everybody = await registerForOpenId('openid-client that is public')
  const subjects = []
  for (const theirs of [openid, everybody]) {
    const { returned, checks } = await authorize(theirs, { scope: 'openid profile' })
    const tokens = await oauth.authorizationCodeGrant(theirs, returned, checks)
    const { sub } = tokens.claims()
    assert.equal((await oauth.fetchUserInfo(theirs, tokens.access_token, sub)).preferred_username, user.name)
    subjects.push(sub)
  }
  assert.notEqual(subjects[0], subjects[1])
})

test('a wrong verifier is refused', async () => {
  const { returned, checks } = await authorize(config)
  const wrong = { ...checks, pkceCodeVerifier: oauth.randomPKCECodeVerifier() }
  await assert.rejects(oauth.authorizationCodeGrant(config, returned, wrong), refusedWith('invalid_grant'))
})

test('a replayed code is refused, and ends what it gave', async () => {
  const { returned, checks } = await authorize(config)
  const tokens = await oauth.authorizationCodeGrant(config, returned, checks)
  await assert.rejects(oauth.authorizationCodeGrant(config, returned, checks), refusedWith('invalid_grant'))
  assert.deepEqual(await oauth.tokenIntrospection(config, tokens.access_token), { active: false })
})

test('a wrong secret is refused', async () => {
  const liar = await discover(client, 'wrong')
  const { returned, checks } = await authorize(config)
  await assert.rejects(oauth.authorizationCodeGrant(liar, returned, checks), (error) => error.status === 401)
})

test('a person who denies comes back with access_denied', async () => {
  const denied = register('openid-client that is denied')
  const theirs = await discover(denied)
  const { returned, checks } = await authorize(theirs, {}, undefined, 'deny')
  await assert.rejects(oauth.authorizationCodeGrant(theirs, returned, checks), refusedWith('access_denied'))
})

test('a service gets a token for itself', async () => {
  const service = await discover(register('openid-client service', { grant_types: ['client_credentials'], scope: 'read' }))
  const token = await oauth.clientCredentialsGrant(service, { scope: 'read' })
  const answer = await oauth.fetchProtectedResource(service, token.access_token, new URL(`${url}/api/resource`), 'GET')
  assert.equal(answer.status, 200)
})
