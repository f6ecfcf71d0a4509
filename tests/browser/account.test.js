// One's own account: signing out, where one is signed in, several accounts, a new password.

import assert from 'node:assert/strict'
import { test } from 'node:test'

import { Application, codeOf, goSignedIn, inspect, isBack, linkTo, newUser, signIn, url, visit } from './support.js'

test('a person signs out, and is asked to sign in again', visit({}, async (page) => {
  const user = newUser()
  await goSignedIn(page, user)
  await page.goto(`${url}/o/logout/`)
  await page.click('#logout')
  await page.waitForSelector('#logged_out')
  await page.goto(`${url}/account/`)
  await page.waitForSelector('#login')
}))

test('the session has another cookie after signing in, which no script can read', visit({}, async (page, visitor) => {
  const values = async () => (await visitor.context.cookies()).map(({ name, value }) => `${name}=${value}`)
  await page.goto(`${url}/account/`)
  const before = await values()
  await goSignedIn(page, newUser())
  const after = await visitor.context.cookies()
  const fresh = after.filter(({ name, value }) => !before.includes(`${name}=${value}`))
  assert.ok(fresh.length > 0, 'no cookie changed')
  assert.ok(after.every(({ httpOnly, sameSite }) => httpOnly && sameSite !== 'None'))
  assert.equal(await page.evaluate(() => document.cookie), '')
}))

test('a new password takes the place of the old one, and ends what was open', visit({}, async (page) => {
  const user = newUser()
  const changed = { ...user, password: 'a much better password' }
  await goSignedIn(page, user)
  await page.fill('#current_password', 'not the password')
  await page.fill('#new_password', changed.password)
  await page.click('#change_password')
  assert.match(await page.innerText('[role=alert]'), /wrong/)

  await page.fill('#current_password', user.password)
  await page.fill('#new_password', changed.password)
  await page.click('#change_password')
  await page.waitForSelector('#login')
  await signIn(page, user)
  await page.waitForSelector('[role=alert]')
  await signIn(page, changed)
  await page.goto(`${url}/account/`)
  assert.match(await page.innerText('main'), new RegExp(user.name))
}))

test('whoever forgot their password chooses another by a link in a mail', visit({}, async (page) => {
  const address = `forgetful-${Date.now()}@example.org`
  const user = newUser('--email', address, '--email-verified')
  await page.goto(`${url}/sign-in/`)
  await page.click('#forgotten')
  await page.fill('#forgotten_username', user.name)
  await page.click('#send_link')
  await page.waitForSelector('#link_sent')
  const link = await linkTo(address, 'new-password')
  await page.goto(link)
  await page.goto(link)
  await page.fill('#new_password', 'a much better password')
  await page.click('#set_password')
  await page.waitForSelector('[role=status]')
  await signIn(page, { ...user, password: 'a much better password' })
  await page.waitForSelector('#change_password')
  const gone = await page.goto(link)
  assert.equal(gone.status(), 404)
}))

test('whoever sets an authenticator application up signs in with its code, and with a recovery code', visit({}, async (page) => {
  const user = newUser()
  await goSignedIn(page, user)
  await page.goto(`${url}/account/second-factor/`)
  await page.fill('#set_up_password', user.password)
  await page.click('#set_up')
  const key = await page.innerText('#secret')
  const code = codeOf(key)
  await page.fill('#code', code)
  await page.click('#turn_on')
  const codes = (await page.innerText('#codes')).trim().split(/\s+/)
  const signInWith = async (code) => {
    await page.context().clearCookies()
    await page.goto(`${url}/account/`)
    await signIn(page, user)
    await page.fill('#code', code)
    await page.click('#prove')
  }
  await signInWith(code)
  assert.match(await page.innerText('[role=alert]'), /used already/)
  await page.fill('#code', codeOf(key, 30))
  await page.click('#prove')
  await page.waitForSelector('#change_password')
  await signInWith(codes[0])
  await page.waitForSelector('#change_password')
}))

test('signing out ends an application’s access that was not to outlast it', visit({}, async (page) => {
  const application = await Application.start('Ends with the session')
  const user = newUser()
  await page.goto(application.ask())
  await signIn(page, user)
  await page.click('#allow')
  await page.waitForSelector('#back')
  const { client_id, client_secret, redirect_uris } = application.client
  const post = (path, fields) =>
    fetch(`${url}${path}`, { method: 'POST', body: new URLSearchParams({ client_id, client_secret, ...fields }) }).then((answer) => answer.json())
  const tokens = await post('/o/token/', { grant_type: 'authorization_code', code: application.brought.code, redirect_uri: redirect_uris[0] })
  assert.equal((await post('/o/introspect/', { token: tokens.access_token })).active, true)
  await page.goto(`${url}/o/logout/`)
  await page.click('#logout')
  await page.waitForSelector('#logged_out')
  assert.deepEqual(await post('/o/introspect/', { token: tokens.access_token }), { active: false })
}))

test('a person sees where they are signed in, and ends one of it', visit({}, async (page, visitor) => {
  const user = newUser()
  const phone = await visitor.context.browser().newContext({ userAgent: 'Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) Version/18.0 Safari/604.1' })
  const there = await phone.newPage()
  await goSignedIn(there, user)
  await goSignedIn(page, user)
  await inspect(page, visitor, { name: 'account-with-sign-ins' })
  const other = page.locator('li', { hasText: 'Safari, iPhone' })
  await other.locator('button').click()
  await page.waitForSelector('[role=status]')
  assert.equal(await other.count(), 0)
  await there.goto(`${url}/account/`)
  await there.waitForSelector('#login')
  await phone.close()
}))

test('a browser holds two accounts, and an application has one chosen', visit({}, async (page, visitor) => {
  const application = await Application.start('Photo Printer')
  const [one, other] = [newUser(), newUser()]
  await goSignedIn(page, one)
  await page.click('#another_account')
  await signIn(page, other)
  await page.waitForURL(`${url}/account/`)
  await page.goto(application.ask({ prompt: 'select_account' }))
  await inspect(page, visitor, { name: 'choose-an-account', ids: ['username', 'password', 'login'] })
  await page.click(`.accounts button:has-text("${one.name}")`)
  await page.waitForSelector('#allow')
  assert.match(await page.innerText('main'), new RegExp(one.name))
  await page.click('#allow')
  await isBack(page, application)
  await page.goto(`${url}/o/logout/`)
  await inspect(page, visitor, { name: 'sign-out-of-one-or-all', ids: ['logout'] })
  await page.click('#logout_all')
  await page.waitForSelector('#logged_out')
  await page.goto(`${url}/account/`)
  await page.waitForSelector('#login')
  assert.equal(await page.locator('.accounts').count(), 0)
}))
