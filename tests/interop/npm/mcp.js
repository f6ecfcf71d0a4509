// The MCP SDK's client as an application uses it, whose person sits in front of a browser of their own; and the document that it may come by.

import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { createServer } from 'node:https'

import { Client, StreamableHTTPClientTransport, UnauthorizedError } from '@modelcontextprotocol/client'

import { Browser } from './browser.js'

const REDIRECT_URI = 'http://127.0.0.1:9/callback'
const METADATA = {
  client_name: 'MCP client',
  redirect_uris: [REDIRECT_URI],
  grant_types: ['authorization_code', 'refresh_token'],
  token_endpoint_auth_method: 'none',
}

/** Serves a client's document (OAuth Client ID Metadata Document) at `address`, until it is closed. */
export async function serveDocument() {
  const [cert, key] = ['', '_KEY'].map((of) => readFileSync(process.env[`GRANTLOG_TEST_CERTIFICATE${of}`]))
  const server = createServer({ cert, key }, (request, response) => {
    const itself = { ...METADATA, client_id: `https://${request.headers.host}${request.url}` }
    response.setHeader('Content-Type', 'application/json').end(JSON.stringify(itself))
  })
  await once(server.listen(0, '127.0.0.1'), 'listening')
  return { address: `https://127.0.0.1:${server.address().port}/client.json`, close: () => server.close() }
}

/** `asked` are the authorization requests that its person was sent with, `answers` what came back. */
export class Application {
  asked = []
  answers = []
  kept = {}
  redirectUrl = REDIRECT_URI
  clientMetadata = METADATA

  constructor(url, user, clientMetadataUrl) {
    Object.assign(this, { url: new URL(url), user, clientMetadataUrl, browser: new Browser(REDIRECT_URI) })
  }

  /** Connects, as often as the SDK says that its person must be asked first; then `use(client)`, likewise. */
  async connected(use) {
    for (;;) {
      const transport = new StreamableHTTPClientTransport(this.url, { authProvider: this })
      const client = new Client({ name: 'grantlog interop', version: '1' })
      try {
        await client.connect(transport)
        return await use(client)
      } catch (error) {
        if (!(error instanceof UnauthorizedError)) throw error
        await transport.finishAuth(this.answers.at(-1).searchParams)
      } finally {
        await client.close()
      }
    }
  }

  state = () => 'a state of its own'
  clientInformation = () => this.kept.client
  saveClientInformation = (client) => void (this.kept.client = client)
  tokens = () => this.kept.tokens
  saveTokens = (tokens) => void (this.kept.tokens = tokens)
  codeVerifier = () => this.kept.verifier
  saveCodeVerifier = (verifier) => void (this.kept.verifier = verifier)
  discoveryState = () => this.kept.discovery
  saveDiscoveryState = (discovery) => void (this.kept.discovery = discovery)

  invalidateCredentials(what) {
    for (const name of what === 'all' ? Object.keys(this.kept) : [what]) delete this.kept[name]
  }

  async redirectToAuthorization(address) {
    this.asked.push(address)
    this.answers.push(await this.browser.decide(await this.browser.open(address), this.user))
  }
}
