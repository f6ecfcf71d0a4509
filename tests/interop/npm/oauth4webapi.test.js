// oauth4webapi and jose: the access token as a JWT of RFC 9068, checked as a resource server does, in each algorithm.

import assert from 'node:assert/strict'
import { before, test } from 'node:test'

import * as jose from 'jose'
import * as oauth from 'oauth4webapi'

import { issuer, register, url } from './grantlog.js'

const insecure = { [oauth.allowInsecureRequests]: true }
let server

before(async () => {
  const answer = await oauth.discoveryRequest(new URL(issuer), { algorithm: 'oauth2', ...insecure })
  server = await oauth.processDiscoveryResponse(new URL(issuer), answer)
})

function service(name, metadata = {}) {
  return register(name, { grant_types: ['client_credentials'], scope: 'read', ...metadata })
}

async function tokenOf(client, secret = client.client_secret) {
  const answer = await oauth.clientCredentialsGrantRequest(server, client, oauth.ClientSecretBasic(secret), { scope: 'read' }, insecure)
  return oauth.processClientCredentialsResponse(server, client, answer)
}

function resourceRequest(token) {
  return new Request(`${url}/api/resource`, { headers: { authorization: `Bearer ${token}` } })
}

for (const algorithm of ['ES256', 'EdDSA', 'RS256', 'PS256']) {
  test(`a resource server verifies a token signed with ${algorithm}`, async () => {
    const client = service(`oauth4webapi ${algorithm}`, { access_token_signed_response_alg: algorithm })
    const { access_token: token } = await tokenOf(client)
    const keys = jose.createRemoteJWKSet(new URL(server.jwks_uri))
    const { payload, protectedHeader } = await jose.jwtVerify(token, keys, { issuer, audience: url, typ: 'at+jwt' })
    assert.equal(protectedHeader.alg, algorithm)
    assert.equal(payload.client_id, client.client_id)
    if (algorithm !== 'EdDSA') {
      const claims = await oauth.validateJwtAccessToken(server, resourceRequest(token), url, insecure)
      assert.equal(claims.sub, client.client_id)
    }
  })
}

test('a token that was tampered with is refused by the published keys and by the resource', async () => {
  const { access_token: token } = await tokenOf(service('oauth4webapi tampered'))
  const [header, payload, signature] = token.split('.')
  const claims = { ...jose.decodeJwt(token), scope: 'read write' }
  const forged = [header, Buffer.from(JSON.stringify(claims)).toString('base64url'), signature].join('.')
  assert.notEqual(forged.split('.')[1], payload)
  const keys = jose.createRemoteJWKSet(new URL(server.jwks_uri))
  await assert.rejects(jose.jwtVerify(forged, keys), jose.errors.JWSSignatureVerificationFailed)
  assert.equal((await fetch(resourceRequest(forged))).status, 401)
})

test('an opaque token is no JWT, and opens the resource all the same', async () => {
  const { access_token: token } = await tokenOf(service('oauth4webapi opaque', { access_token_format: 'opaque' }))
  assert.throws(() => jose.decodeProtectedHeader(token))
  assert.equal((await fetch(resourceRequest(token))).status, 200)
})

test('a revoked token is inactive at once, and the same for anyone who asks', async () => {
  const client = service('oauth4webapi revoked')
  const authentication = oauth.ClientSecretBasic(client.client_secret)
  const { access_token: token } = await tokenOf(client)
  const ask = async () => {
    const answer = await oauth.introspectionRequest(server, client, authentication, token, insecure)
    return oauth.processIntrospectionResponse(server, client, answer)
  }
  assert.equal((await ask()).active, true)
  await oauth.processRevocationResponse(await oauth.revocationRequest(server, client, authentication, token, insecure))
  assert.deepEqual(await ask(), { active: false })
})

test('a wrong secret is refused with a challenge', async () => {
  const client = service('oauth4webapi wrong secret')
  await assert.rejects(tokenOf(client, 'wrong'), (error) => error.status === 401 && error.cause?.[0]?.scheme === 'basic')
})

for (const algorithm of ['ES256', 'EdDSA', 'RS256', 'PS256']) {
  test(`an introspection that is signed with ${algorithm} is verified, and tells the same (RFC 9701)`, async () => {
    const registered = service(`oauth4webapi introspects ${algorithm}`, { introspection_signed_response_alg: algorithm })
    const client = { client_id: registered.client_id, introspection_signed_response_alg: algorithm }
    const authentication = oauth.ClientSecretBasic(registered.client_secret)
    const { access_token: token } = await tokenOf(registered)
    const ask = async (requestJwtResponse) => {
      const answer = await oauth.introspectionRequest(server, client, authentication, token, { requestJwtResponse, ...insecure })
      const told = await oauth.processIntrospectionResponse(server, client, answer)
      if (requestJwtResponse) await oauth.validateApplicationLevelSignature(server, answer, insecure)
      return told
    }
    const told = await ask(true)
    assert.equal(told.client_id, registered.client_id)
    assert.deepEqual(told, await ask(false))
  })
}

test('a resource that is asked without a token tells what it is, and whose tokens open it (RFC 9728)', async () => {
  const refused = await oauth.protectedResourceRequest('nothing', 'GET', new URL(`${url}/api/resource`), undefined, null, insecure).catch((error) => error)
  const [{ parameters }] = refused.cause
  const told = await oauth.processResourceDiscoveryResponse(new URL(url), await fetch(parameters.resource_metadata))
  assert.deepEqual(told.authorization_servers, [issuer])
  const found = await oauth.processResourceDiscoveryResponse(new URL(url), await oauth.resourceDiscoveryRequest(new URL(url), insecure))
  assert.deepEqual(found, told)
})
