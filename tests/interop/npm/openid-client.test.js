// openid-client: discovery by RFC 8414 and OpenID Connect, code with PKCE, ID tokens and userinfo, refresh, revocation, introspection.

import assert from 'node:assert/strict'
import { before, test } from 'node:test'

import * as oauth from 'openid-client'

import { Browser } from './browser.js'
import { issuer, newUser, register, url } from './grantlog.js'
import { application, authorize, discover, refusedWith, registerForOpenId, signIn } from './openid-client.js'

let config
let user

before(async () => {
  user = newUser()
  config = await discover(register('openid-client'))
})

test('discovery finds every endpoint', () => {
  const metadata = config.serverMetadata()
  assert.equal(metadata.issuer, issuer)
  assert.equal(metadata.token_endpoint, `${issuer}/token/`)
  assert.equal(metadata.authorization_response_iss_parameter_supported, true)
})

test('a code is exchanged, the resource opened, the token refreshed and revoked', async () => {
  const { returned, checks } = await authorize(config, user)
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
    const first = await signIn(openid, user)
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
  const browser = new Browser(application)
  const { returned, checks } = await authorize(openid, user, { scope: 'openid', claims, max_age: '3600' }, browser)
  const tokens = await oauth.authorizationCodeGrant(openid, returned, { ...checks, maxAge: 3600 })
  const { sub, preferred_username: name } = tokens.claims()
  assert.equal(name, user.name)
  assert.equal((await oauth.fetchUserInfo(openid, tokens.access_token, sub)).preferred_username, user.name)

  const silently = { scope: 'openid', prompt: 'none', id_token_hint: tokens.id_token }
  assert.equal((await signIn(openid, user, silently, browser)).claims().sub, sub)
  await assert.rejects(signIn(openid, user, silently), refusedWith('login_required'))
})

test('a pairwise client knows a user by an id of its own, and reads signed userinfo', async () => {
  const openid = await registerForOpenId('openid-client that is pairwise', { subject_type: 'pairwise', userinfo_signed_response_alg: 'PS256' })
  const everybody = await registerForOpenId('openid-client that is public')
  const subjects = []
  for (const theirs of [openid, everybody]) {
    const tokens = await signIn(theirs, user)
    const { sub } = tokens.claims()
    assert.equal((await oauth.fetchUserInfo(theirs, tokens.access_token, sub)).preferred_username, user.name)
    subjects.push(sub)
  }
  assert.notEqual(subjects[0], subjects[1])
})

test('a service gets a token for itself', async () => {
  const service = await discover(register('openid-client service', { grant_types: ['client_credentials'], scope: 'read' }))
  const token = await oauth.clientCredentialsGrant(service, { scope: 'read' })
  const answer = await oauth.fetchProtectedResource(service, token.access_token, new URL(`${url}/api/resource`), 'GET')
  assert.equal(answer.status, 200)
})
