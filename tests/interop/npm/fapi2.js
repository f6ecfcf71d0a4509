// Clients that hold a key, a bank among them: under the policy `fapi2`, and it signs its requests too (FAPI 2.0 Message Signing).

import { exportJWK, generateKeyPair } from 'jose'

import { register } from './grantlog.js'

/** Whether proofs must hold a nonce of the server's (RFC 9449 section 8): scripts/test runs one that wants it, and one that does not. */
export const demandsNonces = process.env.GRANTLOG_TOKENS__DPOP_NONCE_REQUIRED === 'true'

/** A key to sign with, and what is registered of it. */
export async function newSigning(algorithm = 'ES256') {
  const { publicKey, privateKey } = await generateKeyPair(algorithm)
  const kid = 'signing'
  return { signing: { key: privateKey, kid }, jwks: { keys: [{ ...(await exportJWK(publicKey)), kid }] } }
}

/** Registers a client that proves itself by its key, and gives both. */
export async function registerWithKey(name, metadata = {}, algorithm = 'ES256') {
  const { signing, jwks } = await newSigning(algorithm)
  const metadataOfKey = { token_endpoint_auth_method: 'private_key_jwt', jwks, scope: 'openid profile read' }
  return { client: register(name, { ...metadataOfKey, ...metadata }), signing }
}

export const registerBank = (name) => registerWithKey(name, { policy: 'fapi2', require_signed_request_object: true })

/** What is said of a bound token that is refused: with 401, and how to come with a proof. */
export const challengedWith = (code) => (error) =>
  error.status === 401 && error.cause.some(({ scheme, parameters }) => scheme === 'dpop' && parameters.error === code)
