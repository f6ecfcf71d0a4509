// openid-client as a bank uses it: every request signed and pushed, every answer signed, every token bound to a key.

import * as oauth from 'openid-client'

import { Browser } from './browser.js'
import { registerBank } from './fapi2.js'
import { issuer, url } from './grantlog.js'
import { application, ask } from './openid-client.js'

/** What the client expects to be signed by; one that says nothing takes all that the server has. */
const expected = { authorization_signed_response_alg: 'ES256', id_token_signed_response_alg: 'ES256' }

export class Bank {
  static async register(name) {
    const bank = Object.assign(new Bank(), await registerBank(name))
    bank.config = await bank.discover()
    return bank
  }

  /** Has it discover the server; `signing` and `changed` are how it proves itself. */
  discover(signing = this.signing, changed = undefined) {
    return oauth.discovery(new URL(issuer), this.client.client_id, expected, oauth.PrivateKeyJwt(signing, changed), {
      execute: [oauth.allowInsecureRequests, oauth.enableNonRepudiationChecks, oauth.useJwtResponseMode],
    })
  }

  /** A key of its own to bind tokens to; `changed` is what its proofs say otherwise. */
  async newKey(changed = undefined) {
    return oauth.getDPoPHandle(this.config, await oauth.randomDPoPKeyPair('ES256'), changed)
  }

  /** The parameters of a request, in a JWT that is signed with `signing`. */
  async sign(signing = this.signing) {
    const { address, checks } = await ask(this.config, { scope: 'openid profile read' })
    return { signed: await oauth.buildAuthorizationUrlWithJAR(this.config, address.searchParams, signing), checks }
  }

  /** Where a person is sent with a pushed request, and what is to be checked when they are back. */
  async ask(DPoP) {
    const { signed, checks } = await this.sign()
    return { address: await oauth.buildAuthorizationUrlWithPAR(this.config, signed.searchParams, { DPoP }), checks }
  }

  /** A person who comes back with an answer. */
  async visit(DPoP, user, decision = 'allow') {
    const { address, checks } = await this.ask(DPoP)
    const browser = new Browser(application)
    return { returned: await browser.decide(await browser.open(address), user, decision), checks }
  }

  redeem({ returned, checks }, DPoP) {
    return oauth.authorizationCodeGrant(this.config, returned, checks, undefined, { DPoP })
  }

  async signIn(DPoP, user) {
    return this.redeem(await this.visit(DPoP, user), DPoP)
  }
}

/** What the resource answers to this token, with a proof of this key where there is one. */
export async function open(config, token, DPoP) {
  const answer = await oauth.fetchProtectedResource(config, token, new URL(`${url}/api/resource`), 'GET', null, undefined, { DPoP })
  return answer.json()
}
