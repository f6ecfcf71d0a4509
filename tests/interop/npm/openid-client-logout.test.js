// openid-client: a person is signed out (OpenID Connect RP-Initiated Logout).

import assert from 'node:assert/strict'
import { test } from 'node:test'

import * as oauth from 'openid-client'

import { Browser } from './browser.js'
import { newUser } from './grantlog.js'
import { application, ask, refusedWith, registerForOpenId, signIn } from './openid-client.js'

const bye = `${application}bye`

test('a person is signed out for an application, and comes back to it', async () => {
  const config = await registerForOpenId('openid-client that signs out', { post_logout_redirect_uris: bye })
  const browser = new Browser(application)
  const tokens = await signIn(config, newUser(), {}, browser)

  const state = oauth.randomState()
  const out = oauth.buildEndSessionUrl(config, { id_token_hint: tokens.id_token, post_logout_redirect_uri: bye, state })
  const left = await browser.open(out)
  assert.equal(left.address.href, `${bye}?state=${state}`)

  await assert.rejects(oauth.refreshTokenGrant(config, tokens.refresh_token), refusedWith('invalid_grant'))
  const again = await browser.open((await ask(config, { scope: 'openid' })).address)
  assert.ok(again.document.getElementById('login'), 'the person is not signed in any more')
})

test('a place that is not registered is refused on a page', async () => {
  const config = await registerForOpenId('openid-client that signs out elsewhere', { post_logout_redirect_uris: bye })
  const page = await new Browser(application).open(oauth.buildEndSessionUrl(config, { post_logout_redirect_uri: `${bye}2` }))
  assert.equal(page.status, 400)
  assert.match(page.document.getElementById('error').textContent, /post_logout_redirect_uri/)
})
