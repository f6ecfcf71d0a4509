// openid-client: what grantlog refuses it, and what it refuses itself of answers that are not meant for it.

import assert from 'node:assert/strict'
import { before, test } from 'node:test'

import * as oauth from 'openid-client'

import { Browser } from './browser.js'
import { newUser, register } from './grantlog.js'
import { application, ask, authorize, discover, redirectUri, refusedWith, registerForOpenId, saidOf, signIn } from './openid-client.js'

let client
let config
let openid
let user

before(async () => {
  user = newUser()
  client = register('openid-client that is refused')
  config = await discover(client)
  openid = await registerForOpenId('openid-client that is refused too')
})

test('a wrong verifier is refused', async () => {
  const { returned, checks } = await authorize(config, user)
  const wrong = { ...checks, pkceCodeVerifier: oauth.randomPKCECodeVerifier() }
  await assert.rejects(oauth.authorizationCodeGrant(config, returned, wrong), refusedWith('invalid_grant'))
})

test('a replayed code is refused, and ends what it gave', async () => {
  const { returned, checks } = await authorize(config, user)
  const tokens = await oauth.authorizationCodeGrant(config, returned, checks)
  await assert.rejects(oauth.authorizationCodeGrant(config, returned, checks), refusedWith('invalid_grant'))
  assert.deepEqual(await oauth.tokenIntrospection(config, tokens.access_token), { active: false })
})

test('a wrong secret is refused', async () => {
  const liar = await discover(client, 'wrong')
  const { returned, checks } = await authorize(config, user)
  await assert.rejects(oauth.authorizationCodeGrant(liar, returned, checks), (error) => error.status === 401)
})

test('a person who denies comes back with access_denied', async () => {
  const denied = await discover(register('openid-client that is denied'))
  const { returned, checks } = await authorize(denied, user, {}, undefined, 'deny')
  await assert.rejects(oauth.authorizationCodeGrant(denied, returned, checks), refusedWith('access_denied'))
})

test('a redirect URI that is not registered is a page, and nobody is sent there', async () => {
  const { address } = await ask(config, { redirect_uri: `${redirectUri}/other` })
  const page = await new Browser(application).open(address)
  assert.equal(page.status, 400)
  assert.match(page.document.getElementById('error').textContent, /redirect_uri/)
})

test('a state that is not its own is refused before the code is sent anywhere', async () => {
  const { returned, checks } = await authorize(config, user)
  const other = { ...checks, expectedState: oauth.randomState() }
  await assert.rejects(oauth.authorizationCodeGrant(config, returned, other), saidOf(/"state"/))
  assert.ok((await oauth.authorizationCodeGrant(config, returned, checks)).access_token, 'the code is still good')
})

test('an answer of another issuer is refused', async () => {
  const { returned, checks } = await authorize(config, user)
  returned.searchParams.set('iss', 'https://attacker.example/o')
  await assert.rejects(oauth.authorizationCodeGrant(config, returned, checks), saidOf(/"iss"/))
})

test('an ID token of another sign-in is refused by its nonce', async () => {
  const { returned, checks } = await authorize(openid, user, { scope: 'openid' })
  const other = { ...checks, expectedNonce: oauth.randomNonce() }
  await assert.rejects(oauth.authorizationCodeGrant(openid, returned, other), saidOf(/"nonce"/))
})

/** What a token endpoint in the middle could try: grantlog's answer, with another ID token in it. */
async function exchangeWith(idToken, { returned, checks }) {
  const deceived = await oauth.discovery(new URL(openid.serverMetadata().issuer), openid.clientMetadata().client_id, undefined, oauth.None(), {
    execute: [oauth.allowInsecureRequests, oauth.enableNonRepudiationChecks],
  })
  deceived[oauth.customFetch] = async (address, options) => {
    const answer = await fetch(address, options)
    if (!address.endsWith('/token/')) return answer
    const told = { access_token: 'anything', token_type: 'Bearer', id_token: idToken }
    return new Response(JSON.stringify(told), { headers: { 'content-type': 'application/json' } })
  }
  return oauth.authorizationCodeGrant(deceived, returned, checks)
}

test('an ID token for another application is refused by its audience', async () => {
  const other = await registerForOpenId('openid-client of somebody else')
  const visit = await authorize(openid, user, { scope: 'openid' })
  const theirs = await signIn(other, user, { nonce: visit.checks.expectedNonce })
  await assert.rejects(exchangeWith(theirs.id_token, visit), saidOf(/"aud"/))
})

test('an ID token that was tampered with is refused by its signature', async () => {
  const visit = await authorize(openid, user, { scope: 'openid' })
  const mine = await signIn(openid, user, { nonce: visit.checks.expectedNonce })
  const [header, payload, signature] = mine.id_token.split('.')
  const forged = { ...JSON.parse(Buffer.from(payload, 'base64url')), sub: 'somebody-else' }
  const tampered = [header, Buffer.from(JSON.stringify(forged)).toString('base64url'), signature].join('.')
  await assert.rejects(exchangeWith(tampered, visit), saidOf(/signature/))
})
