// openid-client on a device (RFC 8628): it asks, a person lets it in elsewhere, and it gets its tokens.

import assert from 'node:assert/strict'
import { before, test } from 'node:test'

import * as oauth from 'openid-client'

import { Browser } from './browser.js'
import { issuer, newUser, register, url } from './grantlog.js'
import { application, discover, refusedWith } from './openid-client.js'

const GRANT_TYPE = 'urn:ietf:params:oauth:grant-type:device_code'

let config
let user

before(async () => {
  user = newUser()
  config = await discover(register('openid-client on a television', { grant_types: [GRANT_TYPE, 'refresh_token'], scope: 'openid read' }))
})

/** The person follows the link that the device shows, looks, and decides. */
async function decide(device, decision) {
  const browser = new Browser(application)
  let page = await browser.open(device.verification_uri_complete)
  page = await browser.press(page, 'login', { username: user.name, password: user.password })
  page = await browser.press(page, 'next')
  assert.equal(page.document.getElementById('user_code').textContent, device.user_code)
  return browser.press(page, decision)
}

test('a device is let in while it polls, refreshes, and knows who let it in', async () => {
  const device = await oauth.initiateDeviceAuthorization(config, { scope: 'openid read' })
  assert.equal(device.verification_uri, `${issuer}/device/`)
  const [tokens, page] = await Promise.all([oauth.pollDeviceAuthorizationGrant(config, device), decide(device, 'allow')])
  assert.ok(page.document.getElementById('device_allowed'))
  assert.equal(tokens.claims().aud, config.clientMetadata().client_id)
  const answer = await oauth.fetchProtectedResource(config, tokens.access_token, new URL(`${url}/api/resource`), 'GET')
  assert.equal((await answer.json()).username, user.name)
  const second = await oauth.refreshTokenGrant(config, tokens.refresh_token)
  assert.equal((await oauth.tokenIntrospection(config, second.access_token)).active, true)
})

test('a device that is denied is told so', async () => {
  const device = await oauth.initiateDeviceAuthorization(config, { scope: 'read' })
  assert.ok((await decide(device, 'deny')).document.getElementById('device_denied'))
  await assert.rejects(oauth.pollDeviceAuthorizationGrant(config, device), refusedWith('access_denied'))
})

test('a public client needs no secret', async () => {
  const registered = register('openid-client on a printer', { grant_types: [GRANT_TYPE], scope: 'read', token_endpoint_auth_method: 'none' })
  const printer = await oauth.discovery(new URL(issuer), registered.client_id, undefined, oauth.None(), {
    algorithm: 'oauth2',
    execute: [oauth.allowInsecureRequests],
  })
  const device = await oauth.initiateDeviceAuthorization(printer, { scope: 'read' })
  await decide(device, 'allow')
  const tokens = await oauth.pollDeviceAuthorizationGrant(printer, device)
  assert.equal(tokens.refresh_token, undefined)
  const answer = await oauth.fetchProtectedResource(printer, tokens.access_token, new URL(`${url}/api/resource`), 'GET')
  assert.equal(answer.status, 200)
})
