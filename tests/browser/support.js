// What every test here needs: Chromium, people, an application to come back to, and an eye on everything that goes wrong in the browser.

import assert from 'node:assert/strict'
import { createHmac } from 'node:crypto'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs'
import { createServer } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before } from 'node:test'

import axe from 'axe-core'
import { chromium } from 'playwright-core'

import { newUser, register, url } from '../interop/npm/grantlog.js'

export { newUser, register, url }

const ARGUMENTS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
]

export const PHONE = { width: 390, height: 844 }
export const DESK = { width: 1280, height: 800 }

// Ids that programs drive the pages by: each stands on its own page only.
const PROMISED = ['username', 'password', 'login', 'allow', 'deny', 'logout', 'error', 'logged_out']

let browser
const folder = mkdtempSync(join(tmpdir(), 'grantlog-browser-'))
/** What is called when all tests of a file are done. */
export const closing = []

before(async () => {
  browser = await chromium.launch({
    executablePath: process.env.GRANTLOG_TEST_CHROMIUM ?? '/usr/bin/chromium',
    args: ARGUMENTS,
    env: { ...process.env, HOME: folder },
  })
})

after(async () => {
  await browser?.close()
  for (const close of closing) await close()
  rmSync(folder, { recursive: true, force: true })
})

/** The code that an authenticator application shows for a key in base32 (RFC 6238), so many seconds from now. */
export function codeOf(key, later = 0) {
  const bits = [...key.replaceAll(' ', '')].map((letter) => 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'.indexOf(letter).toString(2).padStart(5, '0')).join('')
  const secret = Buffer.from(bits.match(/.{8}/g).map((byte) => parseInt(byte, 2)))
  const step = Buffer.alloc(8)
  step.writeBigUInt64BE(BigInt(Math.floor((Date.now() / 1000 + later) / 30)))
  const digest = createHmac('sha1', secret).update(step).digest()
  const number = digest.readUInt32BE(digest[19] & 15) & 0x7fffffff
  return String(number % 1_000_000).padStart(6, '0')
}

/** The link to one of our pages in the mail to an address, once the server has written it: with `--dev` each mail is a file. */
export async function linkTo(address, page) {
  const mails = join(process.env.GRANTLOG_TEST_HOME, 'data/mail')
  for (let tries = 0; tries < 200; tries += 1) {
    const files = existsSync(mails) ? readdirSync(mails).map((name) => readFileSync(join(mails, name), 'utf8')) : []
    const links = files.filter((mail) => mail.includes(`To: ${address}\r\n`)).map((mail) => linkIn(mail, page))
    const link = links.find((found) => found)
    if (link) return link
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
  throw new Error(`no mail with a link to ${page} was written to ${address}`)
}

// Japanese makes lettre write base64, or quoted-printable, in which a line may be broken anywhere.
function linkIn(mail, page) {
  const parts = mail.split(/^--.*$/m).map((part) => {
    const [headers, ...body] = part.split('\r\n\r\n')
    const text = body.join('\r\n\r\n')
    if (/base64/i.test(headers)) return Buffer.from(text, 'base64').toString('utf8')
    return /quoted-printable/i.test(headers) ? text.replaceAll('=\r\n', '').replaceAll('=3D', '=') : text
  })
  return parts.join('\n').match(new RegExp(`http://\\S+/${page}/[\\w-]+/`))?.[0]
}

/** A person's browser of their own: nothing of another test's cookies. Whatever Chromium complains of fails the test when it is closed. */
export class Visitor {
  constructor(context, complaints) {
    this.context = context
    this.complaints = complaints
  }

  static async arrive(options = {}) {
    const context = await browser.newContext({ locale: 'en-GB', viewport: DESK, ...options })
    context.setDefaultTimeout(15_000)
    const complaints = []
    context.on('console', (message) => {
      if (['error', 'warning'].includes(message.type()) && !isExpected(message.text())) complaints.push(`console: ${message.text()}`)
    })
    context.on('weberror', (error) => complaints.push(`script: ${error.error().message}`))
    context.on('requestfailed', (request) => {
      if (request.failure()?.errorText !== 'net::ERR_ABORTED') complaints.push(`${request.url()}: ${request.failure()?.errorText}`)
    })
    context.on('request', (request) => {
      const foreign = ![`${url}/`, 'http://127.0.0.1:', 'data:'].some((own) => request.url().startsWith(own))
      if (foreign) complaints.push(`asked a third party: ${request.url()}`)
    })
    context.on('response', (response) => {
      if (response.status() >= 500) complaints.push(`${response.url()}: ${response.status()}`)
    })
    return new Visitor(context, complaints)
  }

  tab() {
    return this.context.newPage()
  }

  async leave() {
    await this.context.close()
    assert.deepEqual(this.complaints, [], 'the browser complained')
  }
}

// Of a frame of our own site that would be true; an application's cannot reach our page.
const SANDBOX = 'An iframe which has both allow-scripts and allow-same-origin for its sandbox attribute'

// Chromium writes every answer of 4xx into the console, also where a test asked for one.
function isExpected(text) {
  return /^Failed to load resource: the server responded with a status of 4\d\d/.test(text) || text.startsWith(SANDBOX)
}

/** Runs a test with a browser of its own. */
export function visit(options, story) {
  return async () => {
    const visitor = await Visitor.arrive(options)
    await story(await visitor.tab(), visitor)
    await visitor.leave()
  }
}

// Of an application: where people come back to, where they go after they signed out, and what is opened in a frame then.
const PAGES = ['/callback', '/bye', '/out']

/** An application with pages on loopback. `metadata`: what it is registered with, or a function of its origin that gives it. */
export class Application {
  static async start(name, metadata = {}) {
    const application = new Application()
    application.visits = []
    application.opened = []
    application.server = createServer((request, response) => {
      const address = new URL(request.url, application.origin)
      if (address.pathname === '/callback') application.visits.push(Object.fromEntries(address.searchParams))
      else application.opened.push(address)
      const found = PAGES.includes(address.pathname)
      response.writeHead(found ? 200 : 204, { 'content-type': 'text/html; charset=utf-8' })
      response.end(found ? '<!doctype html><html lang="en"><title>Back</title><link rel="icon" href="data:,"><h1 id="back">Back at the application</h1>' : '')
    })
    await new Promise((resolve) => application.server.listen(0, '127.0.0.1', resolve))
    closing.push(() => application.server.close())
    application.origin = `http://127.0.0.1:${application.server.address().port}`
    const given = typeof metadata === 'function' ? metadata(application.origin) : metadata
    application.client = register(name, { redirect_uris: [`${application.origin}/callback`], policy: 'compatible', ...given })
    return application
  }

  /** The address that it sends people to. */
  ask(parameters = {}) {
    const asked = {
      response_type: 'code',
      client_id: this.client.client_id,
      redirect_uri: `${this.origin}/callback`,
      scope: 'read',
      state: 'a-state',
      ...parameters,
    }
    return `${url}/o/authorize/?${new URLSearchParams(asked)}`
  }

  /** What the last person brought back. */
  get brought() {
    return this.visits.at(-1)
  }
}

/** What holds passkeys in a tab's browser: `transport` internal or usb. It is unlocked, and touched, whenever it is asked. */
export class Authenticator {
  static async plugInto(page, options = {}) {
    const authenticator = new Authenticator()
    authenticator.session = await page.context().newCDPSession(page)
    await authenticator.session.send('WebAuthn.enable')
    const usual = { protocol: 'ctap2', ctap2Version: 'ctap2_1', transport: 'internal', hasResidentKey: true, hasUserVerification: true }
    const { authenticatorId } = await authenticator.session.send('WebAuthn.addVirtualAuthenticator', {
      options: { ...usual, isUserVerified: true, automaticPresenceSimulation: true, ...options },
    })
    authenticator.authenticatorId = authenticatorId
    return authenticator
  }

  send(method, parameters = {}) {
    return this.session.send(`WebAuthn.${method}`, { authenticatorId: this.authenticatorId, ...parameters })
  }

  /** Whether its holder unlocks it when it asks. */
  unlock(isUserVerified) {
    return this.send('setUserVerified', { isUserVerified })
  }

  async passkeys() {
    return (await this.send('getCredentials')).credentials
  }

  /** Has another count for a passkey, as a copy of it would. */
  async count(passkey, signCount) {
    await this.send('removeCredential', { credentialId: passkey.credentialId })
    await this.send('addCredential', { credential: { ...passkey, signCount } })
  }
}

export async function signIn(page, user) {
  await page.fill('#username', user.name)
  await page.fill('#password', user.password)
  await page.click('#login')
}

/** Goes to the page `path` of one's own as a signed-in person. */
export async function goSignedIn(page, user, path = '/account/') {
  await page.goto(`${url}${path}`)
  if (await page.locator('#login').count()) await signIn(page, user)
  await page.waitForURL(`${url}${path}`)
}

export async function isBack(page, application) {
  await page.waitForURL(`${application.origin}/callback?**`)
  await page.waitForSelector('#back')
}

/** Every page must pass: axe finds nothing serious, nothing is cut off at the side, and the promised ids are where they belong. */
export async function inspect(page, visitor, { name, ids = [], language = 'en', except = [] }) {
  await photograph(page, name)
  const complain = (text) => visitor.complaints.push(`${name}: ${text}`)
  await page.evaluate(axe.source)
  const { violations } = await page.evaluate(() => window.axe.run(document, { resultTypes: ['violations'] }))
  for (const { id, impact, help, nodes } of violations) {
    if (['serious', 'critical'].includes(impact) && !except.includes(id)) complain(`axe, ${id}: ${help}: ${nodes.map(({ html }) => html).join(' | ')}`)
  }
  const { scroll, width, lang } = await page.evaluate(() => ({
    scroll: document.documentElement.scrollWidth,
    width: document.documentElement.clientWidth,
    lang: document.documentElement.lang,
  }))
  if (scroll > width) complain(`it is ${scroll} wide in a window of ${width}`)
  if (lang !== language) complain(`its language is ${lang}`)
  for (const id of PROMISED) {
    const found = await page.locator(`[id="${id}"]`).count()
    if (found !== (ids.includes(id) ? 1 : 0)) complain(`${found} elements have the id ${id}`)
  }
}

async function photograph(page, name) {
  const place = process.env.GRANTLOG_TEST_SCREENSHOTS
  if (!place) return
  mkdirSync(place, { recursive: true })
  await page.screenshot({ path: join(place, `${name.replaceAll(/[^a-z0-9]+/gi, '-')}.png`), fullPage: true })
}
