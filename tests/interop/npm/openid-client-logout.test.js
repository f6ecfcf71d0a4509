// openid-client: a person is signed out (OpenID Connect RP-Initiated Logout).

import assert from 'node:assert/strict'
import { test } from 'node:test'

import * as oauth from 'openid-client'

import { Browser } from './browser.js'
import { issuer, newUser, register } from './grantlog.js'

const application = 'http://127.0.0.1:9/'
const redirectUri = `${application}callback`
const bye = `${application}bye`

test('a person is signed out for an application, and comes back to it', async () => {
  const registered = register('openid-client that signs out', { scope: 'openid', post_logout_redirect_uris: bye })
  const config = await oauth.discovery(new URL(issuer), registered.client_id, undefined, oauth.ClientSecretBasic(registered.client_secret), {
    execute: [oauth.allowInsecureRequests],
  })
  const verifier = oauth.randomPKCECodeVerifier()
  const asked = {
    redirect_uri: redirectUri,
    scope: 'openid',
    code_challenge: await oauth.calculatePKCECodeChallenge(verifier),
    code_challenge_method: 'S256',
  }
  const browser = new Browser(application)
  const returned = await browser.decide(await browser.open(oauth.buildAuthorizationUrl(config, asked)), newUser())
  const tokens = await oauth.authorizationCodeGrant(config, returned, { pkceCodeVerifier: verifier, idTokenExpected: true })

  const state = oauth.randomState()
  const out = oauth.buildEndSessionUrl(config, { id_token_hint: tokens.id_token, post_logout_redirect_uri: bye, state })
  const left = await browser.open(out)
  assert.equal(left.address.href, `${bye}?state=${state}`)

  await assert.rejects(oauth.refreshTokenGrant(config, tokens.refresh_token), (error) => error.error === 'invalid_grant')
  const again = await browser.open(oauth.buildAuthorizationUrl(config, asked))
  assert.ok(again.document.getElementById('login'), 'the person is not signed in any more')
})

test('a place that is not registered is refused on a page', async () => {
  const registered = register('openid-client that signs out elsewhere', { scope: 'openid', post_logout_redirect_uris: bye })
  const config = await oauth.discovery(new URL(issuer), registered.client_id, undefined, oauth.ClientSecretBasic(registered.client_secret), {
    execute: [oauth.allowInsecureRequests],
  })
  const page = await new Browser(application).open(oauth.buildEndSessionUrl(config, { post_logout_redirect_uri: `${bye}2` }))
  assert.equal(page.status, 400)
  assert.match(page.document.getElementById('error').textContent, /post_logout_redirect_uri/)
})
