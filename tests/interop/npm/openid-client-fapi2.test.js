// openid-client by FAPI 2.0: requests signed (RFC 9101) and pushed (RFC 9126), answers signed (JARM), tokens bound to a key (RFC 9449); and by
// each of these alone.

import assert from 'node:assert/strict'
import { before, test } from 'node:test'

import * as oauth from 'openid-client'

import { Browser } from './browser.js'
import { challengedWith, demandsNonces, registerWithKey } from './fapi2.js'
import { issuer, newUser, register } from './grantlog.js'
import { Bank, open } from './openid-client-bank.js'
import { application, ask, authorize, discover, refusedWith } from './openid-client.js'

const insecure = { execute: [oauth.allowInsecureRequests] }
let user

before(() => {
  user = newUser()
})

test('a bank signs a person in, opens the resource, refreshes with another key and revokes', async () => {
  const bank = await Bank.register('openid-client of a bank')
  const [key, other] = [await bank.newKey(), await bank.newKey()]
  const first = await bank.signIn(key, user)
  assert.equal(first.token_type, 'dpop')
  const { sub } = first.claims()
  assert.equal((await oauth.fetchUserInfo(bank.config, first.access_token, sub, { DPoP: key })).preferred_username, user.name)
  assert.equal((await open(bank.config, first.access_token, key)).username, user.name)

  const second = await oauth.refreshTokenGrant(bank.config, first.refresh_token, undefined, { DPoP: other })
  assert.equal(second.refresh_token, undefined, 'its refresh token stays the same')
  assert.equal(second.claims().sub, sub)
  assert.equal((await open(bank.config, second.access_token, other)).username, user.name)
  const told = await oauth.tokenIntrospection(bank.config, second.access_token)
  assert.deepEqual([told.token_type, told.cnf], ['DPoP', { jkt: await other.calculateThumbprint() }])

  await oauth.tokenRevocation(bank.config, first.refresh_token)
  await assert.rejects(open(bank.config, second.access_token, other), challengedWith('invalid_token'))
  const again = oauth.refreshTokenGrant(bank.config, first.refresh_token, undefined, { DPoP: other })
  await assert.rejects(again, refusedWith('invalid_grant'))
})

test('a browser carries nothing but the name of what was pushed, and a signed answer', async () => {
  const bank = await Bank.register('openid-client of a bank that says little')
  const { address } = await bank.ask(await bank.newKey())
  assert.deepEqual([...address.searchParams.keys()].sort(), ['client_id', 'request_uri'])
  const browser = new Browser(application)
  const returned = await browser.decide(await browser.open(address), user)
  assert.deepEqual([...returned.searchParams.keys()], ['response'])
})

test('a key meets the demand for a nonce once at most, and comes with it from then on', async () => {
  const bank = await Bank.register('openid-client of a bank with nonces')
  let demands = 0
  bank.config[oauth.customFetch] = async (address, options) => {
    const answer = await fetch(address, options)
    if (!answer.ok && (await answer.clone().json()).error === 'use_dpop_nonce') demands += 1
    return answer
  }
  const key = await bank.newKey()
  const tokens = await bank.signIn(key, user)
  await open(bank.config, tokens.access_token, key)
  assert.equal(demands, demandsNonces ? 1 : 0, 'at the endpoint for pushed requests')
  await assert.rejects(open(bank.config, tokens.access_token, await bank.newKey()), challengedWith('invalid_token'))
  assert.equal(demands, demandsNonces ? 2 : 0, 'at the resource')
})

for (const algorithm of ['RS256', 'PS256', 'ES256', 'EdDSA']) {
  test(`a signed request, its answer and an assertion by ${algorithm}, and a proof as strong`, async () => {
    const metadata = { authorization_signed_response_alg: algorithm, id_token_signed_response_alg: algorithm }
    const { client, signing } = await registerWithKey(`openid-client that signs by ${algorithm}`, metadata, algorithm)
    // What an Ed25519 key signs it calls by that (RFC 9864), and what we sign, EdDSA.
    const config = await oauth.discovery(new URL(issuer), client.client_id, metadata, oauth.PrivateKeyJwt(signing), {
      execute: [oauth.allowInsecureRequests, oauth.enableNonRepudiationChecks, oauth.useJwtResponseMode],
    })
    const DPoP = oauth.getDPoPHandle(config, await oauth.randomDPoPKeyPair(algorithm === 'RS256' ? 'PS256' : algorithm))
    const { address, checks } = await ask(config, { scope: 'openid read' })
    const signed = await oauth.buildAuthorizationUrlWithJAR(config, address.searchParams, signing)
    const browser = new Browser(application)
    const returned = await browser.decide(await browser.open(signed), user)
    const tokens = await oauth.authorizationCodeGrant(config, returned, checks, undefined, { DPoP })
    assert.equal((await open(config, tokens.access_token, DPoP)).sub, tokens.claims().sub)
  })
}

test('an ordinary client pushes its request, and is answered plainly', async () => {
  const config = await discover(register('openid-client that pushes', { require_pushed_authorization_requests: true }))
  const { address, checks } = await ask(config)
  const browser = new Browser(application)
  const pushed = await oauth.buildAuthorizationUrlWithPAR(config, address.searchParams)
  const returned = await browser.decide(await browser.open(pushed), user)
  assert.equal((await oauth.authorizationCodeGrant(config, returned, checks)).token_type, 'bearer')
  const { returned: refused, checks: others } = await authorize(config, user)
  await assert.rejects(oauth.authorizationCodeGrant(config, refused, others), refusedWith('invalid_request'))
})

test('an application without a secret refreshes with the key of its first use alone', async () => {
  const { client_id: id } = register('openid-client without a secret', { token_endpoint_auth_method: 'none' })
  const config = await oauth.discovery(new URL(issuer), id, undefined, oauth.None(), insecure)
  const [DPoP, other] = [await oauth.randomDPoPKeyPair(), await oauth.randomDPoPKeyPair()].map((pair) => oauth.getDPoPHandle(config, pair))
  const { returned, checks } = await authorize(config, user)
  const first = await oauth.authorizationCodeGrant(config, returned, checks, undefined, { DPoP })
  const second = await oauth.refreshTokenGrant(config, first.refresh_token, undefined, { DPoP })
  for (const stolen of [{ DPoP: other }, undefined]) {
    await assert.rejects(oauth.refreshTokenGrant(config, second.refresh_token, undefined, stolen), refusedWith('invalid_grant'))
  }
  const third = await oauth.refreshTokenGrant(config, second.refresh_token, undefined, { DPoP })
  assert.equal((await open(config, third.access_token, DPoP)).username, user.name)
})
