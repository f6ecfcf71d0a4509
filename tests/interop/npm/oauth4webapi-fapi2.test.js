// oauth4webapi by FAPI 2.0, step by step: the pushed request, the signed answer, the bound tokens, and a resource server that checks their proofs.

import assert from 'node:assert/strict'
import { before, test } from 'node:test'

import * as oauth from 'oauth4webapi'

import { Browser } from './browser.js'
import { challengedWith, demandsNonces, newSigning, registerBank, registerWithKey } from './fapi2.js'
import { issuer, newUser, url } from './grantlog.js'

const insecure = { [oauth.allowInsecureRequests]: true }
const application = 'http://127.0.0.1:9/'
const redirectUri = `${application}callback`
const resource = new URL(`${url}/api/resource`)
let server
let bank
let user

before(async () => {
  const answer = await oauth.discoveryRequest(new URL(issuer), { algorithm: 'oidc', ...insecure })
  server = await oauth.processDiscoveryResponse(new URL(issuer), answer)
  bank = known(await registerBank('oauth4webapi of a bank'))
  user = newUser()
})

/** A client that takes answers of this algorithm alone, and how it proves itself. */
function known({ client: { client_id }, signing }, algorithm = 'ES256') {
  const client = { client_id, authorization_signed_response_alg: algorithm }
  return { client, signing, authentication: oauth.PrivateKeyJwt(signing) }
}

const newKey = async ({ client } = bank) => oauth.DPoP(client, await oauth.generateKeyPair('ES256'))

/** Sends a request, and once more with the nonce that was asked for: the second is another request, with another proof and assertion. */
async function withNonce(send) {
  try {
    return await send()
  } catch (error) {
    if (!demandsNonces || !oauth.isDPoPNonceError(error)) throw error
    return send()
  }
}

/** One sign-in with a key, from the request on. */
class SignIn {
  state = oauth.generateRandomState()
  nonce = oauth.generateRandomNonce()
  verifier = oauth.generateRandomCodeVerifier()

  constructor(DPoP, own = bank) {
    Object.assign(this, { DPoP, ...own })
  }

  async request(signing = this.signing) {
    const asked = {
      redirect_uri: redirectUri,
      response_type: 'code',
      response_mode: 'jwt',
      scope: 'openid profile read',
      state: this.state,
      nonce: this.nonce,
      code_challenge: await oauth.calculatePKCECodeChallenge(this.verifier),
      code_challenge_method: 'S256',
    }
    return oauth.issueRequestObject(server, this.client, asked, signing)
  }

  /** Where the browser is sent. */
  async push(signing = this.signing) {
    const request = await this.request(signing)
    const { request_uri } = await withNonce(async () => {
      const options = { DPoP: this.DPoP, ...insecure }
      const answer = await oauth.pushedAuthorizationRequest(server, this.client, this.authentication, { request }, options)
      return oauth.processPushedAuthorizationResponse(server, this.client, answer)
    })
    return `${server.authorization_endpoint}?${new URLSearchParams({ client_id: this.client.client_id, request_uri })}`
  }

  async come() {
    const browser = new Browser(application)
    this.returned = await browser.decide(await browser.open(await this.push()), user)
    return this
  }

  async tokens(DPoP = this.DPoP, returned = this.returned) {
    const parameters = await oauth.validateJwtAuthResponse(server, this.client, returned, this.state, insecure)
    return withNonce(async () => {
      const options = { DPoP, ...insecure }
      const answer = await oauth.authorizationCodeGrantRequest(server, this.client, this.authentication, parameters, redirectUri, this.verifier, options)
      const tokens = await oauth.processAuthorizationCodeResponse(server, this.client, answer, { expectedNonce: this.nonce, requireIdToken: true })
      await oauth.validateApplicationLevelSignature(server, answer, insecure)
      return tokens
    })
  }
}

function refresh(token, DPoP) {
  return withNonce(async () => {
    const answer = await oauth.refreshTokenGrantRequest(server, bank.client, bank.authentication, token, { DPoP, ...insecure })
    return oauth.processRefreshTokenResponse(server, bank.client, answer)
  })
}

const open = (token, DPoP) => withNonce(() => oauth.protectedResourceRequest(token, 'GET', resource, undefined, null, { DPoP, ...insecure }))
const refusedWith = (code) => (error) => error.error === code

test('a bank signs a person in, is told of them, refreshes with another key and revokes', async () => {
  const [key, other] = [await newKey(), await newKey()]
  const first = await (await new SignIn(key).come()).tokens()
  assert.equal(first.token_type, 'dpop')
  const { sub } = oauth.getValidatedIdTokenClaims(first)
  const told = await withNonce(async () => {
    const answer = await oauth.userInfoRequest(server, bank.client, first.access_token, { DPoP: key, ...insecure })
    return oauth.processUserInfoResponse(server, bank.client, sub, answer)
  })
  assert.equal(told.preferred_username, user.name)
  const second = await refresh(first.refresh_token, other)
  assert.equal((await (await open(second.access_token, other)).json()).username, user.name)
  await assert.rejects(open(second.access_token, key), challengedWith('invalid_token'))

  const answer = await oauth.revocationRequest(server, bank.client, bank.authentication, first.refresh_token, insecure)
  await oauth.processRevocationResponse(answer)
  await assert.rejects(open(second.access_token, other), challengedWith('invalid_token'))
  await assert.rejects(refresh(first.refresh_token, other), refusedWith('invalid_grant'))
})

test('a nonce is demanded of a first proof alone, and comes with every answer, where the server demands any', async () => {
  const DPoP = await newKey()
  const visit = new SignIn(DPoP)
  for (const refused of [demandsNonces, false]) {
    const parameters = { request: await visit.request() }
    const answer = await oauth.pushedAuthorizationRequest(server, bank.client, bank.authentication, parameters, { DPoP, ...insecure })
    assert.equal(answer.headers.has('dpop-nonce'), demandsNonces)
    const told = await oauth.processPushedAuthorizationResponse(server, bank.client, answer).catch((error) => error)
    assert.equal(oauth.isDPoPNonceError(told), refused)
  }
})

test('a resource server verifies a bound token with its proof, and no proof of another key', async () => {
  const key = await newKey()
  const { access_token: token } = await (await new SignIn(key).come()).tokens()
  const shown = async (DPoP) => {
    const headers = new Headers({ authorization: `DPoP ${token}` })
    await DPoP.addProof(resource, headers, 'GET', token)
    return oauth.validateJwtAccessToken(server, new Request(resource, { headers }), url, { requireDPoP: true, ...insecure })
  }
  const claims = await shown(key)
  assert.equal(claims.cnf.jkt, await key.calculateThumbprint())
  await assert.rejects(shown(await newKey()), /confirmation mismatch/)
  const bearer = new Request(resource, { headers: { authorization: `Bearer ${token}` } })
  await assert.rejects(oauth.validateJwtAccessToken(server, bearer, url, insecure), /no DPoP HTTP Header/)
  assert.equal((await fetch(bearer)).status, 401)
})

test('a code and a bound token are nothing to whoever has not the key', async () => {
  const key = await newKey()
  const visit = await new SignIn(key).come()
  await assert.rejects(visit.tokens(await newKey()), refusedWith('invalid_grant'))
  const { access_token: token } = await visit.tokens()
  await assert.rejects(open(token, undefined), challengedWith('invalid_token'))
  await assert.rejects(open(token, await newKey()), challengedWith('invalid_token'))
})

test('a request that another key signed, and an assertion by another, are refused', async () => {
  const { signing } = await newSigning()
  await assert.rejects(new SignIn(await newKey()).push(signing), refusedWith('invalid_request_object'))
  const liar = { ...bank, authentication: oauth.PrivateKeyJwt(signing) }
  await assert.rejects(new SignIn(await newKey(), liar).push(), refusedWith('invalid_client'))
})

for (const algorithm of ['ES256', 'EdDSA', 'RS256', 'PS256']) {
  test(`an answer signed with ${algorithm} is verified, and none that was tampered with`, async () => {
    const registered = await registerWithKey(`oauth4webapi answered by ${algorithm}`, { authorization_signed_response_alg: algorithm })
    const own = known(registered, algorithm)
    const visit = await new SignIn(await newKey(own), own).come()
    const [head, payload, signature] = visit.returned.searchParams.get('response').split('.')
    const another = Buffer.from(signature, 'base64url').reverse().toString('base64url')
    const tampered = new URLSearchParams({ response: `${head}.${payload}.${another}` })
    await assert.rejects(visit.tokens(visit.DPoP, tampered), /signature/)
    assert.equal((await visit.tokens()).token_type, 'dpop')
  })
}
