// Passkeys, with an authenticator that Chromium plays: made, used alone and after the password, refused, cancelled, removed.

import assert from 'node:assert/strict'
import { test } from 'node:test'

import { Application, Authenticator, PHONE, goSignedIn, inspect, isBack, newUser, signIn, url, visit } from './support.js'

const SIGN_IN = ['username', 'password', 'login']

/** Makes a passkey for a signed-in person, and gives the recovery codes, where they are shown. */
async function add(page, user, name) {
  await page.goto(`${url}/account/second-factor/`)
  if (await page.locator('#add_passkey_password').count()) await page.fill('#add_passkey_password', user.password)
  await page.click('#add_passkey')
  await page.fill('#name', name)
  await page.click('#make_passkey')
  await page.waitForSelector('#codes, [role=status]')
  return (await page.locator('#codes').count()) ? (await page.innerText('#codes')).trim().split(/\s+/) : []
}

/** Forgets who is signed in, and opens a page. */
async function anew(page, path = '/account/') {
  await page.context().clearCookies()
  await page.goto(`${url}${path}`)
}

/** A browser that does not offer passkeys where the name is entered: the one that Chromium plays would be used there without a touch. */
function offerNothing(page) {
  return page.addInitScript(() => {
    PublicKeyCredential.isConditionalMediationAvailable = async () => false
  })
}

/** A person with a passkey. */
async function holder(page, name = 'My phone') {
  const authenticator = await Authenticator.plugInto(page)
  const user = newUser()
  await goSignedIn(page, user)
  const codes = await add(page, user, name)
  return { authenticator, user, codes }
}

/** Presses the page's button, and waits for what comes of it. */
async function press(page, selector) {
  await page.click('#passkey')
  await page.waitForSelector(selector)
}

test('a person makes a passkey, and signs in with it alone', visit({}, async (page) => {
  await offerNothing(page)
  const { authenticator, codes } = await holder(page)
  assert.equal(codes.length, 10)
  const [passkey] = await authenticator.passkeys()
  assert.equal(passkey.isResidentCredential, true)
  assert.equal(passkey.rpId, 'localhost')
  await anew(page)
  await press(page, '#change_password')
}))

test('a browser that offers passkeys with the name signs in without a press of the button', visit({}, async (page) => {
  await holder(page)
  await anew(page)
  await page.waitForSelector('#change_password')
}))

test('an application gets what a passkey says of the sign-in', visit({}, async (page) => {
  const application = await Application.start('Bank', { scope: 'openid read' })
  await offerNothing(page)
  await holder(page)
  await page.context().clearCookies()
  await page.goto(application.ask({ scope: 'openid read', acr_values: 'urn:grantlog:acr:2fa' }))
  await press(page, '#allow')
  await page.click('#allow')
  await isBack(page, application)
  const { client_id, client_secret, redirect_uris } = application.client
  const body = new URLSearchParams({ grant_type: 'authorization_code', code: application.brought.code, redirect_uri: redirect_uris[0], client_id, client_secret })
  const { id_token } = await (await fetch(`${url}/o/token/`, { method: 'POST', body })).json()
  const { acr, amr } = JSON.parse(Buffer.from(id_token.split('.')[1], 'base64url'))
  assert.deepEqual([acr, amr], ['urn:grantlog:acr:2fa', ['pop', 'user', 'mfa']])
}))

test('a passkey is the second step after the password, and a recovery code does as well', visit({}, async (page) => {
  await offerNothing(page)
  const { user, codes } = await holder(page)
  await anew(page)
  await signIn(page, user)
  await page.waitForSelector('#prove')
  await press(page, '#change_password')
  await anew(page)
  await signIn(page, user)
  await page.fill('#code', codes[0])
  await page.click('#prove')
  await page.waitForSelector('#change_password')
}))

test('whoever cancels can try again, or sign in another way', visit({}, async (page, visitor) => {
  await offerNothing(page)
  const { authenticator, user } = await holder(page)
  await authenticator.unlock(false)
  await anew(page)
  await press(page, '#passkey_problem:visible')
  await inspect(page, visitor, { name: 'passkey-cancelled', ids: SIGN_IN })
  assert.match(await page.innerText('#passkey_problem'), /No passkey was used/)
  await authenticator.unlock(true)
  await press(page, '#change_password')
  await anew(page)
  await signIn(page, user)
  await page.waitForSelector('#prove')
}))

test('a passkey that was removed signs nobody in', visit({}, async (page, visitor) => {
  await offerNothing(page)
  const { authenticator, user } = await holder(page)
  await anew(page)
  await press(page, '#change_password')
  await page.goto(`${url}/account/second-factor/`)
  await page.click('a[id^=change_]')
  await inspect(page, visitor, { name: 'passkey-one' })
  await page.click('#remove')
  await page.waitForSelector('[role=status]')
  assert.equal((await authenticator.passkeys()).length, 1)
  await anew(page)
  await press(page, '#problem')
  assert.match(await page.innerText('#problem'), /removed/)
  await anew(page)
  await signIn(page, user)
  await page.waitForSelector('#change_password')
}))

test('a copy of a passkey is refused, and its holder is told', visit({}, async (page, visitor) => {
  await offerNothing(page)
  const { authenticator, user, codes } = await holder(page)
  for (const time of [1, 2]) {
    await anew(page)
    await press(page, '#change_password')
    assert.equal((await authenticator.passkeys())[0].signCount > time, true)
  }
  await authenticator.count((await authenticator.passkeys())[0], 1)
  await anew(page)
  await press(page, '#problem')
  assert.match(await page.innerText('#problem'), /copy/)
  await anew(page)
  await signIn(page, user)
  await page.fill('#code', codes[0])
  await page.click('#prove')
  await page.waitForSelector('#change_password')
  await page.goto(`${url}/account/second-factor/`)
  await inspect(page, visitor, { name: 'passkey-copied' })
  assert.match(await page.innerText('main'), /there may be a copy/)
}))

test('one device has one passkey of a person', visit({}, async (page) => {
  await offerNothing(page)
  const { user } = await holder(page)
  await page.goto(`${url}/account/second-factor/`)
  await page.fill('#add_passkey_password', user.password)
  await page.click('#add_passkey')
  await page.click('#make_passkey')
  await page.waitForSelector('#passkey_problem:visible')
  assert.match(await page.innerText('#passkey_problem'), /already/)
}))

test('without scripts a passkey is not offered, and the password does', visit({ javaScriptEnabled: false }, async (page) => {
  await page.goto(`${url}/account/`)
  assert.equal(await page.isVisible('#passkey'), false)
  const user = newUser()
  await signIn(page, user)
  await page.waitForSelector('#change_password')
  await page.goto(`${url}/account/second-factor/`)
  await page.fill('#add_passkey_password', user.password)
  await page.click('#add_passkey')
  assert.match(await page.innerText('main'), /scripts/)
  assert.equal(await page.isVisible('#make_passkey'), false)
}))

for (const [look, options] of Object.entries({
  'light-en': { locale: 'en-GB', colorScheme: 'light' },
  'dark-en-phone': { locale: 'en-GB', colorScheme: 'dark', viewport: PHONE },
  'light-ja-phone': { locale: 'ja-JP', colorScheme: 'light', viewport: PHONE },
  'dark-ja': { locale: 'ja-JP', colorScheme: 'dark' },
})) {
  test(`the pages of passkeys, ${look}`, visit(options, async (page, visitor) => {
    const language = options.locale.slice(0, 2)
    const see = (name, ids = []) => inspect(page, visitor, { name: `${name}-${look}`, ids, language })
    await offerNothing(page)
    await Authenticator.plugInto(page)
    const user = newUser('--admin')
    await goSignedIn(page, user)
    await page.goto(`${url}/account/second-factor/`)
    await see('passkeys-none')
    await page.fill('#add_passkey_password', user.password)
    await page.click('#add_passkey')
    await page.waitForSelector('#make_passkey')
    await see('passkey-new')
    await page.click('#make_passkey')
    await page.waitForSelector('#codes')
    await page.goto(`${url}/account/second-factor/`)
    await see('passkeys')
    await page.click('a[id^=change_]')
    await see('passkey')
    await page.goto(`${url}/admin/users/`)
    await page.fill('#q', user.name)
    await page.keyboard.press('Enter')
    await page.click('.rows a')
    await page.waitForSelector('#second_factors')
    await see('admin-user-with-passkey')
    await anew(page)
    await see('sign-in-with-passkey', SIGN_IN)
    await signIn(page, user)
    await page.waitForSelector('#prove')
    await see('second-step-with-passkey')
  }))
}
