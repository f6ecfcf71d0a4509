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

async function signIn() {
  const verifier = oauth.randomPKCECodeVerifier()
  const state = oauth.randomState()
  const address = oauth.buildAuthorizationUrl(config, {
    redirect_uri: redirectUri,
    scope: 'read',
    state,
    code_challenge: await oauth.calculatePKCECodeChallenge(verifier),
    code_challenge_method: 'S256',
  })
  const browser = new Browser(redirectUri)
  const returned = await browser.decide(await browser.open(address), user)
  return { returned, checks: { pkceCodeVerifier: verifier, expectedState: state } }
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
  const { returned, checks } = await signIn()
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
    const metadata = { id_token_signed_response_alg: algorithm }
    const registered = register(`openid-client by ${algorithm}`, { scope: 'openid profile', ...metadata })
    const authentication = oauth.ClientSecretBasic(registered.client_secret)
    const openid = await oauth.discovery(new URL(issuer), registered.client_id, metadata, authentication, {
      execute: [oauth.allowInsecureRequests, oauth.enableNonRepudiationChecks],
    })
    const [verifier, nonce] = [oauth.randomPKCECodeVerifier(), oauth.randomNonce()]
    const address = oauth.buildAuthorizationUrl(openid, {
      redirect_uri: redirectUri,
      scope: 'openid profile',
      nonce,
      code_challenge: await oauth.calculatePKCECodeChallenge(verifier),
      code_challenge_method: 'S256',
    })
    const browser = new Browser(redirectUri)
    const returned = await browser.decide(await browser.open(address), user)
    const checks = { pkceCodeVerifier: verifier, expectedNonce: nonce, idTokenExpected: true }
    const first = await oauth.authorizationCodeGrant(openid, returned, checks)
    const { sub } = first.claims()
    assert.equal((await oauth.fetchUserInfo(openid, first.access_token, sub)).preferred_username, user.name)
    const second = await oauth.refreshTokenGrant(openid, first.refresh_token)
    assert.equal(second.claims().sub, sub)
    await oauth.tokenRevocation(openid, second.refresh_token)
    await assert.rejects(oauth.fetchUserInfo(openid, second.access_token, sub), (error) => error.status === 401)
  })
}

test('a wrong verifier is refused', async () => {
  const { returned, checks } = await signIn()
  const wrong = { ...checks, pkceCodeVerifier: oauth.randomPKCECodeVerifier() }
  await assert.rejects(oauth.authorizationCodeGrant(config, returned, wrong), refusedWith('invalid_grant'))
})

test('a replayed code is refused, and ends what it gave', async () => {
  const { returned, checks } = await signIn()
  const tokens = await oauth.authorizationCodeGrant(config, returned, checks)
  await assert.rejects(oauth.authorizationCodeGrant(config, returned, checks), refusedWith('invalid_grant'))
  assert.deepEqual(await oauth.tokenIntrospection(config, tokens.access_token), { active: false })
})

test('a wrong secret is refused', async () => {
  const liar = await discover(client, 'wrong')
  const { returned, checks } = await signIn()
  await assert.rejects(oauth.authorizationCodeGrant(liar, returned, checks), (error) => error.status === 401)
})

test('a person who denies comes back with access_denied', async () => {
  const denied = register('openid-client that is denied')
  const browser = new Browser(redirectUri)
  const challenge = await oauth.calculatePKCECodeChallenge(oauth.randomPKCECodeVerifier())
  const theirs = await discover(denied)
  const address = oauth.buildAuthorizationUrl(theirs, { redirect_uri: redirectUri, scope: 'read', code_challenge: challenge, code_challenge_method: 'S256' })
  const returned = await browser.decide(await browser.open(address), user, 'deny')
  await assert.rejects(oauth.authorizationCodeGrant(theirs, returned, {}), refusedWith('access_denied'))
})

test('a service gets a token for itself', async () => {
  const service = await discover(register('openid-client service', { grant_types: ['client_credentials'], scope: 'read' }))
  const token = await oauth.clientCredentialsGrant(service, { scope: 'read' })
  const answer = await oauth.fetchProtectedResource(service, token.access_token, new URL(`${url}/api/resource`), 'GET')
  assert.equal(answer.status, 200)
})
