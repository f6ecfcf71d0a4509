// openid-client as an application uses it: registered at grantlog, and sending people there.

import * as oauth from 'openid-client'

import { Browser } from './browser.js'
import { issuer, register } from './grantlog.js'

export const application = 'http://127.0.0.1:9/'
export const redirectUri = `${application}callback`

/** By OAuth's metadata (RFC 8414). */
export function discover(registered, secret = registered.client_secret) {
  return oauth.discovery(new URL(issuer), registered.client_id, undefined, oauth.ClientSecretBasic(secret), {
    algorithm: 'oauth2',
    execute: [oauth.allowInsecureRequests],
  })
}

/** By OpenID Connect, with signatures verified; `metadata` is what the client was registered with. */
export async function registerForOpenId(name, metadata = {}) {
  const registered = register(name, { scope: 'openid profile', ...metadata })
  return oauth.discovery(new URL(issuer), registered.client_id, metadata, oauth.ClientSecretBasic(registered.client_secret), {
    execute: [oauth.allowInsecureRequests, oauth.enableNonRepudiationChecks],
  })
}

/** The address that asks for authorization, and what is to be checked when the person is back. */
export async function ask(config, parameters = {}) {
  const checks = { pkceCodeVerifier: oauth.randomPKCECodeVerifier(), expectedState: oauth.randomState() }
  const asked = { redirect_uri: redirectUri, scope: 'read', state: checks.expectedState, ...parameters }
  if (asked.scope.includes('openid')) Object.assign(checks, { expectedNonce: asked.nonce ?? oauth.randomNonce(), idTokenExpected: true })
  const address = oauth.buildAuthorizationUrl(config, {
    ...asked,
    ...(checks.expectedNonce && { nonce: checks.expectedNonce }),
    code_challenge: await oauth.calculatePKCECodeChallenge(checks.pkceCodeVerifier),
    code_challenge_method: 'S256',
  })
  return { address, checks }
}

/** Sends a person with an authorization request; gives where they come back, and what is to be checked there. */
export async function authorize(config, user, parameters = {}, browser = new Browser(application), decision = 'allow') {
  const { address, checks } = await ask(config, parameters)
  return { returned: await browser.decide(await browser.open(address), user, decision), checks }
}

/** The tokens of a person who signs in and allows. */
export async function signIn(config, user, parameters = {}, browser = undefined) {
  const { returned, checks } = await authorize(config, user, { scope: 'openid profile', ...parameters }, browser)
  return oauth.authorizationCodeGrant(config, returned, checks)
}

export const refusedWith = (code) => (error) => (error.error ?? error.cause?.error) === code

/** What the client says of an answer that it refuses itself is in the cause. */
export const saidOf = (pattern) => (error) => pattern.test(error.cause?.message ?? error.message)
