// oidc-client-ts in Chromium: a single-page application, a public client with PKCE, that talks to grantlog from an origin of its own.

import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { after, test } from 'node:test'

import { signIn, visit } from '../../browser/support.js'
import { issuer, newUser, register, url } from './grantlog.js'

const FILES = {
  '/oidc-client-ts.js': ['text/javascript', 'node_modules/oidc-client-ts/dist/browser/oidc-client-ts.min.js'],
  '/spa.js': ['text/javascript', 'spa/spa.js'],
}
const PAGE = ['text/html', 'spa/index.html']
const SCOPE = 'openid profile read'

const closing = []
after(() => closing.forEach((server) => server.close()))

/** Serves the application, and registers it. */
async function start(metadata = {}) {
  const server = createServer((request, response) => {
    const [type, file] = FILES[new URL(request.url, 'http://spa').pathname] ?? PAGE
    response.writeHead(200, { 'content-type': `${type}; charset=utf-8` })
    response.end(readFileSync(new URL(file, import.meta.url)))
  })
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve))
  closing.push(server)
  const origin = `http://127.0.0.1:${server.address().port}`
  const client = register('oidc-client-ts', {
    token_endpoint_auth_method: 'none',
    scope: SCOPE,
    redirect_uris: [`${origin}/callback`, `${origin}/silent`],
    post_logout_redirect_uris: [`${origin}/bye`],
    ...metadata,
  })
  return { origin, client }
}

/** The application open in a tab, and a person in front of it. */
class Spa {
  static async open(page, metadata) {
    const spa = Object.assign(new Spa(), { page, user: newUser(), ...(await start(metadata)) })
    const settings = { authority: issuer, client_id: spa.client.client_id, resource: `${url}/api/resource`, scope: SCOPE }
    await page.context().addCookies([{ name: 'spa', value: encodeURIComponent(JSON.stringify(settings)), url: spa.origin }])
    await page.goto(spa.origin)
    return spa
  }

  /** What the last button, or coming back, came to. */
  async outcome() {
    await this.page.waitForFunction(() => (document.getElementById('outcome')?.textContent ?? '').length > 2)
    return JSON.parse(await this.page.textContent('#outcome'))
  }

  async press(id) {
    await this.page.click(`#${id}`)
    return this.outcome()
  }

  /** As far as the consent's button: the person has still to press it. */
  async askForConsent() {
    await this.page.click('#sign_in')
    await this.page.waitForSelector('#login, #allow')
    if (await this.page.locator('#login').count()) await signIn(this.page, this.user)
    await this.page.waitForSelector('#allow')
  }

  async signIn() {
    await this.askForConsent()
    await this.page.click('#allow')
    await this.page.waitForURL(`${this.origin}/callback?**`)
    return this.outcome()
  }

  /** Changes a request of the application to the token endpoint, or the answer to it. */
  meddle(change) {
    return this.page.route('**/o/token/', async (route) => {
      if (route.request().method() !== 'POST') return route.continue()
      return change(route, new URLSearchParams(route.request().postData()))
    })
  }
}

test('a person signs in, the resource is fetched, the tokens are renewed by the refresh token', visit({}, async (page) => {
  const spa = await Spa.open(page)
  const first = await spa.signIn()
  assert.equal(first.name, spa.user.name)
  assert.equal((await spa.press('fetch')).username, spa.user.name)
  const second = await spa.press('renew')
  assert.equal(second.sub, first.sub)
  assert.notEqual(second.access, first.access)
  assert.notEqual(second.refresh, first.refresh)
  assert.equal((await spa.press('fetch')).status, 200)
}))

test('what is revoked opens nothing and renews nothing', visit({}, async (page) => {
  const spa = await Spa.open(page)
  const { access, refresh } = await spa.signIn()
  assert.deepEqual(await spa.press('revoke'), { revoked: true })
  const ask = (fields) => fetch(`${issuer}/token/`, { method: 'POST', body: new URLSearchParams({ client_id: spa.client.client_id, ...fields }) })
  assert.equal((await (await ask({ grant_type: 'refresh_token', refresh_token: refresh })).json()).error, 'invalid_grant')
  assert.equal((await fetch(`${url}/api/resource`, { headers: { authorization: `Bearer ${access}` } })).status, 401)
  assert.equal((await spa.press('fetch')).status, 401)
}))

test('a person signs out, and has to sign in again', visit({}, async (page) => {
  const spa = await Spa.open(page)
  await spa.signIn()
  await page.click('#sign_out')
  await page.waitForURL(`${spa.origin}/bye?**`)
  assert.deepEqual(await spa.outcome(), { signedOut: 'out' })
  await page.click('#sign_in')
  await page.waitForSelector('#login')
}))

// A public client proves by nothing that it is the one that the person allowed: so it renews by its refresh token, and not by a hidden frame.
test('a hidden frame signs nobody in: neither who is not signed in, nor who would have to be asked', visit({}, async (page) => {
  const spa = await Spa.open(page)
  assert.deepEqual(await spa.press('sign_in_silently'), { error: 'login_required' })
  await spa.signIn()
  assert.deepEqual(await spa.press('sign_in_silently'), { error: 'consent_required' })
}))

test('a code that was replayed ends what it gave', visit({}, async (page) => {
  const spa = await Spa.open(page)
  let sent
  await spa.meddle((route, fields) => {
    sent ??= fields
    return route.continue()
  })
  await spa.signIn()
  assert.equal((await spa.press('fetch')).status, 200)
  const again = await fetch(`${issuer}/token/`, { method: 'POST', body: sent })
  assert.equal((await again.json()).error, 'invalid_grant')
  assert.equal((await spa.press('fetch')).status, 401)
}))

test('a wrong verifier is refused', visit({}, async (page) => {
  const spa = await Spa.open(page)
  await spa.meddle((route, fields) => {
    fields.set('code_verifier', 'x'.repeat(64))
    return route.continue({ postData: fields.toString() })
  })
  assert.deepEqual(await spa.signIn(), { error: 'invalid_grant' })
}))

test('a client with a secret is refused where it shows none', visit({}, async (page) => {
  const spa = await Spa.open(page, { token_endpoint_auth_method: 'client_secret_basic' })
  assert.deepEqual(await spa.signIn(), { error: 'invalid_client' })
}))

test('a redirect URI that is not registered is a page, and nobody is sent there', visit({}, async (page) => {
  const spa = await Spa.open(page)
  await page.evaluate(() => sessionStorage.setItem('asked', JSON.stringify({ redirect_uri: `${location.origin}/elsewhere` })))
  await page.click('#sign_in')
  await page.waitForSelector('#error')
  assert.ok(page.url().startsWith(issuer))
}))

test('a state that this browser does not know is refused, and the code is not sent anywhere', visit({}, async (page, visitor) => {
  const spa = await Spa.open(page)
  let asked = 0
  await spa.meddle((route) => {
    asked += 1
    return route.continue()
  })
  await spa.askForConsent()
  const other = await visitor.tab()
  await other.goto(spa.origin)
  await other.evaluate(() => localStorage.clear())
  await page.click('#allow')
  await page.waitForURL(`${spa.origin}/callback?**`)
  assert.match((await spa.outcome()).error, /No matching state/)
  assert.equal(asked, 0)
}))

test('an ID token of another sign-in is refused by its nonce', visit({}, async (page) => {
  const spa = await Spa.open(page)
  let first
  await spa.meddle(async (route) => {
    const answer = await route.fetch()
    const tokens = await answer.json()
    first ??= tokens.id_token
    return route.fulfill({ response: answer, json: { ...tokens, id_token: first } })
  })
  await spa.signIn()
  await page.goto(spa.origin)
  await page.click('#sign_in')
  await page.waitForSelector('#allow')
  await page.click('#allow')
  await page.waitForURL(`${spa.origin}/callback?**`)
  assert.match((await spa.outcome()).error, /nonce/)
}))
