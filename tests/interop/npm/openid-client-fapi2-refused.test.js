// openid-client by FAPI 2.0: what is refused of requests, answers and bound tokens that are not as they should be.

import assert from 'node:assert/strict'
import { before, test } from 'node:test'

import * as oauth from 'openid-client'

import { Browser } from './browser.js'
import { challengedWith, newSigning } from './fapi2.js'
import { newUser } from './grantlog.js'
import { Bank, open } from './openid-client-bank.js'
import { application, ask, refusedWith, saidOf } from './openid-client.js'

let bank
let other
let user

before(async () => {
  user = newUser()
  bank = await Bank.register('openid-client of a bank that is refused')
  other = await Bank.register('openid-client of another bank')
})

const push = ({ config }, signed, DPoP = undefined) => oauth.buildAuthorizationUrlWithPAR(config, signed.searchParams, { DPoP })

test('a bound token is nothing to whoever has not its key', async () => {
  const key = await bank.newKey()
  const { access_token: token } = await bank.signIn(key, user)
  await assert.rejects(open(bank.config, token, undefined), challengedWith('invalid_token'))
  await assert.rejects(open(bank.config, token, await bank.newKey()), challengedWith('invalid_token'))
  await assert.rejects(oauth.fetchUserInfo(bank.config, token, oauth.skipSubjectCheck), challengedWith('invalid_token'))
  assert.equal((await open(bank.config, token, key)).username, user.name)
})

test('a proof is taken once, and for nothing else', async () => {
  const wrong = {}
  const key = await bank.newKey({ [oauth.modifyAssertion]: (_, claims) => Object.assign(claims, wrong) })
  const { access_token: token } = await bank.signIn(key, user)
  wrong.jti = 'once'
  await open(bank.config, token, key)
  await assert.rejects(open(bank.config, token, key), challengedWith('invalid_dpop_proof'))
  delete wrong.jti
  for (const claims of [{ htm: 'POST' }, { htu: bank.config.serverMetadata().userinfo_endpoint }, { iat: 1 }, { ath: 'another' }]) {
    Object.assign(wrong, claims)
    await assert.rejects(open(bank.config, token, key), challengedWith('invalid_dpop_proof'))
    Object.keys(claims).forEach((name) => delete wrong[name])
  }
  await open(bank.config, token, key)
})

test('a proof by RS256 is none', async () => {
  assert.ok(!bank.config.serverMetadata().dpop_signing_alg_values_supported.includes('RS256'))
  const key = oauth.getDPoPHandle(bank.config, await oauth.randomDPoPKeyPair('RS256'))
  await assert.rejects(bank.ask(key), refusedWith('invalid_dpop_proof'))
})

test('a code is nothing to whoever has not the key that it was asked with', async () => {
  const key = await bank.newKey()
  const visit = await bank.visit(key, user)
  await assert.rejects(bank.redeem(visit, await bank.newKey()), refusedWith('invalid_grant'))
  await assert.rejects(bank.redeem(visit, undefined), refusedWith('invalid_request'))
  assert.ok((await bank.redeem(visit, key)).access_token, 'the code is still good')
})

test('a request that another key signed is not taken', async () => {
  const { signing } = await newSigning()
  const { signed } = await bank.sign(signing)
  await assert.rejects(push(bank, signed), refusedWith('invalid_request_object'))
  await assert.rejects(push(bank, (await other.sign()).signed), refusedWith('invalid_request_object'))
})

test('a request that is not signed, or not pushed, is not taken', async () => {
  const { address } = await ask(bank.config, { scope: 'openid read' })
  await assert.rejects(push(bank, address), refusedWith('invalid_request'))
  const { signed, checks } = await bank.sign()
  const { address: returned } = await new Browser(application).open(signed)
  await assert.rejects(bank.redeem({ returned, checks }), refusedWith('invalid_request'))
})

test('what a bank pushed is nothing to another', async () => {
  const { address } = await bank.ask(await bank.newKey())
  address.searchParams.set('client_id', other.client.client_id)
  const page = await new Browser(application).open(address)
  assert.equal(page.status, 400)
  assert.match(page.document.getElementById('error').textContent, /invalid_request_uri/)
})

test('an assertion by another key, for another audience or for the second time proves nothing', async () => {
  const { signing } = await newSigning()
  const { token_endpoint: endpoint, issuer } = bank.config.serverMetadata()
  const changed = (claims) => ({ [oauth.modifyAssertion]: (_, own) => Object.assign(own, claims) })
  const { signed } = await bank.sign()
  for (const [key, claims] of [
    [signing, undefined],
    [bank.signing, changed({ aud: endpoint })],
    [bank.signing, changed({ aud: [issuer] })],
    [bank.signing, changed({ sub: other.client.client_id })],
    [bank.signing, changed({ exp: 1 })],
  ]) {
    const config = await bank.discover(key, claims)
    await assert.rejects(push({ config }, signed), refusedWith('invalid_client'))
  }
  const config = await bank.discover(bank.signing, changed({ jti: 'once' }))
  await push({ config }, signed)
  await assert.rejects(push({ config }, signed), refusedWith('invalid_client'))
})

test('a person who denies comes back with a signed access_denied', async () => {
  const key = await bank.newKey()
  const { returned, checks } = await bank.visit(key, newUser(), 'deny')
  assert.deepEqual([...returned.searchParams.keys()], ['response'])
  await assert.rejects(bank.redeem({ returned, checks }, key), refusedWith('access_denied'))
})

test('an answer that was tampered with, is for another bank or of another visit is refused', async () => {
  const key = await bank.newKey()
  const { returned, checks } = await bank.visit(key, user)
  await assert.rejects(bank.redeem({ returned, checks: { ...checks, expectedState: oauth.randomState() } }, key), saidOf(/"state"/))
  await assert.rejects(other.redeem({ returned, checks }, key), saidOf(/"aud"/))
  const [header, payload, signature] = returned.searchParams.get('response').split('.')
  const forged = { ...JSON.parse(Buffer.from(payload, 'base64url')), code: 'of-somebody-else' }
  const tampered = new URL(returned)
  tampered.searchParams.set('response', [header, Buffer.from(JSON.stringify(forged)).toString('base64url'), signature].join('.'))
  await assert.rejects(bank.redeem({ returned: tampered, checks }, key), saidOf(/signature/))
  assert.ok((await bank.redeem({ returned, checks }, key)).access_token, 'the code is still good')
})
