// oauth4webapi by OpenID Connect, step by step: a person signs in, the tokens are refreshed and revoked, the person is signed out.

import assert from 'node:assert/strict'
import { before, test } from 'node:test'

import * as oauth from 'oauth4webapi'

import { Browser } from './browser.js'
import { issuer, newUser, register } from './grantlog.js'

const insecure = { [oauth.allowInsecureRequests]: true }
const application = 'http://127.0.0.1:9/'
const redirectUri = `${application}callback`
const bye = `${application}bye`
let server
let client
let user

before(async () => {
  const answer = await oauth.discoveryRequest(new URL(issuer), { algorithm: 'oidc', ...insecure })
  server = await oauth.processDiscoveryResponse(new URL(issuer), answer)
  client = register('oauth4webapi by OpenID Connect', { scope: 'openid profile', post_logout_redirect_uris: bye })
  user = newUser()
})

/** One sign-in, from the request on; `changed` is what is told wrongly when the person is back. */
class SignIn {
  constructor(browser = new Browser(application)) {
    Object.assign(this, { browser, state: oauth.generateRandomState(), nonce: oauth.generateRandomNonce(), verifier: oauth.generateRandomCodeVerifier() })
  }

  async address(redirect_uri = redirectUri) {
    const asked = {
      client_id: client.client_id,
      redirect_uri,
      response_type: 'code',
      scope: 'openid profile',
      state: this.state,
      nonce: this.nonce,
      code_challenge: await oauth.calculatePKCECodeChallenge(this.verifier),
      code_challenge_method: 'S256',
    }
    return `${server.authorization_endpoint}?${new URLSearchParams(asked)}`
  }

  async come() {
    this.returned = await this.browser.decide(await this.browser.open(await this.address()), user)
    return this
  }

  async tokens(changed = {}) {
    const { state, nonce, verifier, secret } = { ...this, secret: client.client_secret, ...changed }
    const parameters = oauth.validateAuthResponse(server, client, this.returned, state)
    const authentication = oauth.ClientSecretBasic(secret)
    const answer = await oauth.authorizationCodeGrantRequest(server, client, authentication, parameters, redirectUri, verifier, insecure)
    const tokens = await oauth.processAuthorizationCodeResponse(server, client, answer, { expectedNonce: nonce, requireIdToken: true })
    await oauth.validateApplicationLevelSignature(server, answer, insecure)
    return tokens
  }
}

const authentication = () => oauth.ClientSecretBasic(client.client_secret)

async function refresh(token) {
  const answer = await oauth.refreshTokenGrantRequest(server, client, authentication(), token, insecure)
  return oauth.processRefreshTokenResponse(server, client, answer)
}

async function userinfo(tokens, subject) {
  const answer = await oauth.userInfoRequest(server, client, tokens.access_token, insecure)
  return oauth.processUserInfoResponse(server, client, subject, answer)
}

const refusedWith = (code) => (error) => error.error === code

test('a person signs in, is told of, and their tokens are refreshed', async () => {
  const first = await (await new SignIn().come()).tokens()
  const { sub } = oauth.getValidatedIdTokenClaims(first)
  assert.equal((await userinfo(first, sub)).preferred_username, user.name)
  const second = await refresh(first.refresh_token)
  assert.equal(oauth.getValidatedIdTokenClaims(second).sub, sub)
  assert.notEqual(second.refresh_token, first.refresh_token)
})

test('a revoked token tells nothing any more, and refreshes nothing', async () => {
  const tokens = await (await new SignIn().come()).tokens()
  const answer = await oauth.revocationRequest(server, client, authentication(), tokens.refresh_token, insecure)
  await oauth.processRevocationResponse(answer)
  await assert.rejects(userinfo(tokens, oauth.skipSubjectCheck), (error) => error.status === 401)
  await assert.rejects(refresh(tokens.refresh_token), refusedWith('invalid_grant'))
})

test('a person is signed out, and comes back', async () => {
  const visit = await new SignIn().come()
  const tokens = await visit.tokens()
  const asked = new URLSearchParams({ id_token_hint: tokens.id_token, post_logout_redirect_uri: bye, state: 'out' })
  const left = await visit.browser.open(`${server.end_session_endpoint}?${asked}`)
  assert.equal(left.address.href, `${bye}?state=out`)
  await assert.rejects(refresh(tokens.refresh_token), refusedWith('invalid_grant'))
  const again = await visit.browser.open(await new SignIn().address())
  assert.ok(again.document.getElementById('login'), 'the person is not signed in any more')
})

test('a wrong secret, a wrong verifier and a replayed code are refused', async () => {
  await assert.rejects((await new SignIn().come()).tokens({ secret: 'wrong' }), (error) => error.status === 401)
  const wrong = oauth.generateRandomCodeVerifier()
  await assert.rejects((await new SignIn().come()).tokens({ verifier: wrong }), refusedWith('invalid_grant'))
  const visit = await new SignIn().come()
  const tokens = await visit.tokens()
  await assert.rejects(visit.tokens(), refusedWith('invalid_grant'))
  await assert.rejects(userinfo(tokens, oauth.skipSubjectCheck), (error) => error.status === 401)
})

test('a redirect URI that is not registered is a page, and nobody is sent there', async () => {
  const page = await new Browser(application).open(await new SignIn().address(`${redirectUri}/other`))
  assert.equal(page.status, 400)
  assert.match(page.document.getElementById('error').textContent, /redirect_uri/)
})

test('a state and a nonce that are not its own are refused', async () => {
  const visit = await new SignIn().come()
  await assert.rejects(visit.tokens({ state: oauth.generateRandomState() }), /unexpected "state"/)
  await assert.rejects(visit.tokens({ nonce: oauth.generateRandomNonce() }), /"nonce"/)
})
